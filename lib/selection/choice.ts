import type { Image } from "../images.ts";
import { isContentDigest } from "../oci/descriptor.ts";
import { compileGlob } from "../oci/glob.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { inRange, newestFirst, type TagOrder } from "./version.ts";

/** What narrows a list of images down; everything that is given must hold. */
export interface ImageChoice {
  /** Not those that one of these names or globs matches. */
  exclude?: readonly string[] | undefined;
  /** Only those whose tag is a version of this range: `>=1.2 <2`. */
  versions?: string | undefined;
  /** Only those whose name was set less than this long ago, in milliseconds. */
  maxAgeMs?: number | undefined;
  /** Of what is left, only this many of each repository. */
  newest?: number | undefined;
  /** Which ones are the newest. Default: `"time"`, that is when the name was last set. */
  order?: TagOrder | undefined;
}

/**
 * The images that a choice leaves, in their order.
 *
 * ```ts
 * import { chooseImages } from "davit";
 * import { assertEquals, InMemoryContainerd } from "davit/testing";
 *
 * const images = ["1.9", "1.10", "2.0"].map((tag) => ({ name: `example.com/app:${tag}` }));
 * await using client = new InMemoryContainerd({ namespaces: { build: { images } } }).client();
 * const all = await Array.fromAsync(client.namespace("build").images.list());
 * const chosen = chooseImages(all, { versions: "<2", newest: 1, order: "semver" });
 * assertEquals(chosen.map(({ name }) => name), ["example.com/app:1.10"]);
 * ```
 *
 * @throws {SyntaxError} when the range of versions is malformed.
 */
export function chooseImages(
  images: readonly Image[],
  { exclude = [], versions, maxAgeMs = Infinity, newest = Infinity, order = "time" }: ImageChoice,
): Image[] {
  const excluders = exclude.map(compileGlob);
  const isVersion = versions === undefined ? () => true : inRange(versions);
  const now = Date.now();
  const left = images.filter(({ name, updatedAt }) =>
    !excluders.some((matches) => matches(name)) && now - updatedAt.getTime() < maxAgeMs &&
    isVersion(tagOf(name))
  );
  if (newest === Infinity) return left;
  const chosen = new Set<string>();
  for (const [repository, ofIt] of Map.groupBy(left, ({ name }) => repositoryOf(name))) {
    const tagged = ofIt.map(({ name, updatedAt }) => ({ name, tag: tagOf(name), updatedAt }));
    // Names without a repository have no newer ones.
    const kept = repository === undefined ? tagged : tagged.toSorted(newestFirst(order)).slice(0, newest);
    for (const { name } of kept) chosen.add(name);
  }
  return left.filter(({ name }) => chosen.has(name));
}

/**
 * The repository that an image's name names, with its registry; `undefined` when it names none.
 *
 * ```ts
 * import { repositoryOf, tagOf } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * assertEquals(repositoryOf("example.com/team/app:1.2"), "example.com/team/app");
 * assertEquals(tagOf("example.com/team/app:1.2"), "1.2");
 * assertEquals(repositoryOf("not a name"), undefined);
 * ```
 */
export function repositoryOf(name: string): string | undefined {
  const reference = referenceOf(name);
  return reference && formatReference({ domain: reference.domain, path: reference.path });
}

/** The tag in an image's name; empty when there is none. */
export function tagOf(name: string): string {
  return referenceOf(name)?.tag ?? "";
}

/** A name without a tag, by which Kubernetes files images beside their tags. */
export function isAlias({ name }: Pick<Image, "name">): boolean {
  return isContentDigest(name) ||
    (name.includes("@") && repositoryOf(name) !== undefined && tagOf(name) === "");
}

function referenceOf(name: string): ReturnType<typeof parseReference> | undefined {
  try {
    return parseReference(name, { defaults: false });
  } catch {
    return undefined; // containerd takes any text for a name
  }
}
