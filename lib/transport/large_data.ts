import type { ContentDefinition } from "../../proto/gen/containerd/services/content/v1/content.ts";
import { joined } from "./http2/frames.ts";

type Definition = typeof ContentDefinition;

/** The field of `WriteContentRequest` with the bytes of a blob, as protobuf tags it. */
const dataTag = 50;

/**
 * The content service with another way to encode what it writes: bytes of blobs, which are nearly all of a request, stay
 * where they are. The generated code copies them three times, into buffers that it makes larger and larger: of the time
 * that a pull takes of the processor, that was a third.
 */
export function withLargeData(definition: Definition): Definition {
  const { write } = definition.methods;
  const { encode } = write.requestType;
  const requestType: typeof write.requestType = {
    ...write.requestType,
    encode(message, writer) {
      const { data } = message;
      if (data.length === 0 || writer !== undefined) return encode(message, writer);
      const others = encode({ ...message, data: new Uint8Array() });
      const parts = [joined([others.finish(), headOf(data)]), data];
      return Object.assign(others, { parts: () => parts, finish: () => joined(parts) });
    },
  };
  return { ...definition, methods: { ...definition.methods, write: { ...write, requestType } } };
}

/** What stands before the bytes in a message. */
function headOf({ length }: Uint8Array): Uint8Array {
  const head = [dataTag];
  let rest = length;
  for (; rest > 127; rest >>>= 7) head.push(rest & 127 | 128);
  head.push(rest);
  return Uint8Array.from(head);
}
