/** Which images of a namespace may go, each with the reason in words. Pure: who asks brings what is known. */
import { formatBytes, formatDuration } from "@std/fmt";
import type { Image } from "../images.ts";
import { parsePlatform, type Platform } from "../oci/platform.ts";
import { settleAliases } from "./aliases.ts";
import { isAlias, repositoryOf } from "./choice.ts";
import { newestByRepository } from "./keep_last.ts";
import { platformReason, platformWords } from "./only_for.ts";
import { isPinned } from "./pinned.ts";
import type { TagOrder } from "./version.ts";

/** What an image must meet to go: every criterion that is given. */
export interface RetentionRules {
  /** It is not among the newest of its repository, this many of them. */
  keepLast?: number | undefined;
  /** What newest means there. Default: `"time"`, that is when the name was last set. */
  order?: TagOrder | undefined;
  /** Its name was set longer ago than this, in milliseconds. */
  olderThanMs?: number | undefined;
  /** No container uses it, running or not. */
  unused?: boolean | undefined;
  /** It is complete for one of these platforms, `linux/arm64`, and for no other. */
  platforms?: readonly string[] | undefined;
  /**
   * All that stays in its namespace has this many bytes without it, counted from the newest on, what is shared once; what
   * other namespaces share with it counts in each.
   */
  maxBytes?: number | undefined;
}

/** What is known of the images, for the rules and for what no rule may touch. */
export interface RetentionFacts {
  /** What ages are counted to. */
  now: Date;
  /** A name that was set less than this long ago stays, in milliseconds. */
  minAgeMs: number;
  /** The containers that use an image, by its name or that of another with the same target. */
  usersOf(image: Image): readonly string[];
  /** The leases of others that hold its target. */
  leasesOf(image: Image): readonly string[];
  /** The content that it keeps, bytes by digest; only asked for with `maxBytes`. */
  contentOf(image: Image): ReadonlyMap<string, number>;
  /** The platforms of which it is complete; only asked for with `platforms`. */
  platformsOf(image: Image): readonly Platform[];
}

/** What is to become of an image, and why. */
export interface RetentionDecision {
  /** What was judged. */
  image: Image;
  /** What is to become of it. */
  action: "keep" | "remove";
  /** Why, in words. */
  reason: string;
}

/** `undefined`: the criterion has nothing against it; a text: why it must stay. */
type Judge = (image: Image) => string | undefined;

/** A criterion, and why what it does not keep goes. */
interface Criterion {
  keeps: Judge;
  against: (image: Image) => string;
}

/**
 * Judges images of one namespace, all of `candidates` in their order.
 *
 * An image goes when every criterion agrees and nothing protects it. The digests under which Kubernetes files it go with
 * its last tag, also those that are no candidates (they come last), and never without it; `images` are all of the
 * namespace, for that.
 *
 * ```ts
 * import { type Image, judgeImages } from "davit";
 *
 * function example(images: readonly Image[]) {
 *   const facts = {
 *     now: new Date(),
 *     minAgeMs: 60 * 60 * 1000,
 *     usersOf: () => [],
 *     leasesOf: () => [],
 *     contentOf: () => new Map(),
 *     platformsOf: () => [],
 *   };
 *   return judgeImages(images, { images, rules: { keepLast: 3 }, facts });
 * }
 * ```
 *
 * @throws {SyntaxError} when a platform is malformed.
 */
export function judgeImages(
  candidates: readonly Image[],
  { images, rules, facts }: { images: readonly Image[]; rules: RetentionRules; facts: RetentionFacts },
): RetentionDecision[] {
  const criteria = criteriaOf(rules, { candidates, facts });
  const why: Protection = {
    facts,
    pinned: new Set(images.filter(isPinned).map(({ target }) => target.digest)),
    youngest: youngestAliases(images),
  };
  const decisions = new Map<string, RetentionDecision>();
  const judge = (image: Image): RetentionDecision => {
    const kept = protection(image, why) ?? firstOf(criteria.map(({ keeps }) => keeps(image)));
    return kept === undefined
      ? { image, action: "remove", reason: criteria.map(({ against }) => against(image)).join(", ") }
      : { image, action: "keep", reason: kept };
  };
  for (const image of candidates) decisions.set(image.name, judge(image));
  if (rules.maxBytes !== undefined) applyBudget(decisions, { maxBytes: rules.maxBytes, facts });
  settleAliases(decisions, images);
  return [...decisions.values()];
}

function criteriaOf(
  { keepLast, order = "time", olderThanMs, unused, platforms = [] }: RetentionRules,
  { candidates, facts }: { candidates: readonly Image[]; facts: RetentionFacts },
): Criterion[] {
  const criteria: Criterion[] = [];
  if (unused) {
    criteria.push({ keeps: () => undefined, against: () => "no container uses it" }); // users protect, always
  }
  if (olderThanMs !== undefined) {
    criteria.push({
      keeps: (image) => {
        const age = ageOf(image, facts);
        return age <= olderThanMs
          ? `set ${words(age)} ago, which is not over ${words(olderThanMs)}`
          : undefined;
      },
      against: (image) => `set ${words(ageOf(image, facts))} ago`,
    });
  }
  const wanted = platforms.map((text) => parsePlatform(text));
  if (wanted.length > 0) {
    criteria.push({
      keeps: (image) => platformReason(facts.platformsOf(image), wanted),
      against: (image) => `is for ${platformWords(facts.platformsOf(image))} only`,
    });
  }
  if (keepLast !== undefined) criteria.push(newestOfEach(candidates, { keepLast, order }));
  return criteria;
}

