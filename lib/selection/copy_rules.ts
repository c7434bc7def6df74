import type { ImageChoice } from "./choice.ts";

/** What to copy from some namespaces to others. */
export interface CopyRule extends Omit<ImageChoice, "exclude"> {
  /** The namespaces that have the images; where two have a name, the first one counts. */
  from: string[];
  /** The namespaces that get them. */
  to: string[];
  /** Globs; all images without. */
  include: string[];
  /** Globs of images that are not copied. */
  exclude: string[];
  /** `linux/arm64`, …; all that there are without. */
  platforms: string[];
  /** Prefixes of names: what stands there, and what takes its place, as `OLD=NEW`. */
  rename: string[];
  /** What the targets have beyond is removed from them. */
  mirror: boolean;
  /** Keep Kubernetes from removing them. */
  pin: boolean;
  /** Unpack what was copied, and what was there, for containers to start from. */
  unpack: boolean;
  /** Where it begins in its file, from 1 on. */
  line: number;
}

/**
 * Reads rules for {@linkcode copyImages} from YAML: a list of them, each with `from` and `to`.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseCopyRules } from "davit";
 *
 * const [rule] = await parseCopyRules(`
 * - from: build
 *   to: [staging, k8s.io]
 *   include: example.com/app/**
 *   newest: 5
 * `, { file: "copy.yaml" });
 * assertEquals([rule?.from, rule?.newest], [["build"], 5]);
 * ```
 *
 * @throws {SyntaxError} when a rule is wrong or contradicts another, with `file`, line, and what was probably meant.
 */
export async function parseCopyRules(text: string, options: { file: string }): Promise<CopyRule[]> {
  const { readCopyRules } = await import("./read_copy_rules.ts");
  return readCopyRules(text, options);
}
