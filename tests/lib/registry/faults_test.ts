import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RegistryError } from "../../../lib/registry/failure.ts";
import { openRegistry, type RegistryOptions } from "../../../lib/registry/registry.ts";
import type { Retry } from "../../../lib/registry/retry.ts";
import { HttpProxy, stalled, truncated } from "../../fault/http_proxy.ts";
import { buildImage, type Image } from "../../real/image_builder.ts";
import { collect, describe, type Descriptor, randomChunks, randomLayer } from "../../real/layers.ts";
import { LocalRegistry, registryTest } from "../../real/registry.ts";
import { bytesOf, pushImage, sourceOf } from "./images.ts";

const quick: RegistryOptions = { retry: { attempts: 3, firstWaitMs: 1 }, stallMs: 20_000, plainHttp: true };
const layer = await randomLayer(1_500_000, 7);
const { descriptor: blob, bytes: blobBytes } = layer;

/** A registry with one image, and a proxy before it. */
async function stage(): Promise<
  AsyncDisposable & { server: LocalRegistry; proxy: HttpProxy; name: string; image: Image }
> {
  const server = await LocalRegistry.start();
  const proxy = HttpProxy.start(server.url);
  const name = `${proxy.host}/app:v1`;
  const image = await buildImage({ name, layers: [layer] });
  await using registry = openRegistry(quick);
  await pushImage(registry, name, image);
  proxy.requests.length = 0;
  return {
    ...{ server, proxy, name, image },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Does something else with the first request that matches. */
function once(pattern: RegExp, answer: HttpProxy["fault"]): HttpProxy["fault"] {
  let isOver = false;
  return (request, forward) => {
    if (isOver || !pattern.test(`${request.method} ${request.path}`)) return undefined;
    isOver = true;
    return answer(request, forward);
  };
}

async function failureOf(work: Promise<unknown>): Promise<RegistryError> {
  return await assertRejects(() => work, RegistryError);
}

registryTest("a registry that is busy is asked again when it wants to be", async () => {
  await using scene = await stage();
  const retries: Retry[] = [];
  await using registry = openRegistry({ ...quick, onRetry: (retry) => retries.push(retry) });
  scene.proxy.fault = once(
    /manifests/,
    () => new Response(null, { status: 429, headers: { "retry-after": "1" } }),
  );
  const { descriptor } = await registry.resolve(scene.name);
  assertEquals(descriptor.digest, scene.image.target.digest);
  assertEquals(retries.map(({ host, attempts }) => ({ host, attempts })), [{
    host: scene.proxy.host,
    attempts: 1,
  }]);
  assert(retries[0]!.waitMs >= 1000);

  scene.proxy.fault = once(/manifests/, () => new Response(null, { status: 503 }));
  assertEquals((await registry.resolve(scene.name)).descriptor, descriptor);
});

registryTest("a registry that is busy for longer than anybody waits is an error at once", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  scene.proxy.fault = () => new Response(null, { status: 429, headers: { "retry-after": "3600" } });
  const error = await failureOf(registry.resolve(scene.name));
  assertEquals([error.code, error.trouble], ["resource_exhausted", "rate limited"]);
  assertStringIncludes(error.message, "3600 s");
  assertEquals(scene.proxy.seen(/manifests/).length, 1);
});

registryTest("a registry that stays broken is asked a bounded number of times", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  scene.proxy.fault = () => new Response("boom", { status: 503, headers: { "content-type": "text/plain" } });
  const error = await failureOf(registry.resolve(scene.name));
  assertEquals([error.code, error.status], ["unavailable", 503]);
  assertEquals(scene.proxy.seen(/manifests/).length, 3);
});

registryTest("a blob that breaks off goes on from there, each byte once", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  let cuts = 0;
  scene.proxy.fault = async ({ path }, forward) =>
    /blobs/.test(path) && ++cuts <= 4 ? truncated(await forward(), 300_000) : undefined;
  assertEquals(await bytesOf(registry.blob(scene.name, blob)), blobBytes);
  const starts = scene.proxy.seen(/GET .*blobs/).map(({ headers }) =>
    Number(/\d+/.exec(headers.get("range") ?? "0"))
  );
  // More losses in a row than there are attempts, but each brought something.
  assertEquals(starts.length, 5);
  assertEquals(starts, starts.toSorted((a, b) => a - b));
  assert(starts[4]! > 600_000 && starts[4]! <= 1_200_000, `${starts}`);
});

