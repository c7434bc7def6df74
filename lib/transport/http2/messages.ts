/** The messages of gRPC in the body of a request or answer. */

/** containerd's own limit for a message, in both directions. */
export const maxMessageBytes: number = 16 * 1024 * 1024;

/** No compression, then the message's length. */
export const prefixBytes = 5;

/** A message that is not to be had. */
export class MessageError extends Error {
  override name = "MessageError";
  readonly isTooLarge: boolean;

  constructor(message: string, { isTooLarge = false } = {}) {
    super(message);
    this.isTooLarge = isTooLarge;
  }
}

/** How many bytes a message has that is in parts. */
export function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** What goes before a message of so many bytes. */
export function messagePrefix(length: number): Uint8Array<ArrayBuffer> {
  const prefix = new Uint8Array(prefixBytes);
  new DataView(prefix.buffer).setUint32(1, length);
  return prefix;
}

/** Puts messages together from the parts of a body, each byte copied once. */
export class MessageReader {
  readonly #prefix = new Uint8Array(prefixBytes);
  #prefixLength = 0;
  #message: Uint8Array | undefined;
  #length = 0;

  /** The bytes of the message that is not whole yet. */
  get unfinishedBytes(): number {
    return this.#prefixLength + this.#length;
  }

  /**
   * The messages that a part of the body completes.
   *
   * @throws {MessageError} when the next one is compressed, or too large.
   */
  push(part: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = [];
    for (let at = 0; at < part.length;) {
      if (this.#message === undefined) {
        this.#prefix[this.#prefixLength++] = part[at++]!;
        if (this.#prefixLength < prefixBytes) continue;
        this.#message = newMessage(this.#prefix);
      }
      const taken = Math.min(this.#message.length - this.#length, part.length - at);
      this.#message.set(part.subarray(at, at + taken), this.#length);
      at += taken;
      this.#length += taken;
      if (this.#length < this.#message.length) continue;
      messages.push(this.#message);
      this.#message = undefined;
      this.#length = this.#prefixLength = 0;
    }
    return messages;
  }
}

function newMessage(prefix: Uint8Array<ArrayBuffer>): Uint8Array {
  if (prefix[0] !== 0) throw new MessageError("a compressed message");
  const length = new DataView(prefix.buffer).getUint32(1);
  if (length > maxMessageBytes) {
    const text = `Received message larger than max (${length} vs ${maxMessageBytes})`;
    throw new MessageError(text, { isTooLarge: true });
  }
  return new Uint8Array(length);
}
