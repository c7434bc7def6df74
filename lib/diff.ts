import { toDescriptor } from "./convert.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import type { Scope } from "./scope.ts";
import type { Mount } from "./snapshots.ts";
import { Diff as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";
import { unary } from "./unbounded.ts";

/**
 * containerd's diff service, in one namespace: layers become files, and files layers.
 *
 * ```ts
 * import type { Descriptor, NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient, layer: Descriptor) {
 *   await using lease = await client.leases.acquire({ prefix: "example" });
 *   const holder = client.withLease(lease.id);
 *   const mounts = await holder.snapshots("overlayfs").prepare({ key: "scratch" });
 *   const { digest } = await holder.diff.apply({ layer, mounts });
 *   console.log(digest); // the layer's diff id
 * }
 * ```
 */
export class Diff {
  readonly #scope: Scope;

  /** For {@linkcode NamespacedClient}, whose `diff` it is. */
  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * Unpacks a layer of this namespace into mounts, which containerd makes for it. Resolves to the descriptor of the
   * layer without compression: compare its digest with the diff id that the image's config has.
   *
   * When it fails, the snapshot of the mounts has a part of the layer: remove it and never commit it.
   *
   * @throws {NotFoundError} when this namespace has no such blob.
   */
  async apply(
    { layer, mounts }: { layer: Descriptor; mounts: readonly Mount[] },
    { syncFs = false, ...options }: CallOptions & { syncFs?: boolean | undefined } = {},
  ): Promise<Descriptor> {
    const { mediaType, digest, size, annotations = {} } = layer;
    const diff = { mediaType, digest, size: BigInt(size), annotations };
    const request = { diff, mounts: mounts.map(toMessage), syncFs };
    const call = { action: "unpack", resource: `layer ${digest}`, ...options };
    const { applied } = await unary(this.#scope, { method: methods.apply, request }, call);
    return toDescriptor(applied!);
  }

  /**
   * Packs what the files of `right` have beyond those of `left` into a new blob of this namespace, a layer. Without a
   * media type it is packed with gzip.
   */
  async diff(
    { left, right, mediaType = "", ref = "", labels = {} }: {
      left: readonly Mount[];
      right: readonly Mount[];
      mediaType?: string | undefined;
      ref?: string | undefined;
      labels?: Record<string, string>;
    },
    options: CallOptions = {},
  ): Promise<Descriptor> {
    const request = { left: left.map(toMessage), right: right.map(toMessage), mediaType, ref, labels };
    const call = { action: "pack the difference of two snapshots", ...options };
    const { diff } = await unary(this.#scope, { method: methods.diff, request }, call);
    return toDescriptor(diff!);
  }
}

function toMessage({ options, ...mount }: Mount) {
  return { ...mount, options: [...options] };
}