registryTest("a blob that stalls goes on from there", async () => {
  await using scene = await stage();
  await using registry = openRegistry({ ...quick, stallMs: 1000 });
  scene.proxy.fault = once(/blobs/, async (_, forward) => stalled(await forward(), 500_000));
  assertEquals(await bytesOf(registry.blob(scene.name, blob)), blobBytes);
  assertEquals(scene.proxy.seen(/GET .*blobs/).length, 2);
});

registryTest("a registry that never answers is an error that says so", async () => {
  await using scene = await stage();
  const retry = { attempts: 2, firstWaitMs: 1 };
  await using registry = openRegistry({ ...quick, retry, stallMs: 200 });
  const { promise, resolve } = Promise.withResolvers<Response>();
  scene.proxy.fault = () => promise;
  const error = await failureOf(registry.resolve(scene.name));
  assertEquals(error.code, "deadline_exceeded");
  assertStringIncludes(error.message, "nothing came for 200 ms");
  resolve(new Response());
});

registryTest("a registry that ignores ranges still gives each byte once", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  scene.proxy.fault = async ({ method, path, headers }, forward) => {
    if (method !== "GET" || !/blobs/.test(path)) return undefined;
    const isFirst = headers.get("range") === null;
    headers.delete("range");
    return isFirst ? truncated(await forward(), 400_000) : await forward();
  };
  assertEquals(await bytesOf(registry.blob(scene.name, blob)), blobBytes);
  assertEquals(scene.proxy.seen(/GET .*blobs/).length, 2);
});

registryTest("a registry that sends another part, or another size, is an error", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  const answer = (headers: HeadersInit) =>
    once(/GET .*blobs/, () => new Response("abc", { status: 206, headers }));
  scene.proxy.fault = answer({ "content-range": `bytes 9-${blob.size - 1}/${blob.size}` });
  const part = await failureOf(bytesOf(registry.blob(scene.name, blob, { offset: 5 })));
  assertEquals([part.code, /another part/.test(part.message)], ["data_loss", true]);
  scene.proxy.fault = answer({ "content-range": `bytes 5-7/8` });
  const size = await failureOf(bytesOf(registry.blob(scene.name, blob, { offset: 5 })));
  assertEquals([size.code, /has 8 bytes/.test(size.message)], ["data_loss", true]);
  scene.proxy.fault = () => undefined;
  const none = await failureOf(
    bytesOf(registry.blob(scene.name, { ...blob, size: blob.size + 1 }, { offset: blob.size })),
  );
  assertEquals(none.code, "data_loss");
  assertEquals(await bytesOf(registry.blob(scene.name, blob, { offset: blob.size })), new Uint8Array());
});

registryTest("a manifest of another digest is refused", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  const { descriptor } = await registry.resolve(scene.name);
  scene.proxy.fault = async (_, forward) => {
    const answer = await forward();
    const text = (await answer.text()).replace("{", " {").slice(0, -1) + "\n";
    return new Response(text.replace(" {", "{}").slice(0, descriptor.size), { headers: answer.headers });
  };
  const error = await failureOf(registry.manifest(scene.name, descriptor));
  assertEquals(error.code, "data_loss");
});

registryTest(
  "a registry that does not know HEAD, or names no digest, is asked for the manifest itself",
  async () => {
    await using scene = await stage();
    await using registry = openRegistry(quick);
    scene.proxy.fault = ({ method }) => method === "HEAD" ? new Response(null, { status: 405 }) : undefined;
    assertEquals((await registry.resolve(scene.name)).descriptor.digest, scene.image.target.digest);
    scene.proxy.fault = async (_, forward) => {
      const answer = await forward();
      answer.headers.delete("docker-content-digest");
      return answer;
    };
    assertEquals((await registry.resolve(scene.name)).descriptor.digest, scene.image.target.digest);
  },
);

registryTest("docker's schema 1 is refused in words", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  const headers = { "content-type": "application/vnd.docker.distribution.manifest.v1+prettyjws" };
  scene.proxy.fault = () => new Response('{"schemaVersion":1,"fsLayers":[]}', { headers });
  const error = await failureOf(registry.resolve(scene.name));
  assertEquals([error.code, error.trouble], ["unimplemented", "schema 1"]);
});

