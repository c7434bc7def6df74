import { assertEquals } from "@std/assert";
import { itemName, type Progress, ProgressReport } from "../../lib/progress.ts";
import { mediaTypes } from "../../mod.ts";

Deno.test("ProgressReport adds up the bytes that are moved", () => {
  const states: Progress[] = [];
  const report = new ProgressReport("pulling", (state) => states.push(state));
  const layer = { image: "a", name: "layer 1" };
  report.items({ ...layer, state: "waiting", total: 10 }, {
    image: "a",
    name: "layer 2",
    state: "waiting",
    total: 5,
  });
  report.items({ ...layer, state: "downloading", done: 4, total: 10 });
  report.items({ image: "a", name: "layer 2", state: "exists", total: 5 });
  report.items({ ...layer, state: "unpacking" });
  report.items({ ...layer, image: "b", state: "done", done: 3, total: 3 });
  assertEquals(states.map(({ done, total }) => [done, total]), [[0, 15], [4, 15], [4, 10], [4, 10], [7, 13]]);
  assertEquals(states[3], {
    task: "pulling",
    done: 4,
    total: 10,
    unit: "bytes",
    items: [{ ...layer, state: "unpacking" }],
  });
});

Deno.test("itemName() says what a blob is, and the start of its digest", () => {
  const digest = "sha256:0123456789abcdef";
  const names = [
    mediaTypes.ociIndex,
    mediaTypes.dockerManifest,
    mediaTypes.ociConfig,
    mediaTypes.dockerLayerGzip,
    "",
  ];
  assertEquals(names.map((mediaType) => itemName({ mediaType, digest })), [
    "index 0123456789ab",
    "manifest 0123456789ab",
    "config 0123456789ab",
    "layer 0123456789ab",
    "blob 0123456789ab",
  ]);
});
