/** What waits to be written to a connection. */

/** As many bytes may wait before nobody should add any more. */
const enoughBytes = 256 * 1024;

/** How much room there is at first. */
const usualBytes = 4 * 1024;

/** As many may wait of what nobody can hold back, answers to a server that asks and does not read. */
const tooManyBytes = 4 * 1024 * 1024;

/** Told whether the bytes that it came with have left, or not a single one of them. */
export type Departure = (left: boolean) => void;

export interface OutputOptions {
  /** Called when there is room again. */
  drained: () => void;
  /** Called when the connection takes no more. */
  failed: (cause: unknown) => void;
}

/**
 * Writes to a connection in order, and together what was pushed together. In between, bytes are in one of two buffers, in
 * turns: making new ones for what is written would cost more than writing it.
 */
export class Output {
  readonly #socket: Deno.Conn;
  readonly #options: OutputOptions;
  #waiting = new Uint8Array(usualBytes);
  #spare = new Uint8Array(usualBytes);
  /** So many bytes wait, and as many are being written. */
  #length = 0;
  #leaving = 0;
  #departures: Departure[] = [];
  #isPlanned = false;
  #isWriting = false;

  constructor(socket: Deno.Conn, options: OutputOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** So many more bytes are welcome. */
  get room(): number {
    return enoughBytes - this.#length - this.#leaving;
  }

  /** Whether something is being written. */
  get isBusy(): boolean {
    return this.#isWriting;
  }

  /** Takes a copy of the bytes. */
  push(bytes: Uint8Array, departure?: Departure): void {
    const length = this.#length + bytes.length;
    if (length > this.#waiting.length) this.#waiting = larger(this.#waiting, { length, used: this.#length });
    this.#waiting.set(bytes, this.#length);
    this.#length = length;
    if (departure) this.#departures.push(departure);
    if (this.#isWriting) {
      if (this.#length + this.#leaving > tooManyBytes) {
        this.#options.failed(new Error("the server does not read what it asks for"));
      }
    } else if (!this.#isPlanned) {
      this.#isPlanned = true;
      queueMicrotask(() => this.flush());
    }
  }

  /** Begins to write now what is otherwise written when the caller is done. */
  flush(): void {
    this.#isPlanned = false;
    if (!this.#isWriting) this.#write();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#length > 0) {
      const bytes = this.#waiting.subarray(0, this.#length);
      const departures = this.#departures;
      [this.#waiting, this.#spare] = [this.#spare, this.#waiting];
      this.#leaving = this.#length;
      this.#length = 0;
      this.#departures = [];
      let written = 0;
      // Before, since an answer may be read before the write is known to have succeeded.
      for (const departure of departures) departure(true);
      try {
        while (written < bytes.length) {
          written += await this.#socket.write(written === 0 ? bytes : bytes.subarray(written));
        }
      } catch (cause) {
        if (written === 0) { for (const departure of departures) departure(false); }
        this.#options.failed(cause);
        return;
      }
      this.#leaving = 0;
      this.#options.drained();
    }
    this.#isWriting = false;
  }
}

/** The used part of a buffer, in one with room for more. */
function larger(
  buffer: Uint8Array,
  { length, used }: { length: number; used: number },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.max(length, 2 * buffer.length));
  bytes.set(buffer.subarray(0, used));
  return bytes;
}