registryTest("a blob outlives the death of its registry", async () => {
  await using scene = await stage();
  const retry = { attempts: 8, firstWaitMs: 50 };
  const name = `${scene.server.host}/app:v1`;
  let revived: Promise<void> | undefined;
  await using registry = openRegistry({ retry, onRetry: () => void (revived ??= scene.server.restart()) });
  const big = await someBlob(20_000_000);
  await (await registry.pushTo(name)).upload(big.descriptor, sourceOf(big.bytes));
  const pieces: Uint8Array[] = [];
  for await (const piece of registry.blob(name, big.descriptor)) {
    if (pieces.push(piece) === 1) await scene.server.kill();
  }
  await revived;
  assert(revived !== undefined);
  assertEquals(await bytesOf(fromPieces(pieces)), big.bytes);
});

registryTest("an upload outlives the death of its registry", async () => {
  await using scene = await stage();
  await using registry = openRegistry({ retry: { attempts: 8, firstWaitMs: 50 } });
  const { bytes, descriptor } = await someBlob(6_000_000);
  const offsets: number[] = [];
  const source = async function* (offset: number) {
    offsets.push(offset);
    let given = 0;
    for await (const piece of sourceOf(bytes, 100_000)(offset)) {
      yield piece;
      given += piece.length;
      if (offsets.length > 1 || given < 3_000_000) continue;
      await scene.server.kill();
      await scene.server.restart();
    }
  };
  const target = await registry.pushTo(`${scene.server.host}/app:v1`);
  assertEquals((await target.upload(descriptor, source)).status, "uploaded");
  assertEquals(offsets, [0, 0]); // docker-registry drops what it has of such an upload
  assertEquals(await Deno.readFile(scene.server.blobFile(descriptor.digest)), bytes);
});

registryTest("an upload that is cut off goes on with what a registry kept of it", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  const { bytes, descriptor } = await someBlob(3_000_000);
  const kept: Uint8Array[] = [];
  const ranges: [seen: string | null, expected: string | null][] = [];
  // As the specification has it, and docker-registry has not.
  scene.proxy.fault = async ({ method, headers, body }) => {
    const location = `/v2/app/blobs/uploads/1?from=${kept.length}`;
    if (method === "HEAD") return new Response(null, { status: 404 });
    if (method === "POST") return new Response(null, { status: 202, headers: { location } });
    const size = kept.reduce((sum, { length }) => sum + length, 0);
    const range = `0-${size - 1}`;
    if (method === "GET") return new Response(null, { status: 204, headers: { location, range } });
    if (method === "PUT") return new Response(null, { status: 201 });
    ranges.push([headers.get("content-range"), size > 0 ? `${size}-${bytes.length - 1}` : null]);
    let took = 0;
    for await (const piece of body!) {
      kept.push(piece);
      took += piece.length;
      if (size === 0 && took > 1_000_000) return new Response(null, { status: 502 });
    }
    return new Response(null, { status: 202, headers: { location } });
  };
  const target = await registry.pushTo(scene.name);
  assertEquals((await target.upload(descriptor, sourceOf(bytes))).status, "uploaded");
  assertEquals(await bytesOf(fromPieces(kept)), bytes);
  assertEquals(ranges.length, 2);
  for (const [seen, expected] of ranges) assertEquals(seen, expected);
});

registryTest("an upload that the registry has forgotten begins anew", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  const { bytes, descriptor } = await someBlob(2_000_000);
  scene.proxy.fault = once(/^PUT/, () => new Response(null, { status: 404 }));
  const target = await registry.pushTo(scene.name);
  const { status } = await target.upload(descriptor, sourceOf(bytes));
  assertEquals(status, "uploaded");
  assertEquals(await Deno.readFile(scene.server.blobFile(descriptor.digest)), bytes);
});

registryTest("an upload of the wrong bytes is refused by the registry, and its session closed", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  const target = await registry.pushTo(scene.name);
  const digest = `sha256:${"0".repeat(64)}`;
  const upload = target.upload({ mediaType: "a/b", digest, size: 3 }, sourceOf(new Uint8Array(3)));
  const error = await failureOf(upload);
  assertEquals(error.code, "invalid_argument");
  assertStringIncludes(error.message, `Cannot push image "${scene.name}"`);
  assertEquals(scene.proxy.seen(/^DELETE/).length, 1);
});

