import type { Timestamp } from "../proto/gen/google/protobuf/timestamp.ts";

/** The instant of a wire timestamp, to the millisecond; the epoch when absent. */
export function toDate(timestamp: Timestamp | undefined): Date {
  if (timestamp === undefined) return new Date(0);
  return new Date(Number(timestamp.seconds) * 1000 + Math.floor(timestamp.nanos / 1_000_000));
}

/** A byte count or similar as a number. Throws `RangeError` beyond what a number holds exactly. */
export function toNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`Cannot represent ${value}: beyond 2^53`);
  return number;
}

/** The mask paths that change exactly the given labels, and their map: an empty value removes its label. */
export function labelChange(changes: Readonly<Record<string, string>>): {
  labels: Record<string, string>;
  updateMask: string[];
} {
  return {
    labels: Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== "")),
    updateMask: Object.keys(changes).map((key) => `labels.${key}`),
  };
}
