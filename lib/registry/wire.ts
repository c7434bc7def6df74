import { quoted } from "../oci/quoted.ts";

/** How to know a registry, and to be known by it. */
export interface TlsSettings {
  /** Certificates (PEM) of authorities to trust besides those of the system. */
  ca?: readonly string[] | undefined;
  /** Our certificate (PEM), with its key. */
  client?: { cert: string; key: string } | undefined;
  /** Trusts every certificate. What is pulled is still verified by its digest; credentials are not safe. */
  skipVerify?: boolean | undefined;
}

/** One request as it goes out. */
export interface WireRequest {
  method: string;
  url: URL;
  headers: Headers;
  body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  signal: AbortSignal;
}

/** A connection that failed, before or within an answer. */
export class ConnectionError extends Error {
  override name = "ConnectionError";

  constructor(cause: unknown) {
    super("The connection failed", { cause });
  }
}

/** Sends requests and follows no redirects. HTTP/1.1 only: blobs come side by side, better each on its own connection. */
export class Wire implements Disposable {
  readonly #tls: TlsSettings;
  #client: Deno.HttpClient | undefined;
  #closed = false;

  /** @throws {SyntaxError} when a certificate is none. */
  constructor(tls: TlsSettings) {
    this.#tls = tls;
    for (const pem of [...tls.ca ?? [], ...tls.client ? [tls.client.cert] : []]) {
      if (!pem.includes("-----BEGIN CERTIFICATE-----")) {
        throw new SyntaxError(`Cannot use certificate ${quoted(pem.trim().slice(0, 30))}: not in PEM format`);
      }
    }
  }

  /**
   * Sends one request.
   *
   * @throws {ConnectionError} when no answer comes, and the signal's reason when that aborts.
   */
  async send({ url, headers, ...request }: WireRequest): Promise<Response> {
    if (this.#closed) throw new TypeError("The registry is closed");
    headers.set("accept-encoding", "identity"); // else what comes would not be the bytes of the blob
    const client = this.#client ??= this.#open();
    try {
      if (this.#tls.skipVerify && url.protocol === "https:") {
        const { sendUnverified } = await import("./unverified.ts");
        return await sendUnverified({ url, headers, ...request }, this.#tls);
      }
      const init = { ...request, headers, body: request.body ?? null, redirect: "manual" as const };
      return await fetch(url, { ...init, client });
    } catch (error) {
      request.signal.throwIfAborted();
      throw new ConnectionError(error);
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#client?.close();
  }

  #open(): Deno.HttpClient {
    const { ca, client } = this.#tls;
    const options = { http2: false, ...ca && { caCerts: [...ca] } };
    try {
      return Deno.createHttpClient(client ? { ...options, ...client } : options);
    } catch (error) {
      if (!(error instanceof Deno.errors.InvalidData)) throw error;
      throw new SyntaxError(`Cannot use the client certificate: ${error.message}`, { cause: error });
    }
  }
}
