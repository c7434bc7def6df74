/** The codecs of everything that an event may say, in a module of their own: only subscribers need them. */
import * as containers from "../proto/gen/containerd/events/container.ts";
import * as content from "../proto/gen/containerd/events/content.ts";
import * as images from "../proto/gen/containerd/events/image.ts";
import * as namespaces from "../proto/gen/containerd/events/namespace.ts";
import * as sandboxes from "../proto/gen/containerd/events/sandbox.ts";
import * as snapshots from "../proto/gen/containerd/events/snapshot.ts";
import * as tasks from "../proto/gen/containerd/events/task.ts";
import type { Any } from "../proto/gen/google/protobuf/any.ts";
import { toDate, toTimestamp } from "./convert.ts";

interface Codec {
  decode(bytes: Uint8Array): object;
  fromPartial(details: object): object;
  encode(message: object): { finish(): Uint8Array };
}

const eventsPackage = "containerd.events";
const imagesPackage = "containerd.services.images.v1";

const codecs: ReadonlyMap<string, Codec> = new Map([
  ...codecsOf(eventsPackage, {
    ...containers,
    ...content,
    ...namespaces,
    ...sandboxes,
    ...snapshots,
    ...tasks,
  }),
  ...codecsOf(imagesPackage, images),
]);

/** What an event says; nothing when its type is not known or its bytes are not of that type. */
export function decodeEvent(event: Any | undefined): Record<string, unknown> {
  const codec = event && codecs.get(event.typeUrl.slice(event.typeUrl.lastIndexOf("/") + 1));
  if (!codec) return {};
  try {
    return plain(codec.decode(event.value)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** The message of an event, the other way round; `undefined` for a type that is not known. */
export function encodeEvent(
  type: string,
  details: Readonly<Record<string, unknown>>,
): { typeUrl: string; value: Uint8Array } | undefined {
  for (const [typeUrl, codec] of codecs) {
    if (!typeUrl.endsWith(`.${type}`)) continue;
    const fields = Object.entries(details).map(([key, value]) => [
      key,
      value instanceof Date ? toTimestamp(value) : value,
    ]);
    return { typeUrl, value: codec.encode(codec.fromPartial(Object.fromEntries(fields))).finish() };
  }
}

function codecsOf(scope: string, module: Readonly<Record<string, unknown>>): [string, Codec][] {
  const isCodec = (value: unknown): value is Codec =>
    typeof value === "object" && value !== null && "decode" in value;
  return Object.entries(module).flatMap(([name, value]): [string, Codec][] =>
    isCodec(value) ? [[`${scope}.${name}`, value]] : []
  );
}

/** Dates for timestamps, numbers for 64-bit ones, the type for what is packed in it once more. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (isTimestamp(value)) return toDate(value);
  if ("typeUrl" in value && "value" in value && value.value instanceof Uint8Array) {
    return { type: value.typeUrl };
  }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

function isTimestamp(value: object): value is { seconds: bigint; nanos: number } {
  return "seconds" in value && typeof value.seconds === "bigint" && "nanos" in value;
}
