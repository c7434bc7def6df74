/**
 * Registries: what pulls and pushes are made of. How the pieces fit:
 *
 * - `registry.ts`: `openRegistry`, for any number of registries at once. Parses references, finds hosts, goes on to
 *   the next one when a mirror fails.
 * - `endpoint.ts`: one host. Sends a request (`wire.ts`, `unverified.ts`), makes it known (`auth.ts`), follows
 *   redirects without what is secret, gives up when nothing comes (`patience.ts`).
 * - `download.ts`, `upload.ts`: blobs, that go on where they broke off; `retry.ts` says how often.
 * - `host.ts`, `hosts.ts`, `hosts_toml.ts`, `credentials.ts`: configuration. None of them reads anything by itself.
 * - `failure.ts`, `secrets.ts`: what users get to see when it fails.
 *
 * A pull resolves the reference, reads manifests, which are verified here, and streams blobs into
 * `content.write({ digest, size }, (offset) => registry.blob(reference, descriptor, { offset }))`, where containerd
 * verifies them. A push uploads blobs, then manifests, and at last the one with the tag. How many blobs at once is
 * for the caller.
 *
 * @module
 */
import type { Descriptor } from "../oci/descriptor.ts";
import { quoted } from "../oci/quoted.ts";
import { formatReference, parseReference, type Reference } from "../oci/reference.ts";
import type { RetryPolicy } from "../pause.ts";
import { Clock } from "../transport/clock.ts";
import type { RegistryAnswer, Surroundings } from "./auth.ts";
import type { Credentials } from "./credentials.ts";
import { download } from "./download.ts";
import { Endpoint } from "./endpoint.ts";
import { refusal, RegistryError, type Task } from "./failure.ts";
import { defaultHost, type HostCapability, type Hosts } from "./host.ts";
import { readManifest, resolveAt, tagsAt, type TagsPage, tagsPerPage } from "./manifests.ts";
import { Attempts, type Retry } from "./retry.ts";
import { Secrets } from "./secrets.ts";
import { PushTarget } from "./upload.ts";
import type { TlsSettings } from "./wire.ts";

/** How to speak to registries. */
export interface RegistryOptions {
  /** Asked when a registry wants to know who asks. Default: nobody is known. */
  credentials?: Credentials | undefined;
  /** Mirrors and other settings. Default: each registry itself, over https. */
  hosts?: Hosts | undefined;
  /** Speaks plain http to registries for which `hosts` knows nothing. */
  plainHttp?: boolean | undefined;
  /** For registries for which `hosts` knows nothing. */
  tls?: TlsSettings | undefined;
  /** Default `davit`. */
  userAgent?: string | undefined;
  /** How often requests are repeated, and when. */
  retry?: RetryPolicy | undefined;
  /** Milliseconds without a byte after which a request is given up, and tried again. Default 30,000. */
  stallMs?: number | undefined;
  /** Told of each request that will be repeated. */
  onRetry?: ((retry: Retry) => void) | undefined;
  /** Told of each answer, for traces. */
  onAnswer?: ((answer: RegistryAnswer) => void) | undefined;
}

/** What requests have in common. */
export interface RegistryCallOptions {
  /** Ends the requests; what was called then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** What is being done, for errors. Default `pull`, for a push target `push`. */
  action?: string | undefined;
}

/** What a reference means right now. */
export interface ResolvedReference {
  /** The reference in full. */
  reference: Reference;
  /** Of the manifest or index. */
  descriptor: Descriptor;
}

/**
 * Makes ready to speak to registries; nothing is sent yet.
 *
 * ```ts
 * import { openRegistry } from "davit";
 *
 * async function example() {
 *   await using registry = openRegistry();
 *   const { descriptor } = await registry.resolve("busybox:1.36");
 *   for await (const tag of registry.tags("busybox")) console.log(tag, descriptor.digest);
 * }
 * ```
 */
export function openRegistry(options: RegistryOptions = {}): Registry {
  return new Registry(options);
}

export type { RegistryAnswer } from "./auth.ts";
export type { PushTarget } from "./upload.ts";

/** The way to registries. References may be short: `busybox` is `docker.io/library/busybox:latest`. */
export class Registry implements AsyncDisposable {
  readonly #options: RegistryOptions;
  readonly #closing = new AbortController();
  readonly #surroundings: Surroundings;
  readonly #endpoints = new Map<string, Promise<Endpoint[]>>();

