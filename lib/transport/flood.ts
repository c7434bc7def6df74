/** How much comes in from a plugin: all of it is kept in memory until it is read. */

/** The most messages, and bytes of them, before anything else had its turn. */
const mostMessages = 100_000;
const mostBytes = 256 << 20;

/** How long a turn takes at least, in milliseconds. */
const turnMs = 100;

/** How deep objects may be in one another; one that is in itself is without end. */
const deepest = 100;

/**
 * Tells when messages come in faster than they can be read. Deno hands over message after message and lets no timer fire as
 * long as there is one, so that a count which a timer resets tells.
 */
export class Flood implements Disposable {
  #messages = 0;
  #bytes = 0;
  #turn: ReturnType<typeof setTimeout> | undefined;

  /** Counts a message; `true` when it is one too many. */
  overflows(message: unknown): boolean {
    this.#turn ??= setTimeout(() => {
      this.#turn = undefined;
      this.#messages = this.#bytes = 0;
    }, turnMs);
    try {
      this.#bytes += sizeOf(message, mostBytes, "a message");
    } catch (error) {
      if ((error as Error).cause !== "depth") return true; // else it is for who reads it to judge
    }
    return ++this.#messages > mostMessages || this.#bytes > mostBytes;
  }

  [Symbol.dispose](): void {
    if (this.#turn !== undefined) clearTimeout(this.#turn);
  }
}

/**
 * What a value that was cloned takes, roughly, in bytes.
 *
 * @throws {RangeError} when it is more than `limit`, or has no end.
 */
export function sizeOf(value: unknown, limit: number, what: string): number {
  let size = 0;
  // One iterator for each level: an array may have more places than there is memory for a list of them.
  const open = [[value].values()];
  for (let parts = open.at(-1); parts !== undefined; parts = open.at(-1)) {
    const { value, done } = parts.next();
    if (done) {
      open.pop();
      continue;
    }
    size += 16 + ownSize(value);
    if (size > limit) throw new RangeError(`${what} has more than ${limit >> 20} MiB`);
    if (open.length > deepest + 1) {
      throw new RangeError(`${what} has more than ${deepest} levels, or is in itself`, { cause: "depth" });
    }
    const inner = partsOf(value);
    if (inner !== undefined) open.push(inner);
  }
  return size;
}

function ownSize(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value === "bigint") return value.toString(16).length;
  if (typeof value !== "object" || value === null) return 0;
  if (ArrayBuffer.isView(value)) return value.buffer.byteLength; // all of it was cloned
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return value.byteLength;
  if (value instanceof String) return value.length;
  return value instanceof RegExp ? value.source.length : 0;
}

/** What is in a value, and names; places of an array that hold nothing count like others. */
function partsOf(value: unknown): ArrayIterator<unknown> | undefined {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return undefined;
  if (Array.isArray(value)) return value.values();
  if (value instanceof String) return undefined;
  if (value instanceof Map) return [...value.keys(), ...value.values()].values();
  if (value instanceof Set) return [...value].values();
  if (value instanceof Error) return [value.message, value.stack, value.cause].values();
  return [...Object.keys(value), ...Object.values(value)].values();
}

/**
 * Closes a port without reading what is left in it: Deno does that first, which never ends while the other side goes on
 * sending, and stops at what a listener throws.
 */
export function closeNow(port: MessagePort): void {
  let isClosing = true;
  port.dispatchEvent = ({ type }) => {
    // Afterwards one more message may come, which Deno was waiting for. Ports that are closed may also tell that they are.
    if (type === "message" && isClosing) throw new Error("The port is closed");
    return true;
  };
  port.close();
  isClosing = false;
}
