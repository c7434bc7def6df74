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
  /** Those of the requests. */
  sentBytes: number;
  /** Those of the answers. */
  receivedBytes: number;
}

/** What a method writes; `"anything"` is as good as root. */
export type Writes = "namespaces" | "images" | "content" | "leases" | "anything";

/** An RPC as data: what is known about it, and how to get its codecs. */
export interface Method<Request = unknown, Response = unknown> {
  /** `containerd.services.images.v1.Images/Get`. */
  readonly name: string;
  /** Whether it has one request and one answer, or streams of them. */
  readonly kind: "unary" | "stream";
  /** What it may change; `undefined` for nothing. */
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
  /** Of the request, with defaults for what it leaves out; who answers reads it too. */
  requestType: MessageEncoder<Request>;
  /** Of the answer. */
  responseType: MessageDecoder<Response>;
}

// Both in method syntax, so that codecs of different messages stay assignable to `unknown` ones.

/** Makes bytes of a message, and a message of bytes. */
export interface MessageEncoder<Partial> {
  /** The whole message: what is left out has its default. */
  fromPartial(partial: Partial): unknown;
  /** Puts a whole message on the wire. */
  encode(message: unknown): EncodedMessage;
  /** Reads the bytes of a message. */
  decode(bytes: Uint8Array): unknown;
}

/** A message as bytes. */
export interface EncodedMessage {
  /** All of them in one piece. */
  finish(): Uint8Array;
  /** The same in several parts, none of them empty, where that saves a copy. */
  parts?(): readonly Uint8Array[];
}

/** Makes a message of bytes. */
export interface MessageDecoder<Message> {
  /** Reads the bytes of a message. */
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
