/** What waits to be written to a connection. */
import { joined } from "./frames.ts";

/** As many bytes may wait before nobody should add any more. */
const enoughBytes = 256 * 1024;

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

/** Writes to a connection in order, and together what was pushed together. */
export class Output {
  readonly #socket: Deno.Conn;
  readonly #options: OutputOptions;
  #waiting: Uint8Array[] = [];
  #departures: Departure[] = [];
  #bytes = 0;
  #isPlanned = false;
  #isWriting = false;

  constructor(socket: Deno.Conn, options: OutputOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** So many more bytes are welcome. */
  get room(): number {
    return enoughBytes - this.#bytes;
  }

  /** Whether something is being written. */
  get isBusy(): boolean {
    return this.#isWriting;
  }

  push(bytes: Uint8Array, departure?: Departure): void {
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (departure) this.#departures.push(departure);
    if (this.#isWriting) {
      if (this.#bytes > tooManyBytes) {
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
    while (this.#waiting.length > 0) {
      const bytes = joined(this.#waiting);
      const departures = this.#departures;
      this.#waiting = [];
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
      this.#bytes -= bytes.length;
      this.#options.drained();
    }
    this.#isWriting = false;
  }
}
