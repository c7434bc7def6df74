import type { Image as Message } from "../proto/gen/containerd/services/images/v1/images.ts";
import { labelChange, toDate, toNumber } from "./convert.ts";
import { collectionMs } from "./leases.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Images as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";
import { wholeList } from "./whole_list.ts";

/** An image: a name in one namespace for a target, which is an index or a manifest. */
export interface Image {
  /** A reference such as `docker.io/library/busybox:latest`; containerd takes any text that is not empty. */
  name: string;
  /** The index or manifest; whether this namespace has it is not said. */
  target: Descriptor;
  /** By key; containerd 2.x deletes the image itself after `containerd.io/gc.expire`, RFC 3339. */
  labels: Record<string, string>;
  /** When the name was created here, not when the image was built. */
  createdAt: Date;
  /** When the target or the labels were last set. */
  updatedAt: Date;
}

/**
 * containerd's images service, in one namespace.
 *
 * ```ts
 * import type { NamespacedClient } from "davit";
 *
 * async function example({ images }: NamespacedClient) {
 *   for await (const { name, target } of images.list({ filters: ["labels.team==web"] })) {
 *     console.log(name, target.digest);
 *     await images.update({ name, labels: { reviewed: "yes" } });
 *   }
 * }
 * ```
 */
export class Images {
  readonly #scope: Scope;

  /** For {@linkcode NamespacedClient}, whose `images` it is. */
  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** The images that match any of the filters (containerd's syntax), in the order of their names; all without one. */
  async *list({ filters = [], ...options }: CallOptions & { filters?: string[] } = {}): AsyncIterable<Image> {
    const list = async (filters: string[]) =>
      (await this.#scope.unary(methods.list, { filters }, { action: "list images", ...options })).images
        .map(fromMessage);
    yield* await wholeList({ filters, field: "name", list });
  }

  /** One image. @throws {NotFoundError} when there is none of that name in this namespace. */
  async get(name: string, options: CallOptions = {}): Promise<Image> {
    const { image } = await this.#scope.unary(methods.get, { name }, {
      action: "get",
      resource: described(name),
      ...options,
    });
    return fromMessage(image!);
  }

  /**
   * Creates an image. containerd does not check that the content is there: write it first, under a lease.
   *
   * @throws {AlreadyExistsError} when there is one of that name.
   */
  async create(
    { name, target, labels = {} }: Pick<Image, "name" | "target"> & { labels?: Record<string, string> },
    options: CallOptions = {},
  ): Promise<Image> {
    const { image } = await this.#scope.unary(methods.create, {
      image: { name, target: toTarget(target), labels },
    }, {
      action: "create",
      resource: described(name),
      ...options,
    });
    return fromMessage(image!);
  }

  /**
   * Points an image to another target or sets labels; an empty value removes its label, what is not named stays.
   *
   * @throws {NotFoundError} when there is none of that name.
   */
  async update(
    { name, target, labels = {} }: { name: string; target?: Descriptor; labels?: Record<string, string> },
    options: CallOptions = {},
  ): Promise<Image> {
    const change = labelChange(labels);
    const updateMask = [...(target ? ["target"] : []), ...change.updateMask];
    // containerd would take an empty mask to mean everything.
    if (updateMask.length === 0) return await this.get(name, options);
    const { image } = await this.#scope.unary(methods.update, {
      // It reads the target even when the mask leaves it out.
      image: { name, target: target ? toTarget(target) : {}, labels: change.labels },
      updateMask,
    }, { action: "update", resource: described(name), ...options });
    return fromMessage(image!);
  }

  /**
   * Deletes an image; its content goes with the next garbage collection unless something else needs it.
   *
   * `sync` waits for a collection. `target` deletes only if the image still points there (containerd 2.x; older
   * ones ignore it).
   *
   * @throws {NotFoundError} when there is none of that name, or its target is another.
   */
  async delete(
    name: string,
    { sync = false, target, ...options }: CallOptions & { sync?: boolean; target?: Descriptor } = {},
  ): Promise<void> {
    await this.#scope.unary(methods.delete, { name, sync, ...(target && { target: toTarget(target) }) }, {
      action: "delete",
      resource: described(name),
      ...options,
      timeoutMs: options.timeoutMs ?? (sync ? collectionMs : undefined),
    });
  }
}

function described(name: string): string {
  return `image ${quoted(name)}`;
}

function toTarget({ mediaType, digest, size, annotations = {} }: Descriptor) {
  return { mediaType, digest, size: BigInt(size), annotations };
}

function fromMessage({ name, target, labels, createdAt, updatedAt }: Message): Image {
  const { mediaType, digest, size, annotations } = target!;
  return {
    name,
    target: {
      mediaType,
      digest,
      size: toNumber(size),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    labels,
    createdAt: toDate(createdAt),
    updatedAt: toDate(updatedAt),
  };
}
