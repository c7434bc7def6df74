import type { NamespacedClient } from "../client.ts";
import { AlreadyExistsError, NotFoundError } from "../errors.ts";
import type { Image } from "../images.ts";
import { assertImageName, formatReference, parseReference } from "../oci/reference.ts";
import type { CallOptions } from "../transport/transport.ts";

/** How to tag. */
export interface TagOptions extends CallOptions {
  /** A name that exists is pointed to the image. */
  force?: boolean;
  /** Take names that no registry could have. */
  skipReferenceCheck?: boolean;
}

/**
 * Gives an image one more name, with its labels.
 *
 * ```ts
 * import { findImage, type NamespacedClient, tagImage } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const source = await findImage(client, "busybox");
 *   await tagImage(client, { source, name: "registry.example.com/busybox:1", force: true });
 * }
 * ```
 *
 * @throws {AlreadyExistsError} when there is an image of that name; not with `force`.
 * @throws {SyntaxError} when the name is no image reference.
 */
export async function tagImage(
  client: NamespacedClient,
  { source, name, force = false, skipReferenceCheck = false, ...options }:
    & { source: Image; name: string }
    & TagOptions,
): Promise<Image> {
  if (!skipReferenceCheck) assertImageName(name);
  const { target, labels } = source;
  try {
    return await client.images.create({ name, target, labels }, options);
  } catch (error) {
    if (!(error instanceof AlreadyExistsError && force)) throw error;
  }
  const now = await client.images.get(name, options);
  const obsolete = Object.keys(now.labels).filter((key) => !(key in labels)).map((key) => [key, ""]);
  return await client.images.update(
    { name, target, labels: { ...labels, ...Object.fromEntries(obsolete) } },
    options,
  );
}

/**
 * An image by its name, or else by the name that docker would take it for: `busybox` also finds
 * `docker.io/library/busybox:latest`.
 *
 * ```ts
 * import { findImage } from "davit";
 * import { assertEquals, InMemoryContainerd } from "davit/testing";
 *
 * const images = [{ name: "docker.io/library/busybox:latest" }];
 * await using client = new InMemoryContainerd({ namespaces: { default: { images } } }).client();
 * const { name } = await findImage(client.namespace("default"), "busybox");
 * assertEquals(name, "docker.io/library/busybox:latest");
 * ```
 *
 * @throws {NotFoundError} when there is neither.
 */
export async function findImage(
  client: NamespacedClient,
  name: string,
  options: CallOptions = {},
): Promise<Image> {
  try {
    return await client.images.get(name, options);
  } catch (error) {
    const complete = completed(name);
    if (!(error instanceof NotFoundError) || complete === undefined) throw error;
    return await client.images.get(complete, options).catch((second) => {
      throw second instanceof NotFoundError ? error : second;
    });
  }
}

/** The complete reference that a short name stands for; `undefined` when it is complete, or no reference at all. */
function completed(name: string): string | undefined {
  try {
    const complete = formatReference(parseReference(name));
    return complete === name ? undefined : complete;
  } catch {
    return undefined;
  }
}
