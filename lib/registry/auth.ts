import { quoted } from "../oci/quoted.ts";
import type { Clock } from "../transport/clock.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Credential, Credentials } from "./credentials.ts";
import { answerFailure, connectionTrouble, refusal, type RegistryError, type Task } from "./failure.ts";
import { Patience, Stalled } from "./patience.ts";
import type { Secrets } from "./secrets.ts";
import { ConnectionError, type Wire } from "./wire.ts";

/** What a request needs the right to. */
export interface Scope {
  repository: string;
  actions: "pull" | "pull,push";
  /** Another repository, to read from. */
  from?: string | undefined;
}

/** That a registry, or where it redirects to, has answered; nothing in it is secret. */
export interface RegistryAnswer {
  /** `GET`, `HEAD`, … */
  method: string;
  /** Without its query. */
  url: string;
  /** Of HTTP. */
  status: number;
  /** Until the headers came. */
  milliseconds: number;
}

/** What the registries of one run share. */
export interface Surroundings {
  credentials: Credentials;
  secrets: Secrets;
  clock: Clock;
  /** Milliseconds without a byte after which a request is given up. */
  stallMs: number;
  userAgent: string;
  onAnswer: ((answer: RegistryAnswer) => void) | undefined;
  /** Aborts when all is to end. */
  closing: AbortSignal;
}

interface Token {
  value: string;
  /** In the time of `performance.now()`. */
  expiresAt: number;
}

/** How long before their end tokens count as used up, so that a request does not meet it on its way. */
const marginMs = 5_000;

const maxTokenBytes = 1024 * 1024;

/**
 * Makes requests to one host known to it: by name and password, or by tokens from the token server that the host
 * names. Nothing is sent before the host asks.
 *
 * @see {@link https://distribution.github.io/distribution/spec/auth/token/}
 */
export class Authorizer {
  readonly #root: URL;
  /** As in references, by which credentials are kept. */
  readonly #registry: string;
  readonly #wire: Wire;
  readonly #surroundings: Surroundings;
  readonly #tokens = new Map<string, Promise<Token>>();
  readonly #found = new Map<string, Promise<Credential | undefined>>();
  #challenge: Challenge | undefined;

  constructor(
    { root, registry, wire }: { root: URL; registry: string; wire: Wire },
    surroundings: Surroundings,
  ) {
    this.#root = root;
    this.#registry = registry;
    this.#wire = wire;
    this.#surroundings = surroundings;
  }

  /** The value of `Authorization`; `undefined` while the host has not asked, or for somebody without a name. */
  async header(scope: Scope, task: Task): Promise<string | undefined> {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    const credential = await this.#credential(scope.repository, task);
    if (credential && "registryToken" in credential) return `Bearer ${credential.registryToken}`;
    if (challenge.scheme === "bearer") return `Bearer ${await this.#token(challenge, scope, task)}`;
    return credential && "username" in credential ? this.#basic(credential) : undefined;
  }

