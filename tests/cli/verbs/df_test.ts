import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "davit";
import type { Containerd } from "../../real/containerd.ts";
import {
  busyboxImage,
  collectGarbage,
  type Image,
  importWithCtr,
  ociArchive,
  randomImage,
} from "../../real/images.ts";
import { run } from "../../real/process.ts";
import { realTest } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("df is exact, and counts what namespaces share once", async (_t, containerd) => {
  const shared = await randomImage({ seed: 61, layerBytes: 100_000 });
  const own = await randomImage({ seed: 62, layerBytes: 30_000 });
  const busybox = await busyboxImage();
  await importWithCtr(containerd, "one", ociArchive([shared, own]));
  await importWithCtr(containerd, "two", ociArchive([shared, busybox]), { unpack: true });
  await containerd.ctr(["run", "--detach", busybox.name, "c", "sh", "-c", "echo x > /big; sleep 600"], {
    namespace: "two",
  });
  await containerd.ctr(["snapshots", "--snapshotter", "native", "prepare", "other"], { namespace: "two" });
  await containerd.ctr(["namespaces", "create", "void"]);
  await using writing = await openIngest(containerd, "one");
  await collectGarbage(containerd, "one");
  const df = async (...argv: string[]) =>
    JSON.parse((await davit(containerd, ["df", "-o", "json", ...argv])).stdout);

  const overlayfs = await snapshotsOfCtr(containerd, "overlayfs");
  const native = await snapshotsOfCtr(containerd, "native");
  const nothing = {
    blobs: 0,
    uniqueBytes: 0,
    sharedBytes: 0,
    snapshots: 0,
    snapshotBytes: 0,
    ingests: 0,
    ingestBytes: 0,
  };
  const free = { garbageBytes: 0, unusedBytes: 0 };
  const one = {
    ...free,
    namespace: "one",
    images: 2,
    blobs: shared.blobs.size + own.blobs.size,
    uniqueBytes: bytesOf(own),
    sharedBytes: bytesOf(shared),
    snapshots: 0,
    snapshotBytes: 0,
    ingests: 1,
    ingestBytes: writing.bytes,
    bytes: bytesOf(own) + bytesOf(shared) + writing.bytes,
  };
  const snapshotBytes = overlayfs.bytes + native.bytes;
  const two = {
    ...free,
    namespace: "two",
    images: 2,
    blobs: shared.blobs.size + busybox.blobs.size,
    uniqueBytes: bytesOf(busybox),
    sharedBytes: bytesOf(shared),
    snapshots: overlayfs.count + native.count,
    snapshotBytes,
    ingests: 0,
    ingestBytes: 0,
    bytes: bytesOf(busybox) + bytesOf(shared) + snapshotBytes,
  };
  const empty = { namespace: "void", images: 0, ...nothing, bytes: 0, ...free };
  const [first, second, third, total, ...more] = await df();
  assertEquals([first, second, third, more], [one, two, empty, []]);
  assertEquals(total.uniqueBytes + total.sharedBytes, await bytesIn(containerd.contentDir));
  assertEquals(total, {
    ...free,
    namespace: "(total)",
    images: 4,
    blobs: shared.blobs.size + own.blobs.size + busybox.blobs.size,
    uniqueBytes: one.uniqueBytes + two.uniqueBytes,
    sharedBytes: bytesOf(shared),
    snapshots: two.snapshots,
    snapshotBytes,
    ingests: 1,
    ingestBytes: writing.bytes,
    bytes: one.bytes + two.bytes - bytesOf(shared),
  });

  assertEquals(await df("-n", "two"), [two]);
  assertEquals(await df("-A", "-n", "two"), await df());
  const env = { CONTAINERD_NAMESPACE: "two" };
  assertEquals((await davit(containerd, ["df", "-q"], { env })).stdout, "one\ntwo\nvoid\n");
  const table = (await davit(containerd, ["df", "-A"])).stdout.split("\n");
  assertEquals(table[0]!.split(/ +/), [
    "NAMESPACE",
    "IMAGES",
    "UNIQUE",
    "SHARED",
    "SNAPSHOTS",
    "INGESTS",
    "TOTAL",
  ]);
  assertStringIncludes(table[4]!, "(total)");
  const missing = await davit(containerd, ["df", "-n", "none"]);
  assertEquals([missing.code, missing.stdout], [4, ""]);
}, { fresh: true });

