import { assertEquals, assertRejects } from "@std/assert";
import { FailedPreconditionError, type NamespacedClient, UnavailableError } from "davit";
import { NamespacedClient as Bound } from "../../lib/client.ts";
import type { Transport } from "../../lib/host.ts";
import { guarded, openSocket } from "../../lib/host.ts";
import { Scope } from "../../lib/scope.ts";
import { type Bytes, randomChunks, sha256 } from "../real/layers.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";
import { serviceTest } from "./both_transports.ts";
import { randomBlob } from "./some_blob.ts";

serviceTest(
  "content.ingest() resolves to the digest that containerd computes",
  async ({ namespaced }) => {
    await using lease = await namespaced.leases.acquire({ prefix: "test" }); // the collector may come at any moment
    const { content } = namespaced.withLease(lease.id);
    for (const size of [0, 1, (1 << 20) - 1, 1 << 20, (5 << 20) + 3]) {
      const bytes = random(size);
      const digest = await sha256(bytes);
      const ref = `of-${size}`;
      assertEquals(await content.ingest({ ref, size }, pieces(bytes, 70_000)), {
        digest,
        existed: false,
        sentBytes: size,
      });
      assertEquals((await content.info(digest)).size, size);
      assertEquals(await content.ingest({ ref, size }, pieces(bytes, 1 << 22)), {
        digest,
        existed: true,
        sentBytes: size,
      });
    }
    assertEquals(await refs(content), []);
  },
);

serviceTest("content.ingest() holds by its lease what was there before", async ({ namespaced }) => {
  const bytes = random(1_000);
  const one = await namespaced.leases.acquire({ prefix: "one" });
  const { digest } = await namespaced.withLease(one.id).content.ingest(
    { ref: "a", size: 1_000 },
    pieces(bytes),
  );
  await using two = await namespaced.leases.acquire({ prefix: "two" });
  const again = await namespaced.withLease(two.id).content.ingest({ ref: "a", size: 1_000 }, pieces(bytes));
  assertEquals(again.existed, true);
  await one[Symbol.asyncDispose]();
  await namespaced.leases.collectGarbage();
  assertEquals((await namespaced.content.info(digest)).size, 1_000);
});

serviceTest(
  "content.ingest() aborts a source of another size, and starts anew under the same ref",
  async ({ namespaced: { content } }) => {
    const bytes = random(3_000_000);
    for (const size of [bytes.length - 1, bytes.length + 1]) {
      await assertRejects(() => content.ingest({ ref: "a", size }, pieces(bytes)));
      assertEquals(await refs(content), []);
    }
    const failure = new Error("no more");
    const failing = async function* () {
      yield bytes.subarray(0, 2_000_000);
      throw failure;
    };
    assertEquals(
      await assertRejects(() => content.ingest({ ref: "a", size: bytes.length }, failing())),
      failure,
    );
    assertEquals(await refs(content), []);
  },
);

serviceTest(
  "content.ingest() takes bytes of which nothing is known before",
  async ({ namespaced: { content } }) => {
    for (const size of [0, 1, (2 << 20) + 3]) {
      const bytes = random(size, 4);
      const digest = await sha256(bytes);
      const written = await content.ingest({ ref: "a", expected: digest }, pieces(bytes, 70_000));
      assertEquals(written, { digest, existed: false, sentBytes: size });
      assertEquals((await content.info(digest)).size, size);
    }
    assertEquals(await refs(content), []);
  },
);

serviceTest(
  "content.ingest() refuses bytes of another digest, be that there or not",
  async ({ namespaced }) => {
    const { content } = namespaced;
    const bytes = random(1_000, 5);
    await using lease = await namespaced.leases.acquire({ prefix: "test" });
    const { digest } = await namespaced.withLease(lease.id).content.ingest(
      { ref: "a" },
      pieces(random(10, 6)),
    );
    for (const expected of [digest, `sha256:${"0".repeat(64)}`]) {
      const { message } = await assertRejects(
        () => content.ingest({ ref: "a", expected }, pieces(bytes)),
        FailedPreconditionError,
      );
      assertEquals(
        message.endsWith(`the bytes have digest ${await sha256(bytes)}, not ${expected}`),
        true,
        message,
      );
      assertEquals([await refs(content), await content.find(await sha256(bytes))], [[], undefined]);
    }
    await assertRejects(() => content.ingest({ ref: "a", expected: "sha256:0" }, pieces(bytes)), SyntaxError);
  },
);

