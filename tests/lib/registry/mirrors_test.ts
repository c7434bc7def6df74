import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { RegistryHost } from "../../../lib/registry/host.ts";
import { RegistryError } from "../../../lib/registry/failure.ts";
import { openRegistry, type RegistryOptions } from "../../../lib/registry/registry.ts";
import { HttpProxy, truncated } from "../../fault/http_proxy.ts";
import { buildImage } from "../../real/image_builder.ts";
import { randomLayer } from "../../real/layers.ts";
import { LocalRegistry, registryTest } from "../../real/registry.ts";
import { bytesOf, pushImage } from "./images.ts";

const name = "example.com/app:v1";
const layer = await randomLayer(500_000, 1);
const image = await buildImage({ name, layers: [layer] });

type Capabilities = RegistryHost["capabilities"];

function hostAt(
  url: string,
  capabilities: Capabilities = new Set(["pull", "resolve", "push"]),
): RegistryHost {
  return { url: `${url}/v2`, capabilities, tls: {}, headers: [] };
}

function options(...hosts: RegistryHost[]): RegistryOptions {
  return { retry: { attempts: 3, firstWaitMs: 1 }, hosts: () => Promise.resolve(hosts) };
}

registryTest("mirrors come first, are told for whom, and stand in for each other within a blob", async () => {
  await using server = await LocalRegistry.start();
  await using mirror = HttpProxy.start(server.url);
  await using origin = HttpProxy.start(server.url);
  const urls = [mirror, origin].map(({ host }) => `http://${host}`);
  const hosts = [hostAt(urls[0]!, new Set(["pull"])), hostAt(urls[1]!)];
  await using registry = openRegistry(options(...hosts));
  await pushImage(registry, name, image);
  assertEquals(mirror.requests.length, 0); // it may not be pushed to

  const { descriptor } = await registry.resolve(name);
  assertEquals(mirror.requests.length, 0); // and not asked about tags
  origin.requests.length = 0;
  await registry.manifest(name, descriptor);
  assertEquals(mirror.seen(/GET .*\?ns=example\.com$/).length, 1);
  assertEquals(origin.requests.length, 0);

  let cuts = 0;
  mirror.fault = async (_, forward) =>
    ++cuts === 1 ? truncated(await forward(), 200_000) : new Response(null, { status: 404 });
  assertEquals(await bytesOf(registry.blob(name, layer.descriptor)), layer.bytes);
  assertEquals(origin.seen(/GET .*blobs/).map(({ headers }) => headers.has("range")), [true]);
});

registryTest("a mirror that sends something else is passed over", async () => {
  await using server = await LocalRegistry.start();
  await using mirror = HttpProxy.start(server.url);
  await using registry = openRegistry(
    options(hostAt(`http://${mirror.host}`, new Set(["pull"])), hostAt(server.url)),
  );
  await pushImage(registry, name, image);
  const { descriptor } = await registry.resolve(name);
  const headers = { "content-type": descriptor.mediaType };
  mirror.fault = () => new Response("{}", { headers });
  assertEquals(await registry.manifest(name, descriptor), image.blobs.get(image.target.digest));
});

registryTest("when all fail, the error is the registry's and names the mirror's", async () => {
  await using server = await LocalRegistry.start();
  await using registry = openRegistry(options(hostAt("http://127.0.0.1:9"), hostAt(server.url)));
  const error = await assertRejects(() => registry.resolve(name), RegistryError);
  assertEquals(error.code, "not_found");
  assertStringIncludes(error.message, 'before that, registry "127.0.0.1:9": ');
  await using closed = openRegistry(options(hostAt(server.url, new Set(["pull"]))));
  const forbidden = await assertRejects(() => closed.pushTo(name), RegistryError);
  assertEquals(forbidden.code, "failed_precondition");
});
