import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type ArchiveMember, type ArchiveOptions, readArchive } from "../../../lib/image/archive.ts";
import { type Bytes, collect, randomChunks, tarStream } from "../../real/layers.ts";
import { archiveOf, fileEntry, gzip, joined, rawArchive, type RawMember, streamOf } from "./archives.ts";

Deno.test("readArchive() gives names, sizes and bytes, however the archive comes in pieces", async () => {
  const content = joined([...randomChunks(5_000, 1)] as Bytes[]);
  const long = `${"folder/".repeat(30)}file`; // needs an extended header
  const archive = await archiveOf({ "./a/b.json": "{}", empty: "", [long]: content });
  for (
    const [bytes, pieceBytes] of [[archive, 1], [archive, 700], [archive, 1 << 20], [
      await gzip(archive),
      13,
    ]] as const
  ) {
    assertEquals(await contents(streamOf(bytes, pieceBytes)), [
      { name: "a/b.json", size: 2, bytes: new TextEncoder().encode("{}") },
      { name: "empty", size: 0, bytes: new Uint8Array() },
      { name: long, size: 5_000, bytes: content },
    ]);
  }
});

Deno.test("readArchive() passes over folders and what nobody reads of a file", async () => {
  const entries = [
    { header: { name: "folder/", size: 0, type: "directory" as const } },
    fileEntry("big", new Uint8Array(3 << 20)),
    fileEntry("last", "!"),
  ];
  const names: string[] = [];
  for await (const member of readArchive(tarStream(entries))) {
    names.push(member.name);
    if (!("body" in member)) continue;
    for await (const _piece of member.body) break;
  }
  assertEquals(names, ["big", "last"]);
});

Deno.test("readArchive() gives all of a file that follows one that nobody reads", async () => {
  const archive = await archiveOf({
    small: "x",
    other: new Uint8Array(70_000),
    large: new Uint8Array(700_000),
  });
  const lengths: Record<string, number> = {};
  for await (const member of readArchive(streamOf(archive))) {
    assert("body" in member);
    if (member.name === "small") continue;
    for await (const piece of member.body) {
      lengths[member.name] = (lengths[member.name] ?? 0) + piece.length;
      if (member.name === "other") break;
    }
  }
  assertEquals(lengths.large, 700_000);
});

Deno.test("readArchive() reads no further than it is asked for", async () => {
  let read = 0;
  const source = streamOf(await archiveOf({ big: new Uint8Array(16 << 20) }));
  for await (const member of readArchive(source, { onRead: (bytes) => read += bytes })) {
    assert("body" in member);
    await member.body[Symbol.asyncIterator]().next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert(read < 4 << 20, `${read} bytes`);
    break;
  }
});

Deno.test("readArchive() resolves symbolic links inside of the archive", async () => {
  const member = (linkname: string): RawMember => ({ name: "a/b/layer.tar", type: "symlink", linkname });
  for (
    const [linkname, linksTo] of [["../c/layer.tar", "a/c/layer.tar"], ["../../top", "top"], [
      "./x//y",
      "a/b/x/y",
    ]] as const
  ) {
    assertEquals(await members(streamOf(rawArchive([member(linkname)]))), [{
      name: "a/b/layer.tar",
      linksTo,
    }]);
  }
  for (const linkname of ["/etc/passwd", "../../../etc/passwd", "a\\b"]) {
    await assertRefused(rawArchive([member(linkname)]), "Cannot read archive: ");
  }
});

Deno.test("readArchive() refuses names that lead outside, are too long or hold control characters", async () => {
  const refusals: [string, string][] = [
    ["/etc/passwd", '"/etc/passwd" leads out of it'],
    ["../up", '"../up" leads out of it'],
    ["a/../b", '"a/../b" leads out of it'],
    ["a\\b", "holds characters that are not allowed"],
    ["a\nb", "holds characters that are not allowed"],
    ["\x1b[31m", String.raw`"\u001b[31m" holds characters`],
  ];
  for (const [name, reason] of refusals) await assertRefused(rawArchive([{ name }]), reason);
  await assertRefused(rawArchive([{ name: "../folder/", type: "folder" }]), "leads out of it");
  await assertRefused(await archiveOf({ ["x".repeat(256)]: "" }), "more than 255 characters");
  const hidden = tarStream([{ header: { name: "fine", size: 0, pax: { path: "nul\0byte" } } }]);
  await assertRejects(() => members(hidden), SyntaxError, String.raw`"nul\u0000byte" holds characters`);
});

Deno.test("readArchive() refuses hard links, devices and pipes", async () => {
  for (
    const [type, word] of [["hardLink", "link"], ["device", "character-device"], ["fifo", "fifo"]] as const
  ) {
    await assertRefused(rawArchive([{ name: "x", type, linkname: "y" }]), `"x" is a ${word}`);
  }
});

