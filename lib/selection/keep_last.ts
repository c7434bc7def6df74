import type { Image } from "../images.ts";
import { isAlias, repositoryOf, tagOf } from "./choice.ts";
import { newestFirst, type TagOrder } from "./version.ts";

/** What of an image tells which of its repository it is. */
export type NamedImage = Pick<Image, "name" | "updatedAt">;

/** A list in two parts. */
export interface Kept<Named> {
  /** The newest of each repository, and all that has no place among them. */
  kept: Named[];
  /** What is left, each older than all that is kept of its repository. */
  rest: Named[];
}

/**
 * Parts images into the newest `count` of each repository and the rest, both in their order. Names that are no tag of a
 * repository are kept: nothing is newer than they are. What uses an image, or pins it, is not looked at: `planPrune`
 * does.
 *
 * ```ts
 * import { keepLast } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * const updatedAt = new Date();
 * const images = ["1.9.0", "1.10.0", "1.2.0"].map((tag) => ({ name: `example.com/app:${tag}`, updatedAt }));
 * const { rest } = keepLast(images, 2, { order: "semver" });
 * assertEquals(rest.map(({ name }) => name), ["example.com/app:1.2.0"]);
 * ```
 *
 * @throws {RangeError} when `count` is not a whole number of 0 or more.
 */
export function keepLast<Named extends NamedImage>(
  images: Iterable<Named>,
  count: number,
  { order = "time" }: { order?: TagOrder } = {},
): Kept<Named> {
  // Anything else could let all of them go.
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`Cannot keep the last ${count}: expected a whole number of 0 or more`);
  }
  const all = [...images];
  const old = new Set<Named>();
  for (const newest of newestByRepository(all, { order }).values()) {
    for (const image of newest.slice(count)) old.add(image);
  }
  return { kept: all.filter((image) => !old.has(image)), rest: all.filter((image) => old.has(image)) };
}

/**
 * Images by their repository, the newest first: by the time when the name was set, by the version in the tag, or by
 * tags as people sort them. Names of digests, and what is no name of an image, have no place in it.
 *
 * ```ts
 * import { newestByRepository } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * const images = [1, 2].map((day) => ({ name: `example.com/app:${day}`, updatedAt: new Date(2026, 0, day) }));
 * const [newest] = newestByRepository(images).get("example.com/app") ?? [];
 * assertEquals(newest?.name, "example.com/app:2");
 * ```
 */
export function newestByRepository<Named extends NamedImage>(
  images: Iterable<Named>,
  { order = "time" }: { order?: TagOrder } = {},
): Map<string, Named[]> {
  const compare = newestFirst(order);
  const repositories = new Map<string, Named[]>();
  for (const [repository, named] of Map.groupBy(images, ({ name }) => repositoryOf(name))) {
    const tagged = named.filter((image) => !isAlias(image))
      .map((image) => ({ image, tag: tagOf(image.name), updatedAt: image.updatedAt }));
    if (repository === undefined || tagged.length === 0) continue;
    repositories.set(repository, tagged.sort(compare).map(({ image }) => image));
  }
  return repositories;
}