serviceTest(
  "content.write() leaves alone the write of somebody else under the same ref",
  async ({ namespaced }) => {
    const { content } = namespaced;
    await using lease = await namespaced.leases.acquire({ prefix: "first" });
    const { bytes, ...blob } = await randomBlob(4_000_000);
    const [halfway, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = namespaced.withLease(lease.id).content.write(blob, async function* () {
      yield bytes.subarray(0, 2 << 20);
      halfway.resolve();
      await goOn.promise;
      yield bytes.subarray(2 << 20);
    });
    await halfway.promise;
    while ((await refs(content)).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [ref] = await refs(content);
    await assertRejects(
      () => content.write({ ...blob, ref: ref! }, () => pieces(bytes)),
      UnavailableError,
      "locked",
    );
    assertEquals(await content.share(blob), "absent");
    assertEquals(await content.write(blob, () => pieces(bytes)), {
      digest: blob.digest,
      existed: false,
      sentBytes: bytes.length,
    });
    goOn.resolve();
    assertEquals((await first).existed, true);
    await namespaced.leases.collectGarbage();
    assertEquals((await content.info(blob.digest)).size, blob.size, "the lease holds what was there first");
    assertEquals(await refs(content), []);
  },
);

serviceTest(
  "content.write() refuses bytes of another digest and leaves nothing",
  async ({ namespaced: { content } }) => {
    const bytes = random(2_000_000);
    const blob = { digest: await sha256(bytes), size: bytes.length };
    await assertRejects(() => content.write(blob, () => pieces(random(2_000_000, 2))), Error, "digest");
    assertEquals([await refs(content), await content.find(blob.digest)], [[], undefined]);
  },
);

serviceTest(
  "content.write() waits for a slow source longer than for containerd",
  async ({ namespaced: { content } }) => {
    const { bytes, ...blob } = await randomBlob(2 << 20);
    const slow = async function* () {
      for (let at = 0; at < bytes.length; at += 1 << 20) {
        await new Promise((resolve) => setTimeout(resolve, 700));
        yield bytes.subarray(at, at + (1 << 20));
      }
    };
    assertEquals((await content.write(blob, slow, { timeoutMs: 500 })).sentBytes, bytes.length);
  },
  { series: ["2"] },
);

serviceTest(
  "content.write() ends with the reason of its signal while its source is silent",
  async ({ namespaced: { content } }) => {
    const controller = new AbortController();
    const silent = async function* () {
      yield new Uint8Array(2 << 20);
      setTimeout(() => controller.abort(new Error("enough")), 50);
      await new Promise(() => {});
    };
    const blob = { digest: `sha256:${"a".repeat(64)}`, size: 3 << 20 };
    await assertRejects(() => content.write(blob, silent, { signal: controller.signal }), Error, "enough");
    assertEquals(await refs(content), []);
  },
);

realTest("content.write() gathers small pieces into few messages", async (_t, containerd) => {
  await using transport = guarded(await openSocket({ path: containerd.address }));
  let messages = 0;
  const counting: Transport = {
    unary: (...call) => transport.unary(...call),
    stream(method, requests, call) {
      const counted = async function* () {
        for await (const request of requests) {
          messages++;
          yield request;
        }
      };
      return transport.stream(method, counted(), call);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const { content } = new Bound(new Scope(counting, { namespace: uniqueNamespace() }));
  const bytes = random((3 << 20) + 5);
  await content.ingest({ ref: "a", size: bytes.length }, pieces(bytes, 1_000));
  assertEquals(messages, 1 + 4 + 1);
});

function random(length: number, seed = 1): Bytes {
  const [bytes = new Uint8Array()] = length === 0 ? [] : [...randomChunks(1 << 20, seed)];
  const all = new Uint8Array(length);
  for (let at = 0; at < length; at += bytes.length) all.set(bytes.subarray(0, length - at), at);
  return all;
}

async function* pieces(bytes: Bytes, pieceBytes = 1 << 20): AsyncIterable<Bytes> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function refs(content: NamespacedClient["content"]): Promise<string[]> {
  return await Array.fromAsync(content.listStatuses(), ({ ref }) => ref);
}
