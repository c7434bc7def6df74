/** Settings that every call of the public API takes, last in its options. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * The longest time for the call, in milliseconds; for a stream, the longest wait for its next message. `Infinity`
   * waits for ever.
   */
  timeoutMs?: number | undefined;
}

/** What goes with a request. */
export interface Call extends CallOptions {
  /** The namespace header; containerd wants it even where the method ignores it. */
  namespace: string;
  /** The lease that keeps what the call creates or touches from being collected. */
  lease?: string | undefined;
  /** What is being done, for the error message: `delete`, `list images`. */
  action: string;
  /** What it is done to, for the error message: `image "x"`. */
  resource?: string | undefined;
  /** Filled in by the transport that encodes, for whoever traces the call. */
  meter?: Meter | undefined;
}

/** Bytes of the messages that a call sent and received, without what the protocol adds. */
export interface Meter {
  sentBytes: number;
  receivedBytes: number;
}

/** What a method writes; `undefined` in {@linkcode Method} means that it only reads. */
export type Writes = "namespaces" | "images" | "content" | "leases" | "anything";

/** An RPC as data: what is known about it, and how to get its codecs. */
export interface Method<Request = unknown, Response = unknown> {
  /** `containerd.services.images.v1.Images/Get`. */
  readonly name: string;
  readonly kind: "unary" | "stream";
  readonly writes: Writes | undefined;
  /** Doing it twice leaves the same state and gives the same answer. */
  readonly idempotent: boolean;
  /** Its meaning depends on the namespace header. */
  readonly namespaced: boolean;
  /** In milliseconds, see {@linkcode CallOptions.timeoutMs}; `undefined` waits for ever. */
  readonly deadlineMs: number | undefined;
  /** The codecs, loaded on first use: a verb pays only for the services that it calls. */
  codec(): Promise<MethodCodec<Request, Response>>;
}

/** How the two messages of a method are written and read. */
export interface MethodCodec<Request, Response> {
  requestType: Encoder<Request>;
  responseType: Decoder<Response>;
}

// Both in method syntax, so that codecs of different messages stay assignable to `unknown` ones.

interface Encoder<Partial> {
  fromPartial(partial: Partial): unknown;
  encode(message: unknown): Encoded;
  decode(bytes: Uint8Array): unknown;
}

/** A message as bytes. */
interface Encoded {
  finish(): Uint8Array;
  /** The same in several parts, none of them empty, where that saves a copy. */
  parts?(): readonly Uint8Array[];
}

interface Decoder<Message> {
  decode(bytes: Uint8Array): Message;
}

/**
 * The one way to containerd. Services, operations, verbs and plugins know nothing else.
 *
 * Requests may leave out fields that have their default value. Implementations carry the messages (over HTTP/2,
 * gRPC, a message port, or in memory); decorators watch, refuse or rewrite them.
 */
export interface Transport extends AsyncDisposable {
  /** Sends one request and resolves to its answer. Rejects with a `ContainerdError` or the signal's reason. */
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response>;

  /** Sends requests (an array is complete at once) and yields answers as they are asked for. */
  stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: Call,
  ): AsyncIterable<Response>;
}
