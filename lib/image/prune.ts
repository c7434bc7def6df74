import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import type { Container } from "../containers.ts";
import { type ContainerdError, containerdError } from "../errors.ts";
import { foreseeFreed, type Freed } from "../gc/freed.ts";
import { contentKey, type ReferenceGraph, type Root } from "../gc/graph.ts";
import { loadGraph } from "../gc/load.ts";
import type { Image } from "../images.ts";
import { mapNamespaces } from "../namespace/map.ts";
import { chooseImages, type ImageChoice } from "../selection/choice.ts";
import { judgeImages, type RetentionDecision, type RetentionRules } from "../selection/retention.ts";
import type { Progress } from "../progress.ts";
import { Pause } from "../run/pause.ts";
import type { CallOptions } from "../transport/transport.ts";
import { platformsPresent } from "./platforms_present.ts";
import { type PruneDecision, type PruneResult, Removal } from "./prune_removal.ts";
import { selectImages } from "./select.ts";

export type { PruneDecision, PruneResult };

/** Which images to judge, and by what. */
export interface PruneRequest extends RetentionRules, Pick<ImageChoice, "exclude" | "versions">, CallOptions {
  /** Namespaces to prune. Default: all. */
  namespaces?: readonly string[] | undefined;
  /** Only these, by name, glob or filter. Default: all. */
  match?: readonly string[] | undefined;
  /** A name that was set less than this long ago stays, in milliseconds. Default: an hour. */
  minAgeMs?: number | undefined;
}

/** What a prune would do. */
export interface PrunePlan {
  /** One for each image that was judged. */
  decisions: PruneDecision[];
  /** What the collection afterwards frees, with what waits to be collected already. */
  freed: Freed;
  /** Patterns of `match` that nothing matches. */
  unmatched: string[];
}

const hourMs = 60 * 60 * 1000;

/**
 * How long content is held after the last removal, for whoever has read an image before it was gone and gives the same a
 * new name: many times what our slowest removal took, which is a look and two writes, as theirs is a look and a write.
 */
const settling = { times: 10, leastMs: 100, mostMs: 2_000 };

/**
 * Decides which images may go. Nothing touches those that are pinned, used by a container, held by a lease, set less
 * than `minAgeMs` ago, or that Kubernetes makes its sandboxes of.
 *
 * ```ts
 * import { executePrune, type NamespaceAccess, planPrune } from "davit";
 *
 * async function example(client: NamespaceAccess) {
 *   const plan = await planPrune(client, { namespaces: ["build"], keepLast: 5, unused: true });
 *   console.log(plan.freed.contentBytes);
 *   for await (const { image, status, reason } of executePrune(client, plan)) {
 *     console.log(image.name, status, reason);
 *   }
 * }
 * ```
 *
 * @throws {NotFoundError} when a namespace of `namespaces` does not exist.
 * @throws {SyntaxError} when a range or platform is malformed.
 */
export async function planPrune(client: NamespaceAccess, request: PruneRequest): Promise<PrunePlan> {
  const { namespaces, signal, timeoutMs } = request;
  const options = { signal, timeoutMs };
  const loaded = await Array.fromAsync(
    mapNamespaces(client, (inside) => loadGraph(inside, options), options),
  );
  const graphs = new Map(loaded.map((graph) => [graph.namespace, graph]));
  const decisions: PruneDecision[] = [];
  const unmatched = new Set(request.match);
  for (const name of namespaces ?? graphs.keys()) {
    const graph = graphs.get(name);
    if (graph === undefined) throw noNamespace(name);
    const { judged, missed } = await judgeNamespace(client.namespace(name), { graph, request });
    decisions.push(...judged.map((decision) => ({ namespace: name, ...decision })));
    for (const pattern of unmatched) if (!missed.includes(pattern)) unmatched.delete(pattern);
  }
  const gone = new Set(
    decisions.flatMap(({ action, namespace, image }) =>
      action === "remove" ? [`${namespace} ${image.name}`] : []
    ),
  );
  const isGone = ({ kind, name }: Root, namespace: string) =>
    kind === "image" && gone.has(`${namespace} ${name}`);
  return {
    decisions,
    freed: await foreseeFreed(client, loaded, { isGone, ...options }),
    unmatched: [...unmatched],
  };
}

/**
 * Does what a plan says, and yields a result for each decision; then collects garbage, once, if an image was removed.
 *
 * Until then a lease of our own holds what the images pointed to, for a moment longer than the last removal, so that a
 * name that somebody gives it meanwhile has all its content. An image that was set anew since the plan stays. One that was
 * set in the instant between our last look and the deletion is put back, and has a second result that says so; where an
 * older containerd than 2.0 deleted it before anybody could see what it had become, that result is a failure.
 */
