import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { createHash } from "node:crypto";
import { ContainerdError, OutcomeUnknownError } from "../../lib/errors.ts";
import { type Cut, Relay } from "../fault/relay.ts";
import { Containerd } from "../real/containerd.ts";
import { randomChunks } from "../real/layers.ts";
import { run } from "../real/process.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";
import { clientOver, daemonTest, everyWay, transportTest } from "./both_transports.ts";
import { assertBytes, collected, leased, MiB, pieces, randomBlob } from "./some_blob.ts";

transportTest("content.write() goes on where an earlier write was cut off", async ({ containerd, over }) => {
  await using client = await clientOver(over, containerd.address);
  const { leases, name } = client.namespace("n");
  await leases.create({ id: "l" });
  const { content } = client.namespace(name).withLease("l");
  const { bytes, digest, size } = await randomBlob(8 * MiB);
  const half = 4 * MiB;
  const lost = await assertRejects(() =>
    content.write({ digest, size }, async function* () {
      yield bytes.subarray(0, half);
      let ingest;
      do {
        await wait(5);
        [ingest] = await Array.fromAsync(content.listStatuses());
      } while (ingest?.offset !== half);
      assertEquals(ingest.total, size);
      assertEquals(await content.status(ingest.ref), ingest);
      containerd.kill();
      await containerd.exited();
      yield bytes.subarray(half);
    }), ContainerdError);
  assertEquals(lost.code, "unavailable");
  await containerd.restart();
  const [ingest] = await Array.fromAsync(content.listStatuses());
  assertEquals(ingest?.offset, half);
  const written = await content.write({ digest, size }, (offset) => pieces(bytes.subarray(offset)));
  assertEquals(written, { digest, existed: false, sentBytes: size - half });
  assertBytes(await collected(content.read(digest)), bytes);
  assertEquals(await Array.fromAsync(content.listStatuses()), []);
  await wait(300); // grpc-js lets timers run that belonged to attempts to connect
}, { fresh: true });

transportTest(
  "content.write() notices at once that containerd dies while its source is silent",
  async ({ containerd, over }) => {
    await using client = await clientOver(over, containerd.address);
    const { content } = client.namespace("n");
    const { bytes, digest, size } = await randomBlob(2 * MiB);
    let diedAt = Infinity;
    const silent = async function* () {
      yield bytes.subarray(0, MiB);
      while ((await Array.fromAsync(content.listStatuses()))[0]?.offset !== MiB) await wait(5);
      containerd.kill();
      await containerd.exited();
      diedAt = performance.now();
      await new Promise(() => {});
    };
    const lost = await assertRejects(
      () => content.write({ digest, size }, silent, { signal: AbortSignal.timeout(20_000) }),
      ContainerdError,
    );
    assertEquals(lost.code, "unavailable");
    assert(performance.now() - diedAt < 5_000);
    await containerd.restart();
    const written = await content.write({ digest, size }, (offset) => pieces(bytes.subarray(offset)));
    assertEquals(written, { digest, existed: false, sentBytes: MiB });
    await wait(300); // grpc-js lets timers run that belonged to attempts to connect
  },
  { fresh: true, ways: everyWay, series: ["2"] },
);

transportTest(
  "content.write() waits for a containerd that hangs as long as for any call",
  async ({ containerd, over }) => {
    await using client = await clientOver(over, containerd.address);
    const { content } = client.namespace("n");
    const { bytes, ...blob } = await randomBlob(2 * MiB);
    const source = async function* () {
      yield bytes.subarray(0, MiB);
      while ((await Array.fromAsync(content.listStatuses()))[0]?.offset !== MiB) await wait(5);
      containerd.freeze();
      yield bytes.subarray(MiB);
    };
    try {
      const hung = await assertRejects(
        () => content.write(blob, source, { timeoutMs: 500 }),
        ContainerdError,
      );
      assertEquals([hung.code, hung.reason], ["deadline_exceeded", "no answer within 500 ms"]);
    } finally {
      containerd.thaw();
    }
  },
  { fresh: true, ways: everyWay, series: ["2"] },
);