Deno.test("readArchive() refuses a name that occurs twice, in whatever spelling", async () => {
  await assertRefused(rawArchive([{ name: "a/b" }, { name: "./a//b" }]), '"a/b" occurs twice');
  await assertRefused(
    rawArchive([{ name: "a" }, { name: "a", type: "symlink", linkname: "b" }]),
    '"a" occurs twice',
  );
});

Deno.test("readArchive() refuses more than 100,000 members", async () => {
  const folders = Array.from({ length: 100_001 }, (_, i): RawMember => ({ name: `${i}/`, type: "folder" }));
  await assertRefused(rawArchive(folders), "more than 100000 members");
});

Deno.test("readArchive() refuses other formats by their names", async () => {
  for (const [hex, name] of [["28b52ffd", "zstd"], ["fd377a585a00", "xz"], ["425a6839", "bzip2"]] as const) {
    await assertRefused(joined([Uint8Array.fromHex(hex), new Uint8Array(600)]), `packed with ${name}`);
  }
  await assertRefused(new Uint8Array(), "Cannot read archive: it is empty");
  await assertRefused(new TextEncoder().encode("PK\x03\x04".repeat(300)), "damaged, or not a tar archive: ");
});

Deno.test("readArchive() refuses an archive that breaks off anywhere, or goes on after its end", async () => {
  const archive = await archiveOf({ a: "x".repeat(700), b: "y" });
  for (let length = 1; length < archive.length; length += 101) {
    await assertRefused(archive.slice(0, length), "Cannot read archive: ");
    await assertRefused(await gzip(archive.slice(0, length)), "Cannot read archive: ");
  }
  const packed = await gzip(archive);
  for (let length = 10; length < packed.length; length += 7) {
    await assertRefused(packed.slice(0, length), "Cannot read archive: ");
  }
  await assertRefused(joined([archive, new Uint8Array(512).fill(1)]), "Cannot read archive: ");
});

Deno.test("readArchive() refuses a size that lies", async () => {
  const body = new Uint8Array(512).fill(7);
  await assertRefused(rawArchive([{ name: "more", body, size: 1 << 30 }]), "truncated");
  await assertRefused(rawArchive([{ name: "less", body, size: 0 }]), "Cannot read archive: ");
});

Deno.test("readArchive() unpacks a bomb piece by piece", async () => {
  const bomb = await gzip(await archiveOf({ zeros: new Uint8Array(64 << 20) }));
  let largest = 0;
  for await (const member of readArchive(streamOf(bomb, bomb.length))) {
    assert("body" in member);
    for await (const piece of member.body) largest = Math.max(largest, piece.length);
  }
  assert(largest <= 20 << 20, `${largest} bytes at once`);
});

Deno.test("readArchive() passes failures of the source on as they are, and lets go of it", async () => {
  const failure = new Deno.errors.Interrupted("the disk is gone");
  const failing = ReadableStream.from(async function* () {
    yield (await archiveOf({ a: new Uint8Array(5_000) })).slice(0, 3_000);
    throw failure;
  }());
  assertEquals(await assertRejects(() => contents(failing)), failure);

  let cancelled = false;
  const endless = new ReadableStream<Bytes>({
    pull: (controller) => controller.enqueue(new Uint8Array(512).fill(1)),
    cancel: () => void (cancelled = true),
  });
  await assertRejects(() => contents(endless), SyntaxError, "not a tar archive");
  assert(cancelled);
});

Deno.test("readArchive() ends with the reason of its signal, also while it waits for a silent source", async () => {
  for (const start of [new Uint8Array(), (await archiveOf({ a: new Uint8Array(5_000) })).slice(0, 3_000)]) {
    let cancelled = false;
    const silent = new ReadableStream<Bytes>({
      start: (controller) => controller.enqueue(start),
      cancel: () => void (cancelled = true),
    });
    const controller = new AbortController();
    const reading = contents(silent, { signal: controller.signal });
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 20);
    assertEquals(await assertRejects(() => reading), reason);
    assert(cancelled);
  }
  const signal = AbortSignal.abort(new Error("before"));
  assertStringIncludes(
    (await assertRejects(() => members(streamOf(new Uint8Array(9)), { signal }), Error)).message,
    "before",
  );
});

async function members(
  source: ReadableStream<Uint8Array>,
  options?: ArchiveOptions,
): Promise<ArchiveMember[]> {
  return await Array.fromAsync(readArchive(source, options));
}

async function contents(source: ReadableStream<Uint8Array>, options?: ArchiveOptions): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const member of readArchive(source, options)) {
    assert("body" in member);
    const { name, size, body } = member;
    found.push({ name, size, bytes: await collect(ReadableStream.from(body) as ReadableStream<Bytes>) });
  }
  return found;
}

async function assertRefused(archive: Bytes, reason: string): Promise<void> {
  const { message } = await assertRejects(() => contents(streamOf(archive)), SyntaxError);
  assertStringIncludes(message, reason);
}
