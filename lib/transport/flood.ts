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
  const rest: [value: unknown, depth: number][] = [[value, 0]];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [value, depth] = next;
    size += 16 + ownSize(value);
    if (size > limit) throw new RangeError(`${what} has more than ${limit >> 20} MiB`);
    if (depth > deepest) {
      throw new RangeError(`${what} has more than ${deepest} levels, or is in itself`, { cause: "depth" });
    }
    for (const part of partsOf(value)) rest.push([part, depth + 1]);
  }
  return size;
}

function ownSize(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value === "bigint") return value.toString(16).length;
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? value.byteLength : 0;
}

function partsOf(value: unknown): Iterable<unknown> {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (value instanceof Set) return value;
  return Array.isArray(value) ? value : [...Object.keys(value), ...Object.values(value)];
}

/**
 * Closes a port without reading what is left in it: Deno does that first, which never ends while the other side goes on
 * sending, and stops at what a listener throws.
 */
export function closeNow(port: MessagePort): void {
  port.dispatchEvent = ({ type }) => {
    if (type === "message") throw new Error("The port is closed");
    return true; // once node:worker_threads is loaded, as by grpc-js, ports also tell that they are closed
  };
  port.close();
}
