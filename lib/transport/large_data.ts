import type { ContentDefinition } from "../../proto/gen/containerd/services/content/v1/content.ts";

type Definition = typeof ContentDefinition;

/** The field of `WriteContentRequest` with the bytes of a blob, as protobuf tags it. */
const dataTag = 50;

/**
 * The content service with another way to encode what it writes: bytes of blobs, which are nearly all of a request, are
 * copied once. The generated code copies them three times, into buffers that it makes larger and larger: of the time
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
      const bytes = others.finish();
      return Object.assign(others, { finish: () => withData(bytes, data) });
    },
  };
  return { ...definition, methods: { ...definition.methods, write: { ...write, requestType } } };
}

function withData(others: Uint8Array, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = [dataTag];
  let length = data.length;
  for (; length > 127; length >>>= 7) head.push(length & 127 | 128);
  head.push(length);
  const message = new Uint8Array(others.length + head.length + data.length);
  message.set(others);
  message.set(head, others.length);
  message.set(data, others.length + head.length);
  return message;
}
