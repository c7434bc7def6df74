const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `90s`, `15m`, `1h30m`, `1.5h`, `7d` or `0` in milliseconds; `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(text)) return undefined;
  let durationMs = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|[smhd])/g)) {
    durationMs += Number(number) * unitMs[unit!]!;
  }
  return Number.isSafeInteger(Math.round(durationMs)) ? Math.round(durationMs) : undefined;
}
