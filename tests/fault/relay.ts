import { join } from "@std/path";
import {
  ConnectionReader,
  encodeFrame,
  endsStream,
  errorCodes,
  type Frame,
  frameTypes,
  isAcknowledgement,
  numbersFrame,
  prefaceBytes,
  withoutHeaderTable,
} from "./frames.ts";

/** How a call is cut off on its way through a {@linkcode Relay}. */
export interface Cut {
  /**
   * How far it gets.
   *
   * - `"request"`: containerd does not see it.
   * - `"answer"`: containerd does it, and nothing of its answer comes back.
   * - `"headers"`: the answer's headers come back.
   * - `"message"`: so does half of the answer's message.
   */
  at: "request" | "answer" | "headers" | "message";
  /**
   * What ends it: the connection (with or without bytes that the relay never reads, which the client sees as
   * ECONNRESET), a GOAWAY that says truly whether the call was served, or a RST_STREAM of that code.
   */
  by: "eof" | "reset" | "goAway" | keyof typeof errorCodes;
}

/** Requests since somebody began to count. */
export interface Counts {
  /** That came from clients. */
  seen: number;
  /** That went on to the server. */
  passedOn: number;
}

/** A unix socket that passes HTTP/2 on to another one, counts the requests, and cuts off those it is told to. */
export class Relay implements AsyncDisposable {
  readonly path: string;
  counts: Counts = { seen: 0, passedOn: 0 };
  /** The codes with which clients have ended calls that were under way. */
  readonly resets: number[] = [];
  /** Bytes of messages that went to clients. */
  answeredBytes = 0;
  readonly #folder: string;
  readonly #upstream: string;
  readonly #listener: Deno.Listener;
  readonly #links = new Map<Link, Promise<void>>();
  #next: Cut | undefined;

  private constructor(folder: string, upstream: string) {
    this.#folder = folder;
    this.#upstream = upstream;
    this.path = join(folder, "relay.sock");
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
    this.#accept();
  }

  /** Starts a relay to the socket at `upstream`. */
  static async start(upstream: string): Promise<Relay> {
    return new Relay(await Deno.makeTempDir({ prefix: "davit-relay-" }), upstream);
  }

  /** Begins to count anew. */
  count(): Counts {
    this.counts = { seen: 0, passedOn: 0 };
    return this.counts;
  }

  /** Cuts off the next request, and counts it and those after it. */
  cutNext(cut: Cut): Counts {
    this.#next = cut;
    return this.count();
  }

  /** Hands the cut to the request that is to suffer it. */
  takeCut(): Cut | undefined {
    const cut = this.#next;
    this.#next = undefined;
    return cut;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const link of this.#links.keys()) link.close();
    await Promise.all(this.#links.values());
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const link = new Link(this, client, await Deno.connect({ transport: "unix", path: this.#upstream }));
      this.#links.set(link, link.run().finally(() => this.#links.delete(link)));
    }
  }
}

/** How long a client gets to answer a PING, in milliseconds. */
const pingMs = 30;

/** One client's connection and the one to the server that belongs to it. */
class Link {
  readonly #relay: Relay;
  readonly #client: Deno.Conn;
  readonly #server: Deno.Conn;
  readonly #done = Promise.withResolvers<void>();
  #victim: { stream: number; cut: Cut } | undefined;
  #writing = Promise.resolve();

  constructor(relay: Relay, client: Deno.Conn, server: Deno.Conn) {
    this.#relay = relay;
    this.#client = client;
    this.#server = server;
  }

  async run(): Promise<void> {
    await Promise.all([this.#requests(), this.#answers()]);
    this.close();
  }

  close(): void {
    for (const connection of [this.#client, this.#server]) {
      try {
        connection.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error; // closed before
      }
    }
    this.#done.resolve();
  }

  async #requests(): Promise<void> {
    const reader = new ConnectionReader(this.#client);
    const preface = await reader.bytes(prefaceBytes);
    if (preface === undefined) return this.close();
    await writeAll(this.#server, preface);
    for await (const frame of reader.frames()) {
      const opens = frame.type === frameTypes.headers;
      if (opens) {
        this.#relay.counts.seen++;
        const cut = this.#relay.takeCut();
        if (cut) this.#victim = { stream: frame.stream, cut };
      }
      if (frame.type === frameTypes.reset) {
        this.#relay.resets.push(new DataView(frame.payload.buffer).getUint32(0));
      }
      const victim = frame.stream === this.#victim?.stream ? this.#victim : undefined;
      if (victim?.cut.at !== "request") {
        if (opens) this.#relay.counts.passedOn++;
        await writeAll(this.#server, encodeFrame(adjusted(frame)));
      }
      if (victim && endsStream(frame)) {
        if (victim.cut.at === "request") await this.#end(victim);
        // Reads no more from a client whose connection is to be reset.
        if (victim.cut.by === "reset") await this.#done.promise;
      }
    }
    this.close();
  }

  async #answers(): Promise<void> {
    const reader = new ConnectionReader(this.#server);
    let messages = 0;
    for await (const frame of reader.frames()) {
      const victim = frame.stream === this.#victim?.stream ? this.#victim : undefined;
      if (victim === undefined) {
        if (frame.type === frameTypes.data) this.#relay.answeredBytes += frame.payload.length;
        await this.#toClient(encodeFrame(adjusted(frame)));
        continue;
      }
      const { at, by } = victim.cut;
      if (frame.type === frameTypes.headers && messages === 0 && !endsStream(frame) && at !== "answer") {
        await this.#toClient(encodeFrame(frame));
      }
      if (frame.type === frameTypes.data && messages++ === 0 && at === "message") {
        const half = frame.payload.length >> 1;
        const inFrame = by in errorCodes; // the connection goes on, so its frames must be whole
        await this.#toClient(
          inFrame
            ? encodeFrame({ ...frame, flags: 0, payload: frame.payload.slice(0, half) })
            : encodeFrame(frame).subarray(0, -half),
        );
      }
      if (endsStream(frame)) await this.#end(victim);
    }
    this.close();
  }

  async #end({ stream, cut: { at, by } }: { stream: number; cut: Cut }): Promise<void> {
    switch (by) {
      case "eof":
        return this.close();
      case "reset":
        await this.#toClient(encodeFrame(numbersFrame(frameTypes.ping, { numbers: [0, 0] })));
        await new Promise((resolve) => setTimeout(resolve, pingMs));
        return this.close();
      case "goAway": {
        const lastServed = at === "request" ? stream - 2 : stream;
        const numbers = [Math.max(lastServed, 0), errorCodes.noError];
        await this.#toClient(encodeFrame(numbersFrame(frameTypes.goAway, { numbers })));
        await new Promise((resolve) => setTimeout(resolve, pingMs));
        return this.close();
      }
      default:
        this.#victim = undefined;
        await this.#toClient(
          encodeFrame(numbersFrame(frameTypes.reset, { stream, numbers: [errorCodes[by]] })),
        );
    }
  }

  /** Both directions write to the client, one after the other. */
  #toClient(bytes: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(() => writeAll(this.#client, bytes));
    return this.#writing;
  }
}

function adjusted(frame: Frame): Frame {
  const isSettings = frame.type === frameTypes.settings && !isAcknowledgement(frame);
  return isSettings ? withoutHeaderTable(frame) : frame;
}

/** Writes all of it, unless the other side is gone: then the next read ends. */
async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  } catch {
    // The reader of this connection sees it, too.
  }
}
