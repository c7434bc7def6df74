import { assertEquals } from "@std/assert";
import { openRegistry } from "../../../lib/registry/registry.ts";
import { AMD64, ARM64, buildImage, buildIndex } from "../../real/image_builder.ts";
import { randomLayer } from "../../real/layers.ts";
import { LocalRegistry, registryTest } from "../../real/registry.ts";
import { skopeo } from "../../real/skopeo.ts";
import { bytesOf, pushImage } from "./images.ts";

registryTest("what is pushed can be resolved and read again, and skopeo agrees", async () => {
  await using server = await LocalRegistry.start();
  await using registry = openRegistry({ retry: { attempts: 1 } });
  const layers = [await randomLayer(100_000, 1), await randomLayer(3_000_000, 2)];
  const name = `${server.host}/some/app:v1`;
  const image = await buildIndex(name, [
    await buildImage({ name, layers, platform: AMD64 }),
    await buildImage({ name, layers: layers.slice(0, 1), platform: ARM64 }),
  ]);
  await pushImage(registry, name, image);

  const { descriptor } = await registry.resolve(name);
  assertEquals(descriptor, image.target);
  assertEquals(await registry.manifest(name, descriptor), image.blobs.get(descriptor.digest));
  for (const { descriptor, bytes } of layers) {
    assertEquals(await bytesOf(registry.blob(name, descriptor)), bytes);
    assertEquals(await bytesOf(registry.blob(name, descriptor, { offset: 70_000 })), bytes.subarray(70_000));
  }
  assertEquals(await Array.fromAsync(registry.tags(name)), ["v1"]);

  const inspected = await skopeo(["inspect", "--raw", "--tls-verify=false", `docker://${name}`]);
  assertEquals(new TextEncoder().encode(inspected.stdout), image.blobs.get(descriptor.digest));
});