registryTest("a manifest whose answer is lost is put again, and its outcome unknown in the end", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  const target = await registry.pushTo(scene.name);
  const { digest, mediaType } = scene.image.target;
  const put = () => target.putManifest(scene.image.blobs.get(digest)!, { digest, mediaType, tag: "v2" });
  scene.proxy.fault = once(/^PUT/, async (_, forward) => {
    await (await forward()).body?.cancel();
    return new Response(null, { status: 502 });
  });
  await put();
  scene.proxy.fault = () => new Response(null, { status: 502 });
  const error = await failureOf(put());
  assertEquals([error.code, error.outcome], ["unavailable", "unknown"]);
  assertStringIncludes(error.message, "outcome unknown");
  await scene.server.kill();
  await using unreachable = openRegistry(quick);
  const refused = await failureOf((await unreachable.pushTo(`${scene.server.host}/app:v1`)).putManifest(
    new Uint8Array(),
    { digest, mediaType },
  ));
  assertEquals([refused.code, refused.outcome], ["unavailable", "not sent"]);
});

registryTest("an error of the source of an upload stays what it is", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  const target = await registry.pushTo(scene.name);
  // deno-lint-ignore require-yield
  const source = async function* () {
    await Promise.resolve();
    throw new EvalError("the disk is gone");
  };
  const digest = `sha256:${"0".repeat(64)}`;
  await assertRejects(() => target.upload({ mediaType: "a/b", digest, size: 3_000_000 }, source), EvalError);
});

registryTest("a blob of another repository is taken over without sending it", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  const target = await registry.pushTo(`${scene.proxy.host}/other:v1`);
  const upload = await target.upload(blob, () => assert(false) as never, { mountFrom: "app" });
  assertEquals(upload, { status: "mounted", sentBytes: 0 });
  assertEquals(await target.exists(blob), true);
  assertEquals(await target.upload(blob, () => assert(false) as never), { status: "exists", sentBytes: 0 });
});

registryTest("what does not exist is not found, and what is cancelled stops", async () => {
  await using scene = await stage();
  await using registry = openRegistry(quick);
  const error = await failureOf(registry.resolve(`${scene.proxy.host}/app:v2`));
  assertEquals(error.code, "not_found");
  assertEquals(
    error.message,
    `Cannot pull image "${scene.proxy.host}/app:v2": not found in registry "${scene.proxy.host}"`,
  );
  const controller = new AbortController();
  const reason = new Error("enough");
  const reading = async () => {
    for await (const _ of registry.blob(scene.name, blob, { signal: controller.signal })) {
      controller.abort(reason);
    }
  };
  assertEquals(await reading().catch((error) => error), reason);
});

registryTest(
  "a wait for a busy registry ends when it is cancelled, and when the registry is closed",
  async () => {
    await using scene = await stage();
    const waiting = Promise.withResolvers<void>();
    let retries = 0;
    const onRetry = () => {
      retries++;
      waiting.resolve();
    };
    const registry = openRegistry({ ...quick, onRetry });
    scene.proxy.fault = () => new Response(null, { status: 503, headers: { "retry-after": "50" } });
    const controller = new AbortController();
    const reason = new Error("enough");
    const cancelled = registry.resolve(scene.name, { signal: controller.signal }).catch((error) => error);
    await waiting.promise;
    controller.abort(reason);
    assertEquals(await cancelled, reason);
    const closed = registry.resolve(scene.name).catch((error) => error.name);
    while (retries < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await registry[Symbol.asyncDispose]();
    assertEquals(await closed, "AbortError");
  },
);

registryTest("a blob that is read ends when the registry is closed", async () => {
  await using scene = await stage();
  const registry = openRegistry(quick);
  scene.proxy.fault = async (_, forward) => stalled(await forward(), 100_000);
  const reading = bytesOf(registry.blob(scene.name, blob)).catch((error) => error.name);
  while (scene.proxy.seen(/GET .*blobs/).length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await registry[Symbol.asyncDispose]();
  assertEquals(await reading, "AbortError");
});

async function someBlob(size: number): Promise<{ bytes: Uint8Array; descriptor: Descriptor }> {
  const bytes = await collect(ReadableStream.from(randomChunks(size, size)));
  return { bytes, descriptor: await describe("application/octet-stream", bytes) };
}

async function* fromPieces(pieces: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}
