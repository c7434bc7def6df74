/** One of two things to compare. Only `run` is timed. */
export interface Contender {
  /** Makes things as they were before the first run. */
  before?(): Promise<void>;
  run(): Promise<void>;
  /** The most memory that the last run had, in bytes; not part of its time. */
  peakBytes?(): Promise<number>;
}

/** Two ways to the same end. */
export interface Pair {
  ours: Contender;
  theirs: Contender;
}

/** Medians of the whole run, in milliseconds. */
export interface Comparison {
  oursMs: number;
  theirsMs: number;
  /** Ours by theirs. */
  ratio: number;
  rounds: number;
  /** The most memory that any run of ours had, in bytes; 0 where nobody looked. */
  peakBytes: number;
}

/** Runs two contenders in turns, so that what else the machine does slows down both, and compares the medians. */
export async function compare({ ours, theirs }: Pair, { rounds, warmUps = 1 }: {
  rounds: number;
  warmUps?: number;
}): Promise<Comparison> {
  const times = { ours: [] as number[], theirs: [] as number[] };
  let peakBytes = 0;
  for (let round = -warmUps; round < rounds; round++) {
    const oursMs = await time(ours);
    peakBytes = Math.max(peakBytes, await ours.peakBytes?.() ?? 0);
    const theirsMs = await time(theirs);
    if (round < 0) continue;
    times.ours.push(oursMs);
    times.theirs.push(theirsMs);
  }
  const [oursMs, theirsMs] = [median(times.ours), median(times.theirs)];
  return { oursMs, theirsMs, ratio: oursMs / theirsMs, rounds, peakBytes };
}

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = NaN, high = NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
}

async function time({ before, run }: Contender): Promise<number> {
  await before?.();
  const start = performance.now();
  await run();
  return performance.now() - start;
}
