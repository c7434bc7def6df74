import { assertEquals, assertRejects } from "@std/assert";
import { archiveSize, writeArchive } from "../../../lib/image/archive_write.ts";
import { readArchive } from "../../../lib/image/archive.ts";

async function* body(...texts: string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

function file(name: string, ...texts: string[]) {
  return { name, mode: 0o644, size: texts.join("").length, body: body(...texts) };
}

Deno.test("writeArchive() writes what readArchive() reads, in the size that archiveSize() tells", async () => {
  const entries = () => [
    { name: "folder/", mode: 0o755, size: 0 },
    file("folder/a", "one", "two"),
    file("b"),
    file("c", "x".repeat(1024)),
  ];
  const bytes = await new Response(ReadableStream.from(writeArchive(entries()))).bytes();
  assertEquals(bytes.length, archiveSize(entries()));
  assertEquals(await new Response(ReadableStream.from(writeArchive(entries()))).bytes(), bytes);
  const read: [string, string][] = [];
  for await (const member of readArchive(ReadableStream.from([bytes]))) {
    if ("body" in member) {
      read.push([member.name, await new Response(ReadableStream.from(member.body)).text()]);
    }
  }
  assertEquals(read, [["folder/a", "onetwo"], ["b", ""], ["c", "x".repeat(1024)]]);
});

Deno.test("writeArchive() fails with what a body fails with, and when it has another size", async () => {
  const failure = new Error("no more");
  const failing = async function* () {
    yield* body("abc");
    throw failure;
  };
  const all = (entry: ReturnType<typeof file>) => Array.fromAsync(writeArchive([entry]));
  assertEquals(await assertRejects(() => all({ ...file("a", "abcdef"), body: failing() })), failure);
  await assertRejects(() => all({ ...file("a", "abc"), size: 2 }), Error, "exceeds");
  await assertRejects(() => all({ ...file("a", "abc"), size: 4 }), Error, "mismatch");
});

Deno.test("writeArchive() reads no further than it is read, and stops with its reader", async () => {
  const piece = "x".repeat(1 << 20);
  let taken = 0;
  let isClosed = false;
  const endless = async function* () {
    try {
      for (; taken < 100; taken++) yield* body(piece);
    } finally {
      isClosed = true;
    }
  };
  for await (const _bytes of writeArchive([{ ...file("a"), size: 100 << 20, body: endless() }])) break;
  assertEquals([taken < 20, isClosed], [true, true]);
});
