import { type Image, type NamespacedClient, pullImages } from "../mod.ts";
import type { pullOptions } from "./image_source.ts";
import type { VerbContext } from "./verb.ts";

/** Pulls one image, without unpacking it: what is unpacked and where, is for whoever makes the container. */
export async function pulledImage(
  client: NamespacedClient,
  name: string,
  { options, progress, signal, registry: open }: VerbContext<typeof pullOptions>,
): Promise<Image> {
  const { plainHttp, skipVerify, hostsDir } = options;
  const flags = { user: undefined, passwordStdin: false, ca: [], cert: undefined, key: undefined };
  await using registry = await open(name, { ...flags, plainHttp, skipVerify, hostsDir });
  for await (
    const result of pullImages(client, [name], { registry, unpack: false, onProgress: progress, signal })
  ) {
    if (result.error !== undefined) throw result.error;
    return await client.images.get(result.image, { signal });
  }
  throw new Error(`Cannot pull image ${JSON.stringify(name)}: nothing came`);
}
