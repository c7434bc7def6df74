import { digestOf } from "./descriptor.ts";

/**
 * The names under which containerd keeps the unpacked layers: for each layer the digest of itself and all below it. The
 * last one is the image's root filesystem.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-chainid}
 */
export async function chainIds(diffIds: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const diffId of diffIds) {
    const below = ids.at(-1);
    ids.push(below === undefined ? diffId : await digestOf(new TextEncoder().encode(`${below} ${diffId}`)));
  }
  return ids;
}
