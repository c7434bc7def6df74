const unitMs: Readonly<Record<string, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

/**
 * `90s`, `15m`, `1h30m`, `1.5h`, `7d`, `2w` or `0` in milliseconds; `undefined` when it is none.
 *
 * ```ts
 * import { formatDuration, parseDuration } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * assertEquals(parseDuration("1h30m"), 5_400_000);
 * assertEquals(formatDuration(5_400_000), "90m");
 * assertEquals(parseDuration("soon"), undefined);
 * ```
 */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(text)) return undefined;
  let durationMs = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|[smhdw])/g)) {
    durationMs += Number(number) * unitMs[unit!]!;
  }
  return Number.isSafeInteger(Math.round(durationMs)) ? Math.round(durationMs) : undefined;
}

/** A number of milliseconds in its largest whole unit up to days, as it could be given: `90s`, `2h`, `14d`. */
export function formatDuration(durationMs: number): string {
  const { w: _, ...units } = unitMs; // 14d and 30d compare more easily than 2w and 30d
  const [unit, ms] = Object.entries(units).find(([, ms]) => durationMs >= ms && durationMs % ms === 0) ??
    ["ms", 1];
  return `${durationMs / ms}${unit}`;
}
