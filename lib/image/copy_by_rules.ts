import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { loadGraph } from "../gc/load.ts";
import type { Image } from "../images.ts";
import { compileGlob } from "../oci/glob.ts";
import type { Progress } from "../progress.ts";
import type { CopyRule } from "../selection/copy_rules.ts";
import { pinLabels } from "../selection/pinned.ts";
import type { CallOptions } from "../transport/transport.ts";
import { type CopyResult, executeCopy, foreseenResults } from "./copy.ts";
import { clashing, type CopyPlan, planCopy } from "./copy_plan.ts";
import { executePrune, judgeCandidates, type PruneDecision } from "./prune.ts";
import { renamePrefixes } from "./rename.ts";
import { NoSuchPlatformError } from "./rootfs.ts";
import { unpackImage, type UnpackOptions } from "./unpack.ts";
import { findUnpacked } from "./unpacked.ts";

/** What became of one image in one target namespace, by rules. */
export interface RuleResult extends Omit<CopyResult, "status"> {
  /** `"removed"`: the target had it beyond what its mirror should; `"kept"`: it would go, if `reason` were not. */
  status: CopyResult["status"] | "removed" | "kept";
  /** Where it was to be unpacked: whether it is; one that has nothing for the platform is not. */
  unpacked?: boolean;
}

/** How to follow rules. */
export interface RuleOptions extends CallOptions {
  /** Find out what would be done, and do nothing. Of copies that build on others of the same run, that shows less. */
  dryRun?: boolean | undefined;
  /** Unpacks with it. Default: that of the target namespace. */
  snapshotter?: string | undefined;
  /** Called with how far copying, unpacking or removing is. */
  onProgress?: ((state: Progress) => void) | undefined;
  /** Called with the plan for each source of each rule, before anything is done. */
  onPlan?: ((plan: CopyPlan) => void) | undefined;
}

/**
 * Copies images by rules, one after the other; then removes from mirrors what no rule puts there. Nothing is removed from
 * a target into which a copy failed. Images that are pinned, used or held by a lease stay, whatever a mirror should be. A
 * name that several sources have for different images is that of the first one; the others fail.
 *
 * ```ts
 * import { copyByRules, type NamespaceAccess, parseCopyRules } from "davit";
 *
 * async function example(client: NamespaceAccess) {
 *   const rules = await parseCopyRules("[{ from: build, to: k8s.io, mirror: true }]", { file: "copy.yaml" });
 *   for await (const { image, status } of copyByRules(client, rules, { dryRun: true })) {
 *     console.log(image, status);
 *   }
 * }
 * ```
 *
 * @throws {NotFoundError} when a source does not exist.
 */
export async function* copyByRules(
  client: NamespaceAccess,
  rules: readonly CopyRule[],
  options: RuleOptions = {},
): AsyncIterable<RuleResult> {
  const puts: Puts = new Map();
  const failed = new Set<string>();
  for (const rule of rules) {
    for (const to of rule.to) if (!puts.has(to)) puts.set(to, new Map());
    for (const from of rule.from) {
      for await (const result of copyByRule(client, { rule, from, puts, options })) {
        if (result.status === "failed") failed.add(result.to);
        yield result;
      }
    }
  }
  for (const [to, wanted] of puts) {
    const mirrors = rules.filter(({ mirror, to: targets }) => mirror && targets.includes(to));
    if (!failed.has(to) && mirrors.length > 0) {
      yield* removeExtra(client, { to, wanted, mirrors, options });
    }
  }
}

/** What rules put into each target, by its name there. */
type Puts = Map<string, Map<string, { from: string; source: Image }>>;

/** The plan without what would give a name to another image than an earlier plan of the same run did. */
function settleNames(plan: CopyPlan, puts: Puts): CopyPlan {
  const targets = plan.targets.map(({ images, ...target }) => {
    const names = puts.get(target.to)!;
    const settled = images.map((image) => {
      if (image.action === "impossible") return image;
      const before = names.get(image.name) ?? { from: plan.from, source: image.source };
      names.set(image.name, before);
      if (before.source.target.digest === image.source.target.digest) return image;
      return clashing(image, `${JSON.stringify(before.source.name)} of ${JSON.stringify(before.from)}`);
    });
    return { ...target, images: settled };
  });
  return { ...plan, targets };
}

