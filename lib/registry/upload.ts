import type { Descriptor } from "../oci/descriptor.ts";
import { hasChildren } from "../oci/media_types.ts";
import { quoted } from "../oci/quoted.ts";
import type { Answer } from "./answer.ts";
import type { Scope } from "./auth.ts";
import type { Endpoint } from "./endpoint.ts";
import { refusal, RegistryError, type Task } from "./failure.ts";
import type { Attempts } from "./retry.ts";

/** How a blob came to be in a repository. */
export interface Upload {
  /** It was there; the registry took it over from another repository; it was sent. */
  status: "exists" | "mounted" | "uploaded";
  /** Bytes, also those that had to be sent again. */
  sentBytes: number;
}

/** How to upload a blob. */
export interface UploadOptions {
  /** Another repository of the same registry, which has the blob: `library/busybox`. */
  mountFrom?: string | undefined;
}

/** Up to so many bytes go in one request; of more, what arrived stays when the connection is lost. */
const monolithicBytes = 1024 * 1024;

/** Registries compute digests and move files before they answer. */
const commitPatience = 10;

/** How often an upload that the registry has forgotten begins anew. */
const maxForgotten = 2;

/** Where an image goes: one repository. Children first, the manifest last. */
export class PushTarget {
  readonly #endpoint: Endpoint;
  readonly #repository: string;
  readonly #task: Task;
  readonly #stallMs: number;
  readonly #attempts: () => Attempts;

  /** For {@linkcode Registry.pushTo}, which makes it. */
  constructor(
    endpoint: Endpoint,
    { repository, task, stallMs, attempts }: {
      repository: string;
      task: Task;
      stallMs: number;
      attempts: () => Attempts;
    },
  ) {
    this.#endpoint = endpoint;
    this.#repository = repository;
    this.#task = task;
    this.#stallMs = stallMs;
    this.#attempts = attempts;
  }

