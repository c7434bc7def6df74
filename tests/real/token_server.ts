import type { Authority, KeyPair } from "./certificates.ts";
import { account } from "./registry.ts";

/** A request for a token, as it came. */
export interface TokenRequest {
  method: string;
  authorization: string | null;
  /** Of the query, or of the form. */
  parameters: URLSearchParams;
}

/** Whom tokens are made for; docker-registry is told of it. */
const issuer = "davit tests";

/** A token server as docker-registry trusts one: anybody may pull, the {@linkcode account} and who has the token push. */
export class TokenServer implements AsyncDisposable {
  readonly requests: TokenRequest[] = [];
  /** Seconds, with the first token; later ones live long. @default 300 */
  lifetime = 300;
  /** Answers in place of the server. */
  fault: (request: TokenRequest) => Response | undefined = () => undefined;
  readonly identityToken = "canary-identity-t0ken";
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #signing: CryptoKey;
  readonly #pair: KeyPair;
  readonly #certificate: string;
  readonly #isTls: boolean;

  private constructor(
    { signing, pair, certificate, tls }: {
      signing: CryptoKey;
      pair: KeyPair;
      certificate: string;
      tls: { cert: string; key: string } | undefined;
    },
  ) {
    this.#signing = signing;
    this.#pair = pair;
    this.#certificate = certificate;
    this.#isTls = tls !== undefined;
    const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
    this.#server = Deno.serve({ ...options, ...tls }, (request) => this.#handle(request));
  }

  static async start(authority: Authority, { tls = false }: { tls?: boolean } = {}): Promise<TokenServer> {
    const pair = await authority.sign();
    const key = await Deno.readTextFile(pair.key);
    const cert = await Deno.readTextFile(pair.cert);
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const signing = await crypto.subtle.importKey("pkcs8", derOf(key), algorithm, false, ["sign"]);
    const certificate = derOf(cert).toBase64();
    return new TokenServer({ signing, pair, certificate, tls: tls ? { cert, key } : undefined });
  }

  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  /** For {@linkcode LocalRegistry}. */
  get settings(): { realm: string; service: string; issuer: string; cert: string } {
    const realm = `${this.#isTls ? "https" : "http"}://${this.host}/token`;
    return { realm, service: "davit registry", issuer, cert: this.#pair.cert };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #handle(request: Request): Promise<Response> {
    const { method, headers } = request;
    const parameters = method === "POST"
      ? new URLSearchParams(await request.text())
      : new URL(request.url).searchParams;
    const asked = { method, authorization: headers.get("authorization"), parameters };
    this.requests.push(asked);
    const fault = this.fault(asked);
    if (fault) return fault;
    const known = `Basic ${btoa(`${account.username}:${account.password}`)}`;
    const isKnown = asked.authorization === known || parameters.get("refresh_token") === this.identityToken;
    if (asked.authorization !== null && !isKnown) return new Response("no", { status: 401 });
    const scopes = parameters.getAll("scope").flatMap((scope) => scope.split(" "));
    const token = await this.#sign(scopes.map((scope) => access(scope, isKnown)));
    const expires = this.requests.length === 1 ? this.lifetime : 300;
    return Response.json({ [method === "POST" ? "access_token" : "token"]: token, expires_in: expires });
  }

  async #sign(access: object[]): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const header = { typ: "JWT", alg: "ES256", x5c: [this.#certificate] };
    const claims = {
      ...{ iss: issuer, sub: account.username, aud: this.settings.service, access },
      ...{ iat: now - 10, nbf: now - 10, exp: now + 300, jti: crypto.randomUUID() },
    };
    const encode = (bytes: Uint8Array) => bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    const text = [header, claims].map((part) => encode(new TextEncoder().encode(JSON.stringify(part)))).join(
      ".",
    );
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    const signature = await crypto.subtle.sign(algorithm, this.#signing, new TextEncoder().encode(text));
    return `${text}.${encode(new Uint8Array(signature))}`;
  }
}

function access(scope: string, isKnown: boolean): object {
  const [type, name, actions = ""] = scope.split(":");
  return { type, name, actions: actions.split(",").filter((action) => isKnown || action === "pull") };
}

function derOf(pem: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(pem.replace(/-----[^-]*-----|\s/g, ""));
}
