import type { Descriptor as DescriptorMessage } from "../proto/gen/containerd/types/descriptor.ts";
import type { Timestamp } from "../proto/gen/google/protobuf/timestamp.ts";
import type { Descriptor } from "./oci/descriptor.ts";

/** The zero value of Go's time, which containerd sends for "never". */
const goZeroSeconds = -62_135_596_800n;

/** The instant of a wire timestamp, to the millisecond; `undefined` when it is absent or says "never". */
export function toDateIfAny(timestamp: Timestamp | undefined): Date | undefined {
  if (timestamp === undefined || timestamp.seconds === goZeroSeconds) return undefined;
  return new Date(Number(timestamp.seconds) * 1000 + Math.floor(timestamp.nanos / 1_000_000));
}

/** The instant of a timestamp that containerd always sets. */
export function toDate(timestamp: Timestamp | undefined): Date {
  return toDateIfAny(timestamp) ?? new Date(0);
}

/** The wire timestamp of an instant. */
export function toTimestamp(instant: Date): Timestamp {
  const milliseconds = instant.getTime();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: BigInt(seconds), nanos: (milliseconds - seconds * 1000) * 1_000_000 };
}

/** What points to content, of a message. */
export function toDescriptor({ mediaType, digest, size, annotations }: DescriptorMessage): Descriptor {
  return {
    mediaType,
    digest,
    size: toNumber(size),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
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
