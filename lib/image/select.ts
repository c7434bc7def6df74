import type { NamespacedClient } from "../client.ts";
import { equals } from "../filters.ts";
import type { Image } from "../images.ts";
import { compileGlob, isGlob } from "../oci/glob.ts";
import type { CallOptions } from "../transport/transport.ts";

/** The images that patterns select. */
export interface ImageSelection {
  /** Each once, in the order of their names. */
  images: Image[];
  /** Names and globs that no image has. */
  unmatched: string[];
}

/**
 * Selects images by name, by glob (`*` stops at `/`, `**` does not), or by filter in containerd's syntax
 * (`labels."owner"==ops`); all without a pattern.
 *
 * ```ts
 * import { selectImages } from "davit";
 * import { assertEquals, InMemoryContainerd } from "davit/testing";
 *
 * const images = ["app:1", "app:2", "db:1"].map((name) => ({ name: `example.com/${name}` }));
 * await using client = new InMemoryContainerd({ namespaces: { build: { images } } }).client();
 * const selection = await selectImages(client.namespace("build"), ["example.com/app:*", "example.com/web:1"]);
 * assertEquals(selection.images.map(({ name }) => name), ["example.com/app:1", "example.com/app:2"]);
 * assertEquals(selection.unmatched, ["example.com/web:1"]);
 * ```
 *
 * @throws {InvalidArgumentError} when a filter is malformed.
 */
export async function selectImages(
  client: NamespacedClient,
  patterns: readonly string[],
  options: CallOptions = {},
): Promise<ImageSelection> {
  const filters = patterns.filter(isFilter);
  const globs = patterns.filter((pattern) => !isFilter(pattern) && isGlob(pattern));
  const names = patterns.filter((pattern) => !isFilter(pattern) && !isGlob(pattern));
  const found = new Map<string, Image>();
  const unmatched = new Set([...globs, ...names]);

  if (globs.length > 0 || patterns.length === 0) {
    const matchers = globs.map((glob) => ({ glob, matches: compileGlob(glob) }));
    for await (const image of client.images.list(options)) {
      const matching = matchers.filter(({ matches }) => matches(image.name));
      for (const { glob } of matching) unmatched.delete(glob);
      if (matching.length > 0 || patterns.length === 0) found.set(image.name, image);
    }
  }
  if (filters.length > 0 || names.length > 0) {
    const exact = names.map((name) => equals("name", name));
    for await (const image of client.images.list({ filters: [...filters, ...exact], ...options })) {
      unmatched.delete(image.name);
      found.set(image.name, image);
    }
  }
  const images = [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { images, unmatched: [...unmatched] };
}

/** A comparison, which no reference of an image holds. */
function isFilter(pattern: string): boolean {
  return /[=!~]=/.test(pattern);
}
