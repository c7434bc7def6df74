/**
 * `deno task bench [PATTERN] [--series S] [--rounds N] [--json]`: whole processes of davit against ctr's, or against
 * what Deno itself takes, as root on Debian.
 *
 * PATTERN is part of a row's name. S is a series of containerd releases, 2 by default, or `all`.
 */
import { parseArgs } from "@std/cli";
import { findReleases, type Release } from "../real/releases.ts";
import { compare, type Comparison } from "./compare.ts";
import { Lab, Programs } from "./lab.ts";
import { mostBytes, type Row, rows } from "./rows.ts";

interface Settings {
  pattern: string;
  series: string;
  /** Instead of each row's own. */
  rounds: number | undefined;
  json: boolean;
}

/** What one row came to. */
interface Result extends Comparison, Pick<Row, "name" | "against" | "budget" | "reach"> {
  containerd: string;
  verdict: "within reach" | "within budget" | "over budget";
}

async function main(args: string[]): Promise<number> {
  const settings = settingsFrom(args);
  const chosen = rows.filter(({ name }) => name.includes(settings.pattern));
  if (chosen.length === 0) {
    throw new RangeError(`Cannot find a row that has "${settings.pattern}" in its name`);
  }
  const results: Result[] = [];
  await using programs = await Programs.build();
  for (const release of await releasesOf(settings.series)) {
    if (!settings.json) await print(heading(release));
    const labs = Map.groupBy(chosen, ({ startsContainers = false }) => startsContainers);
    for (const [startsContainers, ofLab] of labs) {
      await using lab = await Lab.open(programs, release, { startsContainers });
      for (const row of ofLab) {
        const result = await measure(row, { lab, rounds: settings.rounds ?? row.rounds });
        if (!settings.json) await print(lineOf(result));
        results.push(result);
      }
    }
  }
  if (settings.json) await print(JSON.stringify(results, null, 2));
  return results.some(({ verdict }) => verdict === "over budget") ? 1 : 0;
}

function settingsFrom(args: string[]): Settings {
  const options = { string: ["series", "rounds"], boolean: ["json"] };
  const { series = "2", rounds, json, _: [pattern = "", ...more], ...unknown } = parseArgs(args, options);
  const [surplus] = [...more, ...Object.keys(unknown)];
  if (surplus !== undefined) throw new TypeError(`Cannot understand argument "${surplus}"`);
  return {
    pattern: String(pattern),
    series: String(series),
    rounds: rounds === undefined ? undefined : Number(rounds),
    json: json === true,
  };
}

async function releasesOf(series: string): Promise<Release[]> {
  const { releases, missing } = await findReleases();
  const chosen = releases.filter((release) => series === "all" || release.series === series);
  if (chosen.length > 0) return chosen;
  const reason = missing.find((one) => one.series === series)?.reason ?? "there is no such series";
  throw new Error(`Cannot measure with containerd ${series}: ${reason}`);
}

async function measure(row: Row, { lab, rounds }: { lab: Lab; rounds: number }): Promise<Result> {
  const { name, against, budget, reach } = row;
  const comparison = await compare(await row.prepare(lab), { rounds });
  const { ratio, peakBytes } = comparison;
  const isWithin = ratio <= budget && peakBytes <= mostBytes;
  const verdict = !isWithin ? "over budget" : ratio <= reach ? "within reach" : "within budget";
  const containerd = lab.containerd.release.version;
  return { containerd, name, against, ...comparison, budget, reach, verdict };
}

const columns: readonly [title: string, width: number][] = [
  ["DAVIT", 41],
  ["AGAINST", 41],
  ["MS", 8],
  ["THEIR MS", 8],
  ["RATIO", 6],
  ["BUDGET", 6],
  ["REACH", 6],
  ["ROUNDS", 6],
  ["PEAK MIB", 8],
  ["VERDICT", 0],
];

function heading({ version }: Release): string {
  return `containerd ${version}\n${inColumns(columns.map(([title]) => title))}`;
}

function lineOf({ name, against, oursMs, theirsMs, ratio, budget, reach, rounds, ...rest }: Result): string {
  const factors = [ratio, budget, reach].map((factor) => factor.toFixed(factor < 0.1 ? 3 : 2));
  return inColumns([
    name,
    against,
    oursMs.toFixed(1),
    theirsMs.toFixed(1),
    ...factors,
    String(rounds),
    (rest.peakBytes / (1 << 20)).toFixed(0),
    rest.verdict,
  ]);
}

function inColumns(cells: string[]): string {
  return cells.map((cell, index) => cell.padEnd(columns[index]![1])).join("  ").trimEnd();
}

async function print(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    await Deno.stderr.write(new TextEncoder().encode(`${error instanceof Error ? error.message : error}\n`));
    Deno.exitCode = 1;
  }
}
