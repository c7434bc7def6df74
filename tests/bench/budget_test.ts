/**
 * Holds the quick rows of the benchmark to their budgets, on any machine: only ratios count.
 *
 * Where they are against ctr, they were set on a machine on which Deno takes 1.1 times as long to start as ctr. What
 * takes longer to start elsewhere is Deno, not davit, and is allowed for; `deno task bench` does not.
 */
import { findReleases } from "../real/releases.ts";
import { compare } from "./compare.ts";
import { Lab, Programs } from "./lab.ts";
import { rows } from "./rows.ts";

/** How long Deno takes to start where the budgets were set, times ctr. */
const usualStart = 1.1;

/** By how much two measurements of the same may differ. */
const tolerance = 1.15;

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
    const start = { ours: lab.command(lab.programs.nothing), theirs: lab.ctr("version") };
    for (const { name, against, rounds, prepare, ...row } of quick) {
      await t.step(name, async () => {
        const pair = await prepare(lab);
        const results: string[] = [];
        // Something else may run on the machine, for a while.
        for (let attempt = 0; attempt < 3; attempt++) {
          const slowness = Math.max(1, (await compare(start, { rounds })).ratio / usualStart);
          const budget = row.budget * tolerance * (against.startsWith("ctr") ? slowness : 1);
          const { ratio } = await compare(pair, { rounds });
          if (ratio <= budget) return;
          results.push(
            `${ratio.toFixed(2)} times as long as ${against}, where ${budget.toFixed(2)} is allowed`,
          );
        }
        throw new Error(`It takes ${results.join("; ")}`);
      });
    }
  },
});
