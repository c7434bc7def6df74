import { openRegistry } from "../../mod.ts";
import { pushImage, sourceOf } from "../lib/registry/images.ts";
import { buildImage } from "../real/image_builder.ts";
import { type Layer, randomLayer } from "../real/layers.ts";
import { LocalRegistry } from "../real/registry.ts";
import type { Lab } from "./lab.ts";

const layers = 4;

/** A registry with one image of so many bytes in four layers; resolves to its reference. */
export async function withBigRegistry(lab: Lab, bytes: number): Promise<string> {
  const server = lab.keep(await LocalRegistry.start());
  const name = `${server.host}/big:1`;
  await using registry = openRegistry({ plainHttp: true });
  const target = await registry.pushTo(name);
  const pushed: Layer[] = [];
  for (let seed = 0; seed < layers; seed++) {
    const { descriptor, diffId, bytes: packed } = await randomLayer(bytes / layers, seed);
    await target.upload(descriptor, sourceOf(packed, 1 << 20));
    pushed.push({ descriptor, diffId, bytes: new Uint8Array() });
  }
  const image = await buildImage({ name, layers: pushed });
  for (const { descriptor } of pushed) image.blobs.delete(descriptor.digest);
  await pushImage(registry, name, image);
  return name;
}