realTest("images df divides the content folder among images, to the byte", async (_t, containerd) => {
  const shared = await randomImage({ seed: 61, layerBytes: 100_000 });
  const own = await randomImage({ seed: 62, layerBytes: 30_000 });
  await importWithCtr(containerd, "one", ociArchive([shared, own]));
  await importWithCtr(containerd, "two", ociArchive([shared]));
  await containerd.ctr(["images", "tag", own.name, "own:again"], { namespace: "one" });
  await containerd.ctr(["content", "ingest", "kept"], {
    namespace: "two",
    stdin: new TextEncoder().encode("kept"),
  });
  const rows = JSON.parse((await davit(containerd, ["images", "df", "-o", "json"])).stdout);
  const common = { uniqueBytes: 0, sharedBytes: bytesOf(shared), bytes: bytesOf(shared), blobs: 4 };
  const twice = { ...common, sharedBytes: bytesOf(own), bytes: bytesOf(own) };
  assertEquals(rows.slice(0, -1), [
    { namespace: "one", image: shared.name, ...common },
    { namespace: "one", image: own.name, ...twice },
    { namespace: "one", image: "own:again", ...twice },
    { namespace: "two", image: shared.name, ...common },
    { namespace: "two", image: "(none)", blobs: 1, uniqueBytes: 4, sharedBytes: 0, bytes: 4 },
  ]);
  assertEquals(rows.at(-1), {
    namespace: "(total)",
    image: "(total)",
    blobs: 9,
    uniqueBytes: 4,
    sharedBytes: bytesOf(shared) + bytesOf(own),
    bytes: await bytesIn(containerd.contentDir),
  });
  const inTwo = JSON.parse((await davit(containerd, ["images", "df", "-n", "two", "-o", "json"])).stdout);
  assertEquals(inTwo.at(-1).bytes, bytesOf(shared) + 4);
  assertEquals((await davit(containerd, ["images", "df", "-n", "none"])).code, 4);
}, { series: ["2"], fresh: true });

/** A write that does not come to its end before it is disposed. */
async function openIngest(
  { address }: Containerd,
  namespace: string,
): Promise<AsyncDisposable & { bytes: number }> {
  const client = await connect({ address });
  const { content } = client.namespace(namespace);
  const bytes = 1 << 20; // as much as one message takes
  const gate = Promise.withResolvers<void>();
  async function* source() {
    yield new Uint8Array(bytes);
    await gate.promise;
    throw new Error("enough");
  }
  const writing = content.ingest({ ref: "upload", size: 2 * bytes }, source()).catch(() => {});
  const isWritten = async () =>
    (await Array.fromAsync(content.listStatuses())).some(({ offset }) => offset === bytes);
  while (!(await isWritten())) await new Promise((resolve) => setTimeout(resolve, 10));
  const dispose = async () => {
    gate.resolve();
    await writing;
    await client[Symbol.asyncDispose]();
  };
  return { bytes, [Symbol.asyncDispose]: dispose };
}

/** All snapshots of namespace `two`. */
async function snapshotsOfCtr(
  containerd: Containerd,
  snapshotter: string,
): Promise<{ count: number; bytes: number }> {
  const argv = ["snapshots", "--snapshotter", snapshotter, "usage", "-b"];
  const { stdout } = await containerd.ctr(argv, { namespace: "two" });
  const sizes = stdout.trim().split("\n").slice(1).map((line) => Number(line.split(/ +/)[1]));
  return { count: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function bytesOf({ blobs }: Image): number {
  return [...blobs.values()].reduce((sum, { length }) => sum + length, 0);
}

/** Of all files below a folder, however they lie on the disk. */
async function bytesIn(folder: string): Promise<number> {
  const { stdout } = await run("find", [folder, "-type", "f", "-printf", "%s\n"]);
  return stdout.trim().split("\n").reduce((sum, size) => sum + Number(size), 0);
}