async function* copyByRule(
  client: NamespaceAccess,
  { rule, from, puts, options: { dryRun, snapshotter, onProgress, onPlan, ...options } }: {
    rule: CopyRule;
    from: string;
    puts: Puts;
    options: RuleOptions;
  },
): AsyncIterable<RuleResult> {
  const { to, include, rename, pin, unpack, ...choice } = rule;
  const labels = pin ? pinLabels(true) : undefined;
  const request = { ...choice, from, to, match: include, rename: renamePrefixes(rename), labels, ...options };
  const plan = settleNames(await planCopy(client, request), puts);
  onPlan?.(plan);
  if (dryRun) return yield* foreseenResults(plan);
  const results = executeCopy(client, plan, { onProgress, ...options });
  if (!unpack) return yield* results;
  const where = { platform: rule.platforms[0], snapshotter, ...options };
  const known = await unpackedThere(client, plan, where);
  for await (const result of results) {
    if (result.status === "failed") {
      yield result;
      continue;
    }
    const before = result.status === "exists" ? known.get(result.to)?.get(result.digest) : undefined;
    try {
      const target = client.namespace(result.to);
      const unpacked = before ?? await isUnpacked(target, result.image, { ...where, onProgress });
      yield { ...result, unpacked };
    } catch (error) {
      options.signal?.throwIfAborted();
      yield { ...result, status: "failed", reason: messageOf(error), error };
    }
  }
}

/** A single image is looked at with less than it takes to list all content and snapshots of a namespace. */
const worthListing = 2;

/** What is unpacked in each target of the images that exist there already, by the digests of their targets. */
async function unpackedThere(
  client: NamespaceAccess,
  { targets }: CopyPlan,
  options: Pick<UnpackOptions, "platform" | "snapshotter"> & CallOptions,
): Promise<Map<string, Map<string, boolean>>> {
  const known = new Map<string, Map<string, boolean>>();
  for (const { to, images } of targets) {
    const there = images.flatMap(({ action, source }) => action === "exists" ? [source.target] : []);
    if (there.length < worthListing) continue;
    known.set(to, await findUnpacked(client.namespace(to), there, options));
  }
  return known;
}

/** Unpacks an image; `false` when it has nothing for the platform. */
async function isUnpacked(target: NamespacedClient, name: string, options: UnpackOptions): Promise<boolean> {
  try {
    await unpackImage(target, await target.images.get(name, options), options);
    return true;
  } catch (error) {
    if (error instanceof NoSuchPlatformError) return false;
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function* removeExtra(
  client: NamespaceAccess,
  { to, wanted, mirrors, options: { dryRun, onProgress, signal, timeoutMs } }: {
    to: string;
    wanted: ReadonlyMap<string, unknown>;
    mirrors: readonly CopyRule[];
    options: RuleOptions;
  },
): AsyncIterable<RuleResult> {
  const options = { signal, timeoutMs };
  const target = client.namespace(to);
  const inScope = scopeOf(mirrors);
  const extra = (await Array.fromAsync(target.images.list(options)))
    .filter(({ name }) => !wanted.has(name) && inScope(name));
  if (extra.length === 0) return;
  const graph = await loadGraph(target, options);
  const judged = await judgeCandidates(target, extra, { graph, rules: {}, minAgeMs: 0, options });
  const decisions = judged.map((decision): PruneDecision => ({
    ...decision,
    namespace: to,
    reason: decision.action === "remove" ? "no source has it" : decision.reason,
  }));
  const results = dryRun
    ? decisions.map((
      decision,
    ) => ({ ...decision, status: decision.action === "remove" ? "removed" : "kept" } as const))
    : executePrune(client, { decisions }, { onProgress, ...options });
  for await (const { image, status, reason, ...result } of results) {
    const facts = { image: image.name, source: "", from: "", to, digest: image.target.digest };
    const error = "error" in result ? { error: result.error } : {};
    yield { ...facts, status, reason, ...error, blobs: 0, bytesMoved: 0, calls: 0 };
  }
}

/** The names that mirrors speak of: those that their globs, renamed as the images are, match and do not exclude. */
function scopeOf(mirrors: readonly CopyRule[]): (name: string) => boolean {
  const scopes = mirrors.map(({ include, exclude, rename }) => {
    const compiled = (globs: readonly string[]) => globs.map(renamePrefixes(rename)).map(compileGlob);
    const [included, excluded] = [compiled(include), compiled(exclude)];
    return (name: string) =>
      (included.length === 0 || included.some((matches) => matches(name))) &&
      !excluded.some((matches) => matches(name));
  });
  return (name) => scopes.some((isIn) => isIn(name));
}