  /** {@linkcode openRegistry} makes one. */
  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#surroundings = {
      credentials: options.credentials ?? (() => Promise.resolve(undefined)),
      secrets: new Secrets(),
      clock: new Clock(),
      stallMs: options.stallMs ?? 30_000,
      userAgent: options.userAgent ?? "davit",
      onAnswer: options.onAnswer,
      closing: this.#closing.signal,
    };
  }

  /**
   * Finds out what a reference means.
   *
   * @throws {RegistryError} when the registry does not say, or has what containerd cannot use.
   */
  async resolve(
    reference: string | Reference,
    options: RegistryCallOptions = {},
  ): Promise<ResolvedReference> {
    const full = inFull(reference);
    const task = taskOf(full, options);
    const descriptor = await this.#through(
      full,
      { capability: full.digest ? "pull" : "resolve", task },
      (endpoint) => resolveAt(endpoint, full, task),
    );
    return { reference: full, descriptor };
  }

  /**
   * The bytes of a manifest or index, verified.
   *
   * @throws {RegistryError} when it is not there, or not what the descriptor says.
   */
  async manifest(
    reference: string | Reference,
    descriptor: Descriptor,
    options: RegistryCallOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const full = inFull(reference);
    const task = taskOf(full, options);
    return await this.#through(full, { capability: "pull", task }, async (endpoint) => {
      return await readManifest(endpoint, { repository: full.path, descriptor, task });
    });
  }

  /**
   * The bytes of a blob from an offset on, each once, whatever is lost on the way; exactly as many as there should be.
   * Their digest is for the reader to verify.
   *
   * @throws {RegistryError} (while reading) when they cannot be had.
   */
  async *blob(
    reference: string | Reference,
    descriptor: Descriptor,
    { offset = 0, ...options }: RegistryCallOptions & { offset?: number } = {},
  ): AsyncIterable<Uint8Array> {
    const full = inFull(reference);
    const task = taskOf(full, options);
    const endpoints = await this.#endpointsFor(full.domain, { capability: "pull", task });
    yield* download(endpoints, { repository: full.path, descriptor, offset, task }, {
      attemptsAt: (endpoint) => this.#attempts({ isLast: endpoint === endpoints.at(-1) }),
    });
  }

  /**
   * The tags of a repository, in the registry's order.
   *
   * @throws {RegistryError} (while reading) when the registry does not say.
   */
  async *tags(reference: string | Reference, options: RegistryCallOptions = {}): AsyncIterable<string> {
    const { domain, path } = inFull(reference);
    const task = {
      action: options.action ?? "list tags of",
      resource: `repository ${quoted(`${domain}/${path}`)}`,
      ...options.signal && { signal: options.signal },
    };
    let target: string | URL | undefined = `${path}/tags/list?n=${tagsPerPage}`;
    while (target !== undefined) {
      const page: string | URL = target;
      const { tags, next }: TagsPage = await this.#through(
        { domain, path },
        { capability: "resolve", task },
        (endpoint) => tagsAt(endpoint, { page, repository: path, task }),
      );
      yield* tags;
      target = next;
    }
  }

  /** The repository of a reference, to push to. */
  async pushTo(reference: string | Reference, options: RegistryCallOptions = {}): Promise<PushTarget> {
    const full = inFull(reference);
    const task = taskOf(full, { action: "push", ...options });
    const [endpoint] = await this.#endpointsFor(full.domain, { capability: "push", task });
    return new PushTarget(endpoint!, {
      repository: full.path,
      task,
      stallMs: this.#surroundings.stallMs,
      attempts: () => this.#attempts({ isLast: true }),
    });
  }

  /** Ends what is under way and closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("The registry is closed", "AbortError"));
    for (const endpoints of this.#endpoints.values()) {
      for (const endpoint of await endpoints.catch(() => [])) endpoint[Symbol.dispose]();
    }
  }

  /** What the first host says that can say it. */
  async #through<Result>(
    { domain }: Reference,
    { capability, task }: { capability: HostCapability; task: Task },
    work: (endpoint: Endpoint) => Promise<Result>,
  ): Promise<Result> {
    const endpoints = await this.#endpointsFor(domain, { capability, task });
    const atMirrors: string[] = [];
    for (const endpoint of endpoints) {
      const isLast = endpoint === endpoints.at(-1);
      try {
        return await this.#attempts({ isLast }).run(() =>
          work(endpoint).catch((error) => {
            throw endpoint.failure(error, task);
          }), task.signal);
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        if (isLast) {
          throw atMirrors.length > 0
            ? error.withReason([error.reason, ...atMirrors].join("; before that, "))
            : error;
        }
        atMirrors.push(error.reason);
      }
    }
    throw new TypeError("There is always a host"); // #endpointsFor sees to it
  }

  async #endpointsFor(
    domain: string,
    { capability, task }: { capability: HostCapability; task: Task },
  ): Promise<Endpoint[]> {
    const all = this.#endpoints.get(domain) ?? this.#find(domain);
    this.#endpoints.set(domain, all);
    const able = (await all).filter(({ capabilities }) => capabilities.has(capability));
    if (able.length > 0) return able;
    throw refusal(task, {
      code: "failed_precondition",
      reason: `no host that is configured for registry ${quoted(domain)} may ${capability}`,
    });
  }

  async #find(domain: string): Promise<Endpoint[]> {
    const { hosts, plainHttp, tls } = this.#options;
    const configured = await hosts?.(domain) ?? [defaultHost(domain, { plainHttp, tls })];
    return configured.map((host) => new Endpoint(host, domain, this.#surroundings));
  }

  /** A mirror that fails is not waited for as long as a registry that nobody else stands in for. */
  #attempts({ isLast }: { isLast: boolean }): Attempts {
    const { retry = {}, onRetry } = this.#options;
    const policy = isLast ? retry : { ...retry, attempts: Math.min(2, retry.attempts ?? 2) };
    const { clock, closing } = this.#surroundings;
    return new Attempts(policy, { clock, closing, onRetry });
  }
}

function inFull(reference: string | Reference): Reference {
  return typeof reference === "string" ? parseReference(reference) : reference;
}

function taskOf(reference: Reference, { action = "pull", signal }: RegistryCallOptions): Task {
  return { action, resource: `image ${quoted(formatReference(reference))}`, signal };
}