/** Keeps the newest of each repository. */
function newestOfEach(
  candidates: readonly Image[],
  { keepLast, order }: { keepLast: number; order: TagOrder },
): Criterion {
  const places = new Map<string, number>();
  for (const newest of newestByRepository(candidates, { order }).values()) {
    newest.forEach(({ name }, place) => places.set(name, place));
  }
  return {
    keeps: (image) => {
      const place = places.get(image.name);
      // Names that are digests have no order; with a tag they follow it, without one nothing newer is known.
      if (place === undefined) return isAlias(image) ? undefined : "not in a repository";
      return place < keepLast
        ? `number ${place + 1} of the newest ${keepLast} of ${repositoryOf(image.name)}`
        : undefined;
    },
    against: (image) => {
      const place = places.get(image.name);
      return place === undefined
        ? "has no tag any more"
        : `number ${place + 1} of ${repositoryOf(image.name)}, of which ${keepLast} stay`;
    },
  };
}

/** Of what the other criteria would let go, keeps the newest for which there is room beside all that stays. */
function applyBudget(
  decisions: Map<string, RetentionDecision>,
  { maxBytes, facts }: { maxBytes: number; facts: RetentionFacts },
): void {
  const kept = new Map<string, number>();
  const budget = `the budget of ${formatBytes(maxBytes, { binary: true }).replace("kiB", "KiB")}`;
  let bytes = 0;
  const added = (image: Image) => [...facts.contentOf(image)].filter(([digest]) => !kept.has(digest));
  const keep = (image: Image) => {
    for (const [digest, size] of added(image)) {
      kept.set(digest, size);
      bytes += size;
    }
  };
  const all = [...decisions.values()];
  for (const { image, action } of all) if (action === "keep") keep(image);
  const going = all.filter(({ action }) => action === "remove");
  const byAge = going.toSorted((a, b) => b.image.updatedAt.getTime() - a.image.updatedAt.getTime());
  let isFull = false;
  for (const { image, reason } of byAge) {
    const size = added(image).reduce((sum, [, size]) => sum + size, 0);
    isFull ||= bytes + size > maxBytes;
    if (isFull) {
      const over = `over ${budget}`;
      decisions.set(image.name, {
        image,
        action: "remove",
        reason: reason === "" ? over : `${reason}, ${over}`,
      });
    } else {
      keep(image);
      decisions.set(image.name, {
        image,
        action: "keep",
        reason: `within ${budget}`,
      });
    }
  }
}

/** What protects images. */
interface Protection {
  facts: RetentionFacts;
  /** The targets that are pinned, by whatever name. */
  pinned: ReadonlySet<string>;
  /** By target the alias that was set last. */
  youngest: ReadonlyMap<string, Image>;
}

/** Whoever pulls by a digest sets an alias, and may not have used the image yet. */
function youngestAliases(images: readonly Image[]): Map<string, Image> {
  const youngest = new Map<string, Image>();
  for (const image of images.filter(isAlias)) {
    const before = youngest.get(image.target.digest);
    if (before === undefined || before.updatedAt < image.updatedAt) youngest.set(image.target.digest, image);
  }
  return youngest;
}

/** Why an image stays whatever the rules are. */
function protection(image: Image, { pinned, youngest, facts }: Protection): string | undefined {
  const { name, target } = image;
  if (pinned.has(target.digest)) return "pinned";
  const users = facts.usersOf(image);
  if (users.length > 0) return `used by ${counted("container", users)}`;
  if (/(?:^|[/-])pause(?:-[a-z0-9]+)?(?:[:@]|$)/.test(name)) return "sandbox image of Kubernetes";
  const leases = facts.leasesOf(image);
  if (leases.length > 0) return `held by ${counted("lease", leases)}`;
  const age = Math.min(ageOf(image, facts), ageOf(youngest.get(target.digest) ?? image, facts));
  return age < facts.minAgeMs
    ? `set ${words(age)} ago, which is less than ${words(facts.minAgeMs)}`
    : undefined;
}

function ageOf({ updatedAt }: Image, { now }: RetentionFacts): number {
  return Math.max(0, now.getTime() - updatedAt.getTime());
}

function counted(what: string, [first = "", ...others]: readonly string[]): string {
  return `${what} ${JSON.stringify(first)}${others.length === 0 ? "" : ` and ${others.length} more`}`;
}

/** The two largest units are enough. */
function words(ms: number): string {
  const seconds = Math.floor(ms / 1000) * 1000;
  return formatDuration(seconds, { ignoreZero: true }).split(" ").slice(0, 2).join(" ") || "0s";
}

function firstOf(texts: readonly (string | undefined)[]): string | undefined {
  return texts.find((text) => text !== undefined);
}
