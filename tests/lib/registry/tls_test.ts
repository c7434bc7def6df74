import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RegistryError } from "../../../lib/registry/failure.ts";
import { openRegistry, type RegistryOptions } from "../../../lib/registry/registry.ts";
import { runChild } from "../../fault/child.ts";
import { Authority } from "../../real/certificates.ts";
import { buildImage } from "../../real/image_builder.ts";
import { randomLayer } from "../../real/layers.ts";
import { LocalRegistry, registryTest } from "../../real/registry.ts";
import { bytesOf, pushImage } from "./images.ts";

const quick: RegistryOptions = { retry: { attempts: 3, firstWaitMs: 1 } };
const layer = await randomLayer(2_000_000, 1);
const image = await buildImage({ name: "example.com/app:v1", layers: [layer] });

function tlsTest(name: string, body: (authority: Authority) => Promise<void>): void {
  registryTest(name, async () => {
    const folder = await Deno.makeTempDir({ prefix: "davit-registry-" });
    try {
      await body(await Authority.make(folder));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function roundTrip({ host }: LocalRegistry, options: RegistryOptions): Promise<void> {
  await using registry = openRegistry({ ...quick, ...options });
  const name = `${host}/app:v1`;
  await pushImage(registry, name, image);
  const { descriptor } = await registry.resolve(name);
  assertEquals(await registry.manifest(name, descriptor), image.blobs.get(image.target.digest));
  assertEquals(await bytesOf(registry.blob(name, layer.descriptor)), layer.bytes);
  assertEquals(
    await bytesOf(registry.blob(name, layer.descriptor, { offset: 900_000 })),
    layer.bytes.subarray(900_000),
  );
}

async function failureOf({ host }: LocalRegistry, options: RegistryOptions = {}): Promise<RegistryError> {
  await using registry = openRegistry({ ...quick, ...options });
  const error = await assertRejects(() => registry.resolve(`${host}/app:v1`), RegistryError);
  assertEquals(error.code, "unavailable");
  assert(!error.isTemporary);
  return error;
}

tlsTest("a registry of a private authority is trusted when that is", async (authority) => {
  await using server = await LocalRegistry.start({ tls: await authority.sign() });
  await roundTrip(server, { tls: { ca: [await authority.pem()] } });
  assertEquals((await failureOf(server)).trouble, "unknown authority");
});

tlsTest("a certificate for another name, or of the past, is told", async (authority) => {
  const tls = { ca: [await authority.pem()] };
  await using other = await LocalRegistry.start({
    tls: await authority.sign({ names: "DNS:other.example" }),
  });
  const wrong = await failureOf(other, { tls });
  assertEquals(wrong.trouble, "wrong name");
  assertStringIncludes(wrong.message, 'its certificate is for "other.example"');
  await using past = await LocalRegistry.start({ tls: await authority.sign({ days: -1 }) });
  assertEquals((await failureOf(past, { tls })).trouble, "certificate expired");
});

tlsTest("skipVerify trusts every certificate, for this registry alone", async (authority) => {
  await using other = await LocalRegistry.start({
    tls: await authority.sign({ names: "DNS:other.example" }),
  });
  await roundTrip(other, { tls: { skipVerify: true } });
  assertEquals((await failureOf(other)).trouble, "unknown authority");
});

tlsTest("skipVerify notices what breaks off, and what is cancelled", async (authority) => {
  await using server = await LocalRegistry.start({ tls: await authority.sign() });
  const tls = { skipVerify: true };
  await roundTrip(server, { tls });
  const name = `${server.host}/app:v1`;
  let revived: Promise<void> | undefined;
  const retry = { attempts: 8, firstWaitMs: 50 };
  await using registry = openRegistry({ retry, tls, onRetry: () => void (revived ??= server.restart()) });
  let length = 0;
  for await (const piece of registry.blob(name, layer.descriptor)) {
    if (length === 0) await server.kill();
    length += piece.length;
  }
  await revived;
  assertEquals(length, layer.bytes.length);
  const controller = new AbortController();
  const reason = new Error("enough");
  const reading = async () => {
    for await (const _ of registry.blob(name, layer.descriptor, { signal: controller.signal })) {
      controller.abort(reason);
    }
  };
  assertEquals(await reading().catch((error) => error), reason);
});

tlsTest("skipVerify reads no further than its reader does", async (authority) => {
  const { cert, key } = await authority.sign();
  const size = 64 << 20;
  let sent = 0;
  const blob = () =>
    new ReadableStream({
      pull(controller) {
        if (sent === size) return controller.close();
        controller.enqueue(new Uint8Array(1 << 16));
        sent += 1 << 16;
      },
    });
  await using server = Deno.serve({
    ...{ hostname: "127.0.0.1", port: 0, onListen: () => {} },
    cert: await Deno.readTextFile(cert),
    key: await Deno.readTextFile(key),
  }, ({ url }) => new Response(url.includes("/blobs/") ? blob() : null));
  await using registry = openRegistry({ ...quick, tls: { skipVerify: true } });
  let read = 0;
  for await (
    const piece of registry.blob(`127.0.0.1:${server.addr.port}/app:v1`, { ...layer.descriptor, size })
  ) {
    if (read === 0) {
      for (let before = -1; before < sent;) { // until the server is stuck
        before = sent;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      assert(sent < size / 2, `${sent >> 20} MiB are on their way`);
    }
    read += piece.length;
  }
  assertEquals(read, size);
});

tlsTest("a registry may want a certificate of the client", async (authority) => {
  await using server = await LocalRegistry.start({ tls: await authority.sign(), clientCa: authority.cert });
  const { cert, key } = await authority.sign();
  const ca = [await authority.pem()];
  const client = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
  await roundTrip(server, { tls: { ca, client } });
  await roundTrip(server, { tls: { skipVerify: true, client } });
  assertEquals((await failureOf(server, { tls: { ca } })).trouble, "client certificate wanted");
});

tlsTest("plain http where https is spoken, and the reverse, are told", async (authority) => {
  await using server = await LocalRegistry.start({ tls: await authority.sign() });
  assertEquals((await failureOf(server, { plainHttp: true })).trouble, "speaks https");
  await using plain = await LocalRegistry.start();
  const hosts: RegistryOptions["hosts"] = (registry) =>
    Promise.resolve([{
      url: `https://${registry}/v2`,
      capabilities: new Set(["resolve"]),
      tls: {},
      headers: [],
    }]);
  const error = await failureOf(plain, { hosts });
  assertEquals(error.trouble, "speaks http");
  assertStringIncludes(error.message, "it speaks plain http, not https");
  await roundTrip(plain, {}); // on this machine both are tried
});

registryTest("nobody listens is told", async () => {
  await using server = await LocalRegistry.start();
  await server.kill();
  await using registry = openRegistry(quick);
  const refused = await assertRejects(() => registry.resolve(`${server.host}/app:v1`), RegistryError);
  assertEquals([refused.code, refused.reason], [
    "unavailable",
    `registry "${server.host}": connection refused`,
  ]);
});

const isRoot = Deno.uid() === 0; // as who alone one can be without a network
Deno.test({
  name: "a host that does not exist is not looked up again, one that cannot be for now is",
  ignore: !isRoot,
  fn: async () => {
    const resolve = `
    import { openRegistry } from "${new URL("../../../mod.ts", import.meta.url)}";
    let retries = 0;
    await using registry = openRegistry({ retry: { firstWaitMs: 1 }, onRetry: () => retries++ });
    const { code, reason } = await registry.resolve("registry.invalid/app:v1").catch((error) => error);
    console.log(JSON.stringify([code, reason, retries]));`;
    const without = async (...under: string[]) => JSON.parse(await runChild(resolve, { under }));
    const named = 'registry "registry.invalid": ';
    // Without a network there is nobody to ask; without name servers, the name is known not to be.
    assertEquals(await without("unshare", "--net"), [
      ...["unavailable", `${named}its name cannot be looked up for now`, 4],
    ]);
    const switches = await Deno.makeTempFile();
    await Deno.writeTextFile(switches, "hosts: files\n");
    const alone = `mount --bind ${switches} /etc/nsswitch.conf && exec "$@"`;
    assertEquals(await without("unshare", "--net", "--mount", "sh", "-c", alone, "sh"), [
      ...["unavailable", `${named}no such host`, 0],
    ]);
    await Deno.remove(switches);
  },
});
