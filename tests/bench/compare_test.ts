import { assertEquals } from "@std/assert";
import { compare, median } from "./compare.ts";

Deno.test("median() is the middle value, or between the middle two", () => {
  assertEquals(median([3]), 3);
  assertEquals(median([10, 1, 2]), 2);
  assertEquals(median([10, 1, 2, 4]), 3);
});

Deno.test("compare() runs both in turns, each made ready outside of its time", async () => {
  const steps: string[] = [];
  const contender = (name: string, ms: number) => ({
    before: async () => {
      steps.push(`before ${name}`);
      await new Promise((resolve) => setTimeout(resolve, 60));
    },
    run: async () => {
      steps.push(name);
      await new Promise((resolve) => setTimeout(resolve, ms));
    },
  });
  const peaks = [3, 7, 5];
  const ours = { ...contender("a", 1), peakBytes: () => Promise.resolve(peaks.shift()!) };
  const result = await compare({ ours, theirs: contender("b", 20) }, { rounds: 2 });
  assertEquals([result.peakBytes, peaks], [7, []]);
  assertEquals(steps, Array(3).fill(["before a", "a", "before b", "b"]).flat());
  assertEquals([result.rounds, result.oursMs < 60, result.theirsMs >= 19, result.ratio < 1], [
    2,
    true,
    true,
    true,
  ]);
});