  /** Whether the repository has the blob, manifest or index. */
  async exists({ digest, mediaType }: Pick<Descriptor, "digest" | "mediaType">): Promise<boolean> {
    const kind = hasChildren(mediaType) ? "manifests" : "blobs";
    return await this.#attempts().run(async () => {
      await using answer = await this.#endpoint.send({
        method: "HEAD",
        target: `${this.#repository}/${kind}/${digest}`,
        scope: this.#scope(),
        ...(kind === "manifests" && { headers: { accept: mediaType } }),
        expect: [200, 404],
        task: this.#task,
      });
      return answer.status === 200;
    }, this.#task.signal);
  }

  /**
   * Sees to it that the repository has a blob. `source` gives its bytes from an offset on, and is asked again after a
   * loss; an error of it is thrown as it is.
   *
   * @throws {RegistryError} when the registry does not take it.
   */
  async upload(
    descriptor: Descriptor,
    source: (offset: number) => AsyncIterable<Uint8Array>,
    { mountFrom }: UploadOptions = {},
  ): Promise<Upload> {
    if (await this.exists(descriptor)) return { status: "exists", sentBytes: 0 };
    const attempts = this.#attempts();
    const { signal } = this.#task;
    let session = await attempts.run(() => this.#begin(descriptor, mountFrom), signal);
    if (session === "mounted") return { status: "mounted", sentBytes: 0 };
    let sentBytes = 0;
    let forgotten = 0;
    const counted = async function* (offset: number): AsyncIterable<Uint8Array> {
      for await (const piece of source(offset)) {
        sentBytes += piece.length;
        yield piece;
      }
    };
    let arrived = 0;
    for (;;) {
      try {
        await this.#send(descriptor, session, counted);
        return { status: "uploaded", sentBytes };
      } catch (error) {
        const isForgotten = error instanceof RegistryError && (error.status === 404 || error.status === 416);
        if (!isForgotten || ++forgotten > maxForgotten) {
          await attempts.failed(error, signal).catch(async (last) => {
            await this.#cancel(session as Session);
            throw last;
          });
        }
        if (session.offset === descriptor.size && await this.exists(descriptor)) {
          return { status: "uploaded", sentBytes };
        }
        session = await attempts.run(() => this.#resume(session as Session), signal) ??
          await attempts.run(() => this.#begin(descriptor), signal);
        if (session === "mounted") return { status: "mounted", sentBytes };
        if (session.offset > arrived) attempts.progressed();
        arrived = session.offset;
      }
    }
  }

  /**
   * Puts a manifest or index, under a tag or its digest. All that it points to must be there.
   *
   * @throws {RegistryError} when the registry does not take it.
   */
  async putManifest(
    bytes: Uint8Array<ArrayBuffer>,
    { digest, mediaType, tag }: { digest: string; mediaType: string; tag?: string | undefined },
  ): Promise<void> {
    await this.#attempts().run(async () => {
      await using answer = await this.#endpoint.send({
        method: "PUT",
        target: `${this.#repository}/manifests/${tag ?? digest}`,
        scope: this.#scope(),
        headers: { "content-type": mediaType },
        body: () => bytes,
        expect: [200, 201, 202],
        stallMs: this.#stallMs * commitPatience,
        task: this.#task,
      });
      const stored = answer.headers.get("docker-content-digest");
      if (stored !== null && stored !== digest && stored.startsWith(digest.replace(/:.*/, ":"))) {
        throw this.#refuse(`stored the manifest as ${quoted(stored)}, not ${quoted(digest)}`);
      }
    }, this.#task.signal).catch((error) => {
      throw error instanceof RegistryError ? error.afterWriting() : error;
    });
  }

  async #begin({ digest }: Descriptor, from?: string): Promise<Session | "mounted"> {
    const query = from === undefined ? "" : `?${new URLSearchParams({ mount: digest, from })}`;
    try {
      await using answer = await this.#endpoint.send({
        method: "POST",
        target: `${this.#repository}/blobs/uploads/${query}`,
        scope: { ...this.#scope(), from },
        expect: [201, 202],
        task: this.#task,
      });
      if (answer.status === 201) return "mounted";
      return { location: this.#locationOf(answer), offset: 0 };
    } catch (error) {
      // Who may not read there may still write here.
      const mayNotRead = error instanceof RegistryError &&
        (error.code === "permission_denied" || error.code === "unauthenticated");
      if (from === undefined || !mayNotRead) throw error;
      return await this.#begin({ digest } as Descriptor);
    }
  }

  async #send(
    { digest, size }: Descriptor,
    session: Session,
    source: (offset: number) => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    let bytes = new Uint8Array(0);
    if (size <= monolithicBytes && session.offset === 0) {
      bytes = await collect(source(0), size);
    } else if (session.offset < size) {
      const { offset } = session;
      await using answer = await this.#endpoint.send({
        method: "PATCH",
        target: session.location,
        scope: this.#scope(),
        headers: {
          "content-type": "application/octet-stream",
          ...(offset > 0 && { "content-range": `${offset}-${size - 1}` }),
        },
        body: () => source(offset),
        expect: [201, 202, 204],
        stallMs: this.#stallMs,
        task: this.#task,
      });
      session.location = this.#locationOf(answer);
      session.offset = size;
    }
    const location = new URL(session.location);
    location.searchParams.set("digest", digest);
    await using _answer = await this.#endpoint.send({
      method: "PUT",
      target: location,
      scope: this.#scope(),
      headers: { "content-type": "application/octet-stream" },
      body: () => bytes,
      expect: [201, 204],
      stallMs: this.#stallMs * commitPatience,
      task: this.#task,
    });
  }

  /** How far an upload got; `undefined` when the registry no longer knows, or says too little. */
  async #resume({ location }: Session): Promise<Session | undefined> {
    try {
      await using answer = await this.#endpoint.send({
        method: "GET",
        target: location,
        scope: this.#scope(),
        expect: [202, 204],
        task: this.#task,
      });
      const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(answer.headers.get("range") ?? "")?.[1] ?? 0);
      // "0-0" is one byte, or none.
      return last > 0 ? { location: this.#locationOf(answer), offset: last + 1 } : undefined;
    } catch (error) {
      if (error instanceof RegistryError && !error.isTemporary) return undefined;
      throw error;
    }
  }

  async #cancel({ location }: Session): Promise<void> {
    if (this.#task.signal?.aborted) return; // the registry clears it away by itself
    try {
      await using _answer = await this.#endpoint.send({
        method: "DELETE",
        target: location,
        scope: this.#scope(),
        expect: [204],
        task: this.#task,
      });
    } catch {
      // The failure before is the one to report.
    }
  }

  #locationOf(answer: Answer): URL {
    const location = answer.headers.get("location");
    if (location === null || !URL.canParse(location, answer.url)) {
      throw this.#refuse("does not say where to upload to");
    }
    return new URL(location, answer.url);
  }

  #scope(): Scope {
    return { repository: this.#repository, actions: "pull,push" };
  }

  #refuse(what: string): RegistryError {
    const { host } = this.#endpoint;
    return refusal(this.#task, { code: "internal", reason: `registry ${quoted(host)} ${what}`, host });
  }
}

interface Session {
  location: URL;
  /** Bytes that the registry has. */
  offset: number;
}

async function collect(pieces: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const piece of pieces) {
    if (at + piece.length > size) {
      throw new RangeError(`The source of a blob has more than its ${size} bytes`);
    }
    bytes.set(piece, at);
    at += piece.length;
  }
  if (at < size) throw new RangeError(`The source of a blob has ${at} of its ${size} bytes`);
  return bytes;
}
