/** Unpacking as a part of what verbs do with images. */
import {
  formatPlatform,
  hostPlatform,
  type NamespacedClient,
  NoSuchPlatformError,
  type Options,
  unpackImage,
} from "../mod.ts";
import type { VerbContext } from "./verb.ts";

/** The option of verbs that unpack. */
export const unpackOptions = {
  snapshotter: {
    type: "string",
    placeholder: "NAME",
    summary: "what unpacks [$CONTAINERD_SNAPSHOTTER, the namespace's default, overlayfs]",
  },
} as const satisfies Options;

/** What to unpack, and for which platforms. Default: this machine's. */
interface Arrival {
  client: NamespacedClient;
  name: string;
  platforms?: readonly string[] | undefined;
}

/**
 * Unpacks an image that has just come, and resolves to whether it is unpacked now. One that has nothing for the platform
 * stays as it is; any other trouble is a failure of the run.
 */
export async function unpackArrived(
  { client, name, platforms = [] }: Arrival,
  { options, snapshotter, log, failed, progress, signal }: VerbContext<typeof unpackOptions>,
): Promise<boolean> {
  const wanted = platforms.length > 0 ? platforms : [formatPlatform(hostPlatform(Deno.build))];
  try {
    const image = await client.images.get(name, { signal });
    for (const platform of wanted) {
      const where = { platform, snapshotter: options.snapshotter ?? snapshotter };
      await unpackImage(client, image, { ...where, onProgress: progress, signal });
    }
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NoSuchPlatformError) {
      log.info(`Image ${JSON.stringify(name)} is not unpacked: ${error.reason}`);
    } else {
      failed(error);
    }
    return false;
  }
}
