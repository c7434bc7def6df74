/** Holds the quick rows of the benchmark to their budgets, on any machine: only ratios count. */
import { assert } from "@std/assert";
import { findReleases } from "../real/releases.ts";
import { compare } from "./compare.ts";
import { Lab, Programs } from "./lab.ts";
import { rows } from "./rows.ts";

const quick = rows.filter(({ rounds }) => rounds >= 21);
const { releases } = await findReleases();
const newest = releases.find(({ series }) => series === "2");

Deno.test({
  name: "davit starts and lists within its budgets" + (newest ? "" : ": no containerd 2"),
  ignore: newest === undefined,
  timeout: 600_000,
  fn: async (t) => {
    await using programs = await Programs.build();
    await using lab = await Lab.open(programs, newest!);
    for (const { name, against, budget, rounds, prepare } of quick) {
      await t.step(name, async () => {
        const pair = await prepare(lab);
        let { ratio } = await compare(pair, { rounds });
        // A second chance: something else may have run on the machine.
        if (ratio > budget) ({ ratio } = await compare(pair, { rounds }));
        assert(
          ratio <= budget,
          `it takes ${ratio.toFixed(2)} times as long as ${against}, allowed is ${budget}`,
        );
      });
    }
  },
});
