/** Unpacking as a part of what verbs do with images. */
import {
  formatPlatform,
  hostPlatform,
  type Image,
  type NamespacedClient,
  NoSuchPlatformError,
  unpackImage,
} from "../mod.ts";
import { each } from "./each.ts";
import type { unpackingOptions, unpackOptions } from "./unpack_options.ts";
import type { Column, VerbContext } from "./verb.ts";

/** What became of an image. */
export interface UnpackedRow {
  image: string;
  status: "unpacked" | "exists";
  /** Layers that were unpacked. */
  unpacked: number;
  /** Layers that were before. */
  existing: number;
  snapshotter: string;
  chainId: string;
}

/** The table of {@linkcode UnpackedRow}. */
export const unpackedColumns: readonly Column<keyof UnpackedRow>[] = [
  { header: "REF", key: "image" },
  { header: "STATUS", key: "status" },
  { header: "UNPACKED", key: "unpacked" },
  { header: "EXISTING", key: "existing" },
  { header: "SNAPSHOTTER", key: "snapshotter" },
  { header: "CHAIN ID", key: "chainId", wide: true },
];

/** Unpacks images one after the other. */
export async function* unpackEach(
  client: NamespacedClient,
  images: Iterable<Image>,
  context: VerbContext<typeof unpackingOptions>,
): AsyncIterable<UnpackedRow> {
  const { options: { platform, syncFs, ...options }, progress, signal } = context;
  const where = { platform, snapshotter: options.snapshotter ?? context.snapshotter, syncFs };
  yield* each(images, {
    context,
    async work(image) {
      const result = await unpackImage(client, image, { ...where, onProgress: progress, signal });
      const { layers, snapshotter, chainId } = result;
      const existing = layers.filter(({ state }) => state === "exists").length;
      const unpacked = layers.length - existing;
      const status = unpacked > 0 ? "unpacked" : "exists";
      return { image: image.name, status, unpacked, existing, snapshotter, chainId } as const;
    },
  });
}

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
