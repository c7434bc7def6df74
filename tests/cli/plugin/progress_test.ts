import { assertEquals } from "@std/assert";
import { readProgress } from "../../../cli/plugin/progress.ts";

Deno.test("readProgress() passes on what is progress", () => {
  const item = { image: "a", name: "layer 1", state: "downloading", done: 1, total: 2 };
  const state = { task: "pulling", done: 1, total: 2, unit: "bytes", items: [item] };
  assertEquals(readProgress(state) as unknown, state);
  assertEquals(readProgress({ task: "copying", done: 0 }), { task: "copying", done: 0 });
});

Deno.test("readProgress() leaves out what is none", () => {
  for (const said of [undefined, null, "x", {}, { task: 1, done: 1 }, { task: "a", done: NaN }]) {
    assertEquals(readProgress(said), undefined);
  }
  const items = [null, 5, { image: "a", name: "b", state: "flying" }, { image: "a", name: 1, state: "done" }];
  assertEquals(readProgress({ task: "a", done: 1, total: "x", unit: "apples", items, more: 1 }), {
    task: "a",
    done: 1,
    items: [],
  });
  assertEquals(readProgress({ task: "a", done: 1, items: "abc" }), { task: "a", done: 1 });
});