export async function* executePrune(
  client: NamespaceAccess,
  { decisions }: Pick<PrunePlan, "decisions">,
  { onProgress = () => {}, ...options }: CallOptions & {
    onProgress?: ((progress: Progress) => void) | undefined;
  } = {},
): AsyncIterable<PruneResult> {
  const total = decisions.filter(({ action }) => action === "remove").length;
  let done = 0;
  let collector: NamespacedClient | undefined;
  const removals: Removal[] = [];
  await using stack = new AsyncDisposableStack();
  for (const [namespace, judged] of Map.groupBy(decisions, ({ namespace }) => namespace)) {
    const inside = client.namespace(namespace);
    let removal: Removal | undefined;
    for (const decision of judged) {
      if (decision.action === "keep") {
        yield { ...decision, status: "kept" };
        continue;
      }
      options.signal?.throwIfAborted();
      if (removal === undefined) removals.push(removal = stack.use(await Removal.begin(inside, options)));
      const result = await removal.remove(decision);
      if (result.status === "removed") collector = inside;
      onProgress({ task: "removing", done: ++done, total });
      yield result;
      yield* removal.putBack();
    }
  }
  if (collector === undefined) return;
  await settled(Math.max(...removals.map(({ slowestMs }) => slowestMs)), options.signal);
  for (const removal of removals) yield* removal.putBack();
  await stack.disposeAsync(); // what their leases hold would outlive the collection
  await collector.leases.collectGarbage(options);
}

/** Waits a moment, but not for longer than the run may go on. */
async function settled(slowestMs: number, signal: AbortSignal | undefined): Promise<void> {
  const { times, leastMs, mostMs } = settling;
  using pause = new Pause(Math.min(Math.max(slowestMs * times, leastMs), mostMs));
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const abort = () => resolve();
  signal?.addEventListener("abort", abort);
  await Promise.race([pause.over, aborted]);
  signal?.removeEventListener("abort", abort);
  signal?.throwIfAborted();
}

/** Judges the images of one namespace that are asked for; `missed` are the patterns that none of them has. */
async function judgeNamespace(
  client: NamespacedClient,
  { graph, request }: { graph: ReferenceGraph; request: PruneRequest },
): Promise<{ judged: RetentionDecision[]; missed: string[] }> {
  const { match = [], exclude = [], versions, minAgeMs = hourMs, signal, timeoutMs, ...rules } = request;
  const options = { signal, timeoutMs };
  const { images: chosen, unmatched } = await selectImages(client, match, options);
  const candidates = chooseImages(chosen, { exclude, versions });
  return {
    judged: await judgeCandidates(client, candidates, { graph, rules, minAgeMs, options }),
    missed: unmatched,
  };
}

/** Judges images of a namespace by rules, with what is known of them there. */
export async function judgeCandidates(
  client: NamespacedClient,
  candidates: readonly Image[],
  { graph, rules, minAgeMs, options }: {
    graph: ReferenceGraph;
    rules: RetentionRules;
    minAgeMs: number;
    options: CallOptions;
  },
): Promise<RetentionDecision[]> {
  const [images, containers] = await Promise.all([
    Array.fromAsync(client.images.list(options)),
    Array.fromAsync(client.containers.list(options)),
  ]);
  const has = (digest: string) => graph.nodes.has(contentKey(digest));
  const platforms = rules.platforms?.length
    ? await platformsPresent(client, candidates, { has, ...options })
    : undefined;
  const facts = {
    now: new Date(),
    minAgeMs,
    usersOf: usersByTarget(images, containers),
    leasesOf: ({ target }: Image) => leasesOn(graph, target.digest),
    contentOf: ({ target }: Image) => contentBelow(graph, target.digest),
    platformsOf: ({ target }: Image) => platforms?.get(target.digest) ?? [],
  };
  return judgeImages(candidates, { images, rules, facts });
}

/** containers name their image; whatever has the same target is the same image. */
function usersByTarget(
  images: readonly Image[],
  containers: readonly Container[],
): (image: Image) => string[] {
  const targets = new Map(images.map(({ name, target }) => [name, target.digest]));
  const users = new Map<string, string[]>();
  for (const { id, image } of containers) {
    const target = targets.get(image);
    if (target !== undefined) users.set(target, [...users.get(target) ?? [], id]);
  }
  return ({ target }) => users.get(target.digest) ?? [];
}

function leasesOn({ roots }: ReferenceGraph, digest: string): string[] {
  const key = contentKey(digest);
  return roots.flatMap(({ kind, name, references }) =>
    kind === "lease" && references.includes(key) ? [name] : []
  );
}

function contentBelow(graph: ReferenceGraph, digest: string): Map<string, number> {
  const below = new Map<string, number>();
  for (const { kind, id, size } of graph.below(contentKey(digest)).values()) {
    if (kind === "content") below.set(id, size ?? 0);
  }
  return below;
}

function noNamespace(name: string): ContainerdError {
  return containerdError({
    code: "not_found",
    reason: "not found",
    outcome: "refused",
    action: "prune the images of",
    resource: `namespace ${JSON.stringify(name)}`,
  });
}