daemonTest(
  "content.readSmall() notices bytes that are not those of the digest",
  async ({ namespaced, containerd }) => {
    await using held = await leased(namespaced);
    const { content } = held;
    const { bytes, digest, size } = await randomBlob(2 * MiB);
    await content.write({ digest, size }, () => pieces(bytes));
    const file = join(containerd.contentDir, digest.replace(":", "/"));
    const damages: [string, Uint8Array][] = [
      [`${MiB} bytes instead of ${size}`, bytes.subarray(0, MiB)],
      ["0 bytes instead of", new Uint8Array()],
      ["another digest", Uint8Array.from(bytes, (byte, index) => index === 5 ? byte ^ 1 : byte)],
    ];
    for (const [reason, damaged] of damages) {
      await Deno.writeFile(file, damaged);
      const error = await assertRejects(() => content.readSmall({ digest, size }), ContainerdError, reason);
      assertEquals([error.code, error.outcome], ["data_loss", "no effect"]);
    }
    await Deno.writeFile(file, bytes);
    assertBytes(await content.readSmall({ digest, size }), bytes);
    await assertRejects(
      () => content.readSmall({ digest, size: size - 1 }),
      ContainerdError,
      `${size} bytes instead`,
    );
    await assertRejects(
      () => content.readSmall({ digest, size: 8 * MiB + 1 }),
      RangeError,
      "more than 8388608",
    );
  },
);

realTest(
  "a small read or a share that is cut off never looks whole",
  async (_, containerd) => {
    const namespace = uniqueNamespace();
    await using direct = await clientOver("http2", containerd.address);
    await using held = await leased(direct.namespace(namespace));
    const { bytes, digest, size } = await randomBlob(100_000);
    await held.content.write({ digest, size }, () => pieces(bytes));
    const places: Cut["at"][] = ["request", "answer", "headers", "message"];
    const ends: Cut["by"][] = ["eof", "reset", "cancel", "noError"];
    for (const cut of places.flatMap((at) => ends.map((by) => ({ at, by })))) {
      await using relay = await Relay.start(containerd.address);
      await using client = await clientOver("http2", relay.path);
      const what = `${cut.at} ${cut.by}`;
      const reading = relay.cutNext(cut);
      await assertRejects(
        () => client.namespace(namespace).content.readSmall({ digest, size }),
        ContainerdError,
      );
      assertEquals(reading.seen, 1, what);

      const target = direct.namespace(uniqueNamespace("target")).withLease("l");
      await target.leases.create({ id: "l" });
      relay.cutNext(cut);
      const { content } = client.namespace(target.name).withLease("l");
      const error = await content.share({ digest, size }).catch((error) => error);
      const there = await target.content.find(digest) !== undefined;
      assertEquals(there, cut.at !== "request", what);
      if (error !== "shared") assertInstanceOf(error, OutcomeUnknownError, what);
      else assert(there && cut.at === "message", what);
    }
  },
);

realTest("content: what has been written or read is let go of", async (_, containerd) => {
  await using client = await clientOver("http2", containerd.address);
  await using held = await leased(client.namespace(uniqueNamespace()));
  const [chunk = new Uint8Array()] = randomChunks(MiB, 7);
  const size = 256 * MiB;
  const hash = createHash("sha256");
  for (let at = 0; at < size; at += MiB) hash.update(chunk);
  const digest = `sha256:${hash.digest("hex")}`;

  const before = Deno.memoryUsage().external;
  let most = 0;
  const watch = () => most = Math.max(most, Deno.memoryUsage().external - before);
  const chunks = async function* () {
    for (let at = 0; at < size; at += MiB) {
      watch();
      yield chunk.slice();
    }
  };
  assertEquals((await held.content.write({ digest, size }, chunks)).sentBytes, size);
  const read = createHash("sha256");
  for await (const bytes of held.content.read(digest)) {
    watch();
    read.update(bytes);
  }
  assertEquals(`sha256:${read.digest("hex")}`, digest);
  // What is let go of may still wait to be collected.
  assert(most < size * 3 / 4, `${most} bytes`);
}, { series: ["2"] });

realTest("content.write() gives back the space when there is not enough", async (_, { release }) => {
  const root = await Deno.makeTempDir({ prefix: "davit-full-" });
  await run("mount", ["-t", "tmpfs", "-o", "size=24m", "davit-full", root]);
  await using containerd = await Containerd.start(release, { root });
  await using client = await clientOver("http2", containerd.address);
  const { content } = client.namespace("n");
  const { bytes, digest, size } = await randomBlob(32 * MiB);
  const error = await assertRejects(
    () => content.write({ digest, size }, () => pieces(bytes)),
    ContainerdError,
  );
  assertEquals([error.code, /no space left/.test(error.reason)], ["unknown", true]);
  assertEquals(await Array.fromAsync(content.listStatuses()), []);
  const small = await randomBlob(8 * MiB);
  await content.write(small, () => pieces(small.bytes));
});

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
