import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "davit";
import { run } from "../../../cli/app.ts";
import { assertBytes, collected, MiB, randomBlob } from "../../lib/some_blob.ts";
import type { Containerd } from "../../real/containerd.ts";
import type { Output } from "../../real/process.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { CapturedIo } from "../captured_io.ts";

const absent = `sha256:${"0".repeat(64)}`;

/** Runs `content ingest` with bytes on stdin. */
async function ingest(
  containerd: Containerd,
  argv: string[],
  stdin: ReadableStream<Uint8Array> = ReadableStream.from([]),
): Promise<Output> {
  const io = new CapturedIo();
  io.stdin = () => stdin;
  const code = await run(["-a", containerd.address, "content", "ingest", ...argv], io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}

async function withFile(bytes: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "davit-ingest-" });
  try {
    await Deno.writeFile(path, bytes);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

realTest("content ingest writes what ctr reads, and nothing collects it", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const inside = client.namespace(namespace);
  const { bytes, digest, size } = await randomBlob(3 * MiB + 5);
  await withFile(bytes, async (file) => {
    const argv = ["-n", namespace, "a", file, "--label", "owner=ci", "-o", "json"];
    const { code, stdout } = await ingest(containerd, argv);
    assertEquals([code, JSON.parse(stdout)], [0, { digest, size, status: "written" }]);
  });
  await inside.leases.collectGarbage();
  const byCtr = await containerd.ctr(["content", "get", digest], { namespace });
  assertEquals(byCtr.stdout, new TextDecoder().decode(bytes));
  assertBytes(await collected(inside.content.read(digest)), bytes);
  const { labels } = await inside.content.info(digest);
  assertEquals(labels.owner, "ci");
  assert(Math.abs(Date.parse(labels["containerd.io/gc.root"]!) - Date.now()) < 600_000);
  assertEquals(await Array.fromAsync(inside.leases.list()), []);
  assertEquals(await Array.fromAsync(inside.content.listStatuses()), []);
});

realTest("content ingest - reads stdin, and roots what is there already", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const inside = client.namespace(uniqueNamespace());
  const [source, { bytes, digest, size }] = ["stdin", await randomBlob(MiB)];
  await using lease = await inside.leases.acquire({ prefix: "test" });
  const one = await ingest(
    containerd,
    ["-n", inside.name, source, "--lease", lease.id, "-o", "json"],
    ReadableStream.from([bytes.subarray(0, 7), bytes.subarray(7)]),
  );
  assertEquals(JSON.parse(one.stdout), { digest, size, status: "written" });
  assertEquals((await inside.content.info(digest)).labels, {});
  assertEquals(
    (await Array.fromAsync(inside.leases.listResources(lease.id))).filter(({ type }) => type === "content"),
    [{ id: digest, type: "content" }],
  );

  const argv = ["-n", inside.name, source, "-", "--expected-digest", digest, "--expected-size", String(size)];
  const again = await ingest(containerd, [...argv, "-o", "json"], ReadableStream.from([bytes]));
  assertEquals(JSON.parse(again.stdout), { digest, size, status: "exists" });
  await lease[Symbol.asyncDispose]();
  await inside.leases.collectGarbage();
  assertEquals(Object.keys((await inside.content.info(digest)).labels), ["containerd.io/gc.root"]);
});

realTest("content ingest refuses what is not as expected, and leaves nothing", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const inside = client.namespace(uniqueNamespace());
  const there = client.namespace(uniqueNamespace("there"));
  const { bytes, digest } = await randomBlob(MiB);
  const other = await randomBlob(100);
  const labels = { "containerd.io/gc.root": "1" };
  await there.content.ingest({ ref: "x", labels }, ReadableStream.from([other.bytes]));
  const failing = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes),
    pull: (controller) => controller.error(new Error("the source broke")),
  });
  const cases: [flags: string[], source: ReadableStream<Uint8Array>, code: number, reason: string][] = [
    [["--expected-digest", absent], ReadableStream.from([bytes]), 5, `the bytes have digest ${digest}, not`],
    [["--expected-digest", other.digest], ReadableStream.from([bytes]), 5, `not ${other.digest}`],
    [["--expected-size", "7"], ReadableStream.from([bytes]), 5, "Cannot write ingest"],
    [["--expected-size", String(2 * MiB)], ReadableStream.from([bytes]), 5, "Cannot write ingest"],
    [["--expected-digest", "sha256:bogus"], ReadableStream.from([bytes]), 2, "Cannot parse digest"],
    [["--lease", "none"], ReadableStream.from([bytes]), 4, "lease"],
    [[], failing, 1, "the source broke"],
  ];
  for (const [flags, source, code, reason] of cases) {
    const ended = await ingest(containerd, ["-n", inside.name, "x", ...flags], source);
    assertEquals([ended.code, ended.stdout], [code, ""], `${flags}: ${ended.stderr}`);
    assertStringIncludes(ended.stderr, reason);
    assertEquals(await Array.fromAsync(inside.content.listStatuses()), [], String(flags));
    assertEquals(await Array.fromAsync(inside.content.list()), []);
    assertEquals(await Array.fromAsync(inside.leases.list()), []);
  }
  for (
    const [path, code, reason] of [["/no/such", 4, "no such file"], ["/tmp", 2, "it is a folder"]] as const
  ) {
    const ended = await ingest(containerd, ["-n", inside.name, "x", path]);
    assertEquals(ended.code, code);
    assertStringIncludes(ended.stderr, `Cannot read file "${path}": ${reason}\n`);
  }
});

realTest("content ingest that runs out of time leaves nothing", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const inside = client.namespace(uniqueNamespace());
  const silent = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(2 * MiB)),
    pull: () => new Promise(() => {}),
  });
  const { code } = await ingest(containerd, ["-n", inside.name, "x", "--timeout", "500ms"], silent);
  assertEquals(code, 8);
  assertEquals(await Array.fromAsync(inside.content.listStatuses()), []);
  assertEquals(await Array.fromAsync(inside.leases.list()), []);
}, { series: ["2"] });
