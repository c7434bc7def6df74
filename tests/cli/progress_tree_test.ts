import { assert, assertEquals } from "@std/assert";
import { cut, treeLines } from "../../cli/progress_tree.ts";
import { type ItemProgress, itemStates } from "../../mod.ts";

const MiB = 1 << 20;
const room = { columns: 80, rows: 24, colour: false };

function lines(items: ItemProgress[], given: Partial<typeof room> = {}): string[] {
  const state = { task: "pulling", done: 3 * MiB, unit: "bytes" as const };
  return treeLines({ state, items, elapsedMs: 1_500 }, { ...room, ...given });
}

/** Images with as many layers each, the first ones of each over. */
function work(images: number, { layers, over }: { layers: number; over: number }): ItemProgress[] {
  return Array.from({ length: images * layers }, (_, i) => ({
    image: `example.com/app:${Math.floor(i / layers)}`,
    name: `layer ${i}`,
    state: i % layers < over ? "done" : "downloading",
    done: MiB,
    total: 4 * MiB,
  }));
}

Deno.test("treeLines() draws an image with its items, and what was moved", () => {
  const image = "example.com/app:1";
  const items: ItemProgress[] = [
    { image, name: "index 0123456789ab", state: "exists", total: 500 },
    { image, name: "layer 1", state: "waiting", total: MiB },
    { image, name: "layer 2", state: "downloading", done: MiB, total: 4 * MiB },
    { image, name: "layer 3", state: "unpacking" },
    { image, name: "layer 4", state: "reading", done: 5 },
  ];
  assertEquals(
    lines(items).join("\n"),
    `\
example.com/app:1:
  index 0123456789ab  exists       |+++++++++++++++++++|
  layer 1             waiting      |-------------------|
  layer 2             downloading  |+++++--------------|  1.0 MiB/4.0 MiB
  layer 3             unpacking    |-------------------|
  layer 4             reading      |-------------------|  5 B
elapsed: 1.5 s  total: 3.0 MiB (2.0 MiB/s)`,
  );
});

Deno.test("treeLines() draws bars in green where there are colours", () => {
  const [, line] = lines(work(1, { layers: 1, over: 1 }), { colour: true, columns: 60 });
  assert(line!.includes("|\x1b[32m++++") && line!.endsWith("+\x1b[0m|"), line);
});

Deno.test("treeLines() never fills a line, whatever the width", () => {
  const items = work(2, { layers: 3, over: 1 });
  items.push({ image: "船".repeat(60), name: "layer 船\x1b", state: "uploading", done: 1, total: 2 });
  for (let columns = 2; columns <= 130; columns++) {
    for (const line of lines(items, { columns })) {
      const width = line.replace(/船/g, "..").length;
      assert(width < columns, `${line} has ${width} of ${columns}`);
    }
  }
});

Deno.test("treeLines() counts what is over where there are more lines than rows, and leaves out the rest in the end", () => {
  const rows = 12;
  const inShort = lines(work(2, { layers: 6, over: 4 }), { rows });
  assertEquals(inShort.length, 7);
  assertEquals(inShort[0], "example.com/app:0: 4 of 6 done");

  const images = [...work(9, { layers: 2, over: 2 }), ...work(10, { layers: 2, over: 1 }).slice(-2)];
  const few = lines(images, { rows });
  assertEquals(few.slice(0, 2), ["9 images done", "example.com/app:9: 1 of 2 done"]);
  assertEquals(few.length, 4);

  const many = lines(work(20, { layers: 6, over: 0 }), { rows });
  assertEquals(many.length, rows - 1);
  assertEquals(many.at(-2), "  and 132 lines more");
  for (const rows of [1, 2, 3]) assert(lines(work(9, { layers: 9, over: 1 }), { rows }).length <= 2);
});

Deno.test("treeLines() can draw every state that an item may be in", () => {
  for (const state of itemStates) {
    assert(lines([{ image: "a", name: "b", state, done: 1, total: 2 }])[1]!.includes(`b  ${state}`));
  }
});

Deno.test("cut() cuts between characters", () => {
  assertEquals(cut("abc", 3), "abc");
  assertEquals(cut("abc", 2), "ab");
  assertEquals(cut("a𝕏b", 2), "a");
  assertEquals(cut("a𝕏b", 3), "a𝕏");
  assertEquals(cut("", 0), "");
});