  /**
   * Takes in that the host wants to know more.
   *
   * @throws {RegistryError} when there is nothing more to say.
   */
  async challenged(
    response: Response,
    { sent, scope, task, isLast }: { sent: string | undefined; scope: Scope; task: Task; isLast: boolean },
  ): Promise<void> {
    const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "");
    const challenge = challenges.find(({ scheme }) => scheme === "bearer") ??
      challenges.find(({ scheme }) => scheme === "basic");
    if (challenge === undefined || isLast) throw await this.#refused(response, { scope, task });
    this.#challenge = challenge;
    if (challenge.scheme === "bearer" && sent !== undefined) {
      const key = keyOf(challenge, scope);
      const used = await this.#tokens.get(key)?.catch(() => undefined);
      if (used && sent === `Bearer ${used.value}`) this.#tokens.delete(key);
    }
    const next = await this.header(scope, task);
    if (next === undefined || next === sent) throw await this.#refused(response, { scope, task });
    await response.body?.cancel();
  }

  async #refused(
    response: Response,
    { scope, task }: { scope: Scope; task: Task },
  ): Promise<RegistryError> {
    const credential = await this.#credential(scope.repository, task);
    const { reason } = await answerFailure(task, response, {
      host: this.#root.host,
      redact: this.#surroundings.secrets.redact,
    });
    return this.#unauthenticated(task, credential, reason.replace(/^.*?answers 401/, ""));
  }

  #unauthenticated(task: Task, credential: Credential | undefined, more = ""): RegistryError {
    const named = `registry ${quoted(this.#root.host)}`;
    return refusal(task, {
      code: "unauthenticated",
      reason: credential
        ? `${named} refuses the credentials for it${more}`
        : `${named} wants credentials${more}`,
      host: this.#root.host,
      status: 401,
      trouble: credential ? "credentials refused" : "credentials wanted",
    });
  }

  /** @throws {RegistryError} when who should have a credential cannot say. */
  async #credential(repository: string, task: Task): Promise<Credential | undefined> {
    const { credentials, secrets } = this.#surroundings;
    const found = this.#found.get(repository) ??
      credentials({ host: this.#registry, repository }).then((credential) => {
        for (const [name, value] of Object.entries(credential ?? {})) {
          if (name !== "username") secrets.add(value);
        }
        return credential;
      });
    this.#found.set(repository, found);
    try {
      return await found;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      throw refusal(task, {
        code: "unauthenticated",
        reason: said.replace(/^Cannot /, "cannot "),
        host: this.#root.host,
        cause: error,
      });
    }
  }

  #basic({ username, password }: { username: string; password: string }): string {
    const encoded = new TextEncoder().encode(`${username}:${password}`).toBase64();
    this.#surroundings.secrets.add(encoded);
    return `Basic ${encoded}`;
  }

  /** Requests that want the same token at once share one. */
  async #token(challenge: Challenge, scope: Scope, task: Task): Promise<string> {
    const key = keyOf(challenge, scope);
    for (;;) {
      const known = this.#tokens.get(key);
      const token = await known;
      if (token && token.expiresAt > performance.now()) return token.value;
      if (this.#tokens.get(key) !== known) continue; // another has renewed it meanwhile
      const fetched = this.#fetchToken(challenge, scope, task);
      this.#tokens.set(key, fetched);
      fetched.catch(() => {
        if (this.#tokens.get(key) === fetched) this.#tokens.delete(key);
      });
      return (await fetched).value;
    }
  }

  async #fetchToken({ parameters }: Challenge, scope: Scope, task: Task): Promise<Token> {
    const realm = this.#realm(parameters.get("realm") ?? "", task);
    const service = parameters.get("service");
    const credential = await this.#credential(scope.repository, task);
    const headers = new Headers({ "user-agent": this.#surroundings.userAgent, accept: "application/json" });
    const form = new URLSearchParams(service === undefined ? {} : { service });
    let body;
    if (credential && "identityToken" in credential) {
      form.append("scope", scopeTexts(scope).join(" "));
      form.append("client_id", "davit");
      form.append("grant_type", "refresh_token");
      form.append("refresh_token", credential.identityToken);
      body = new TextEncoder().encode(form.toString());
      headers.set("content-type", "application/x-www-form-urlencoded");
    } else {
      for (const text of scopeTexts(scope)) form.append("scope", text);
      if (credential && "username" in credential) {
        form.append("account", credential.username);
        headers.set("authorization", this.#basic(credential));
      }
      for (const [name, value] of form) realm.searchParams.append(name, value);
    }
    const method = body === undefined ? "GET" : "POST";
    const { clock, stallMs, closing } = this.#surroundings;
    using patience = new Patience({ clock, ms: stallMs, signal: closing });
    const sentAt = performance.now();
    const named = `token server ${quoted(realm.host)} of registry ${quoted(this.#root.host)}`;
    let text;
    try {
      const { signal } = patience;
      const response = await this.#wire.send({ method, url: realm, headers, signal, ...body && { body } });
      if (response.status !== 200) {
        const { redact } = this.#surroundings.secrets;
        const failure = await answerFailure(task, response, { host: realm.host, redact });
        if (response.status === 401 || response.status === 403 || response.status === 400) {
          throw this.#unauthenticated(task, credential, `, says its token server ${quoted(realm.host)}`);
        }
        throw failure.withReason(failure.reason.replace(/^registry "[^"]*"/, named));
      }
      text = await limitedText(response, patience);
    } catch (error) {
      closing.throwIfAborted();
      if (error instanceof Stalled) {
        const reason = `${named}: ${error.message}`;
        throw refusal(task, { code: "deadline_exceeded", reason, isTemporary: true, host: realm.host });
      }
      if (!(error instanceof ConnectionError)) throw error;
      const trouble = connectionTrouble(error);
      const reason = `${named}: ${this.#surroundings.secrets.redact(trouble.reason)}`;
      throw refusal(task, { ...trouble, reason, host: realm.host });
    }
    return this.#readToken(text, { sentAt, task, named });
  }

  /** Credentials go to no token server that somebody on the way could be, unless the registry itself is one. */
  #realm(realm: string, task: Task): URL {
    const refuse = (reason: string) =>
      refusal(task, {
        code: "permission_denied",
        reason: `registry ${quoted(this.#root.host)} names ${reason}`,
        host: this.#root.host,
      });
    if (!URL.canParse(realm)) throw refuse("no token server that could be asked");
    const url = new URL(realm);
    if (url.protocol !== "https:" && !(url.protocol === "http:" && this.#root.protocol === "http:")) {
      throw refuse(`a token server without TLS: ${quoted(url.host)}`);
    }
    if (url.username || url.password) throw refuse("a token server with credentials in its URL");
    return url;
  }

  #readToken(
    text: string,
    { sentAt, task, named }: { sentAt: number; task: Task; named: string },
  ): Token {
    let json: Record<string, unknown> = {};
    try {
      json = Object(JSON.parse(text));
    } catch {
      // It then has no token.
    }
    const { token, access_token: accessToken, expires_in: seconds } = json;
    const value = [token, accessToken].find((one) => typeof one === "string" && one !== "");
    if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) {
      throw refusal(task, { code: "internal", reason: `${named} answers without a token` });
    }
    this.#surroundings.secrets.add(value);
    const livesMs = typeof seconds === "number" && seconds > 0 ? seconds * 1000 : 60_000;
    return { value, expiresAt: sentAt + Math.max(livesMs - marginMs, livesMs / 2) };
  }
}

function scopeTexts({ repository, actions, from }: Scope): string[] {
  const own = `repository:${repository}:${actions}`;
  return from === undefined || from === repository ? [own] : [own, `repository:${from}:pull`];
}

function keyOf({ parameters }: Challenge, scope: Scope): string {
  return [parameters.get("realm"), parameters.get("service"), ...scopeTexts(scope)].join(" ");
}

async function limitedText({ body }: Response, patience: Patience): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const piece of body ?? []) {
      patience.restart();
      text += decoder.decode(piece, { stream: true });
      if (text.length > maxTokenBytes) break;
    }
  } catch (error) {
    patience.signal.throwIfAborted();
    throw new ConnectionError(error);
  }
  return text;
}
