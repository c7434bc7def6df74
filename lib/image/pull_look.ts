import type { NamespacedClient } from "../client.ts";
import { ContainerdError, containerdError, NotFoundError, PermissionDeniedError } from "../errors.ts";
import { type Descriptor, verifyDigest } from "../oci/descriptor.ts";
import { maxDocumentBytes } from "../oci/json.ts";
import { hasChildren, isManifest } from "../oci/media_types.ts";
import type { Platform } from "../oci/platform.ts";
import { quoted } from "../oci/quoted.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import type { Registry } from "../registry/registry.ts";
import type { CallOptions } from "../transport/transport.ts";
import { WantedReader } from "./pull_tree.ts";

/** Bytes that are kept from the look for the pull; of more, the registry is asked again. */
const mostKept = 16 * 1024 * 1024;

/**
 * A look at images before anything is written: a pull that can only fail shall not even create its namespace. What was
 * read need not be asked for again.
 */
export class Look {
  readonly #client: NamespacedClient;
  /** All namespaces there are. */
  readonly #names: readonly string[];
  readonly #registry: Registry;
  readonly #options: CallOptions;
  readonly #read = new Map<string, Uint8Array<ArrayBuffer>>();
  #kept = 0;

  private constructor(
    client: NamespacedClient,
    { names, registry, ...options }: CallOptions & { names: readonly string[]; registry: Registry },
  ) {
    this.#client = client;
    this.#names = names;
    this.#registry = registry;
    this.#options = options;
  }

  /** `client` is that of the namespace to pull into. */
  static async open(
    client: NamespacedClient,
    { registry, ...options }: CallOptions & { registry: Registry },
  ): Promise<Look> {
    const names = await Array.fromAsync(client.namespaces.list(options), ({ name }) => name);
    return new Look(client, { names, registry, ...options });
  }

  /**
   * Reads the documents of an image where its namespace would come into being, and throws what a pull of it for these
   * platforms would. Those that were `given` by name must be met by a manifest without an index, too.
   */
  async at(
    reference: Reference,
    target: Descriptor,
    { platforms, given }: { platforms: readonly Platform[]; given: readonly Platform[] },
  ): Promise<void> {
    if (this.#names.includes(this.#client.name)) return;
    const reader = new WantedReader({
      name: formatReference(reference),
      pull: (descriptor) => this.#bytes(reference, descriptor),
      read: (descriptor) => this.#bytes(reference, descriptor),
      platforms,
    });
    const { configs } = await reader.read(target);
    if (given.length > 0 && isManifest(target.mediaType)) await reader.checkConfig(configs[0]!);
  }

  /** What was read of a blob; it is then no longer kept. */
  take({ digest, size }: Descriptor): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.#read.get(digest);
    if (bytes?.length !== size) return undefined;
    this.#read.delete(digest);
    this.#kept -= size;
    return bytes;
  }

  async #bytes(reference: Reference, descriptor: Descriptor): Promise<Uint8Array<ArrayBuffer>> {
    const { digest } = descriptor;
    const known = this.#read.get(digest) ?? await this.#elsewhere(descriptor);
    if (known?.length === descriptor.size) return known;
    const { signal } = this.#options;
    const bytes = hasChildren(descriptor.mediaType)
      ? await this.#registry.manifest(reference, descriptor, { signal })
      : await this.#config(reference, descriptor);
    if (this.#kept + bytes.length <= mostKept && !this.#read.has(digest)) {
      this.#read.set(digest, bytes);
      this.#kept += bytes.length;
    }
    return bytes;
  }

  /** From another namespace, as containerd would share it; what may not be shared the pull asks the registry for. */
  async #elsewhere(descriptor: Descriptor): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (const name of this.#names) {
      try {
        return await this.#client.namespace(name).content.readSmall(descriptor, this.#options);
      } catch (error) {
        const isAbsent = error instanceof NotFoundError || error instanceof PermissionDeniedError;
        if (!isAbsent && !(error instanceof RangeError) && !isDamaged(error)) throw error;
      }
    }
    return undefined;
  }

  async #config(reference: Reference, config: Descriptor): Promise<Uint8Array<ArrayBuffer>> {
    const { digest, size } = config;
    const bytes = new Uint8Array(Math.min(size, maxDocumentBytes));
    let length = 0;
    for await (const piece of this.#registry.blob(reference, config, { signal: this.#options.signal })) {
      if (length + piece.length > bytes.length) break;
      bytes.set(piece, length);
      length += piece.length;
    }
    if (length === size && await verifyDigest(bytes, digest)) return bytes;
    throw containerdError({
      code: "data_loss",
      reason: `what the registry sends as ${digest} is something else`,
      outcome: "refused",
      action: "pull",
      resource: `image ${quoted(formatReference(reference))}`,
    });
  }
}

function isDamaged(error: unknown): boolean {
  return error instanceof ContainerdError && error.code === "data_loss";
}
