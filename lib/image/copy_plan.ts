import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import type { ContentInfo } from "../content.ts";
import { containerdError } from "../errors.ts";
import type { Image } from "../images.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Namespace } from "../namespaces.ts";
import { parsePlatform } from "../oci/platform.ts";
import { chooseImages, type ImageChoice } from "../selection/choice.ts";
import type { CallOptions } from "../transport/transport.ts";
import { lacking, unbound } from "./copy_labels.ts";
import { type Found, lookUp, manifestsOf, missingFrom } from "./presence.ts";
import { selectImages } from "./select.ts";
import { type ImageNode, ImageTrees, nodesOf } from "./tree.ts";
import { type CopyTarget, findUnchanged } from "./unchanged.ts";

/** Which images to copy, from where, to where. */
export interface CopyRequest extends ImageChoice, CallOptions {
  /** The namespace that has the images. */
  from: string;
  /** The namespaces that get them; those that do not exist are created. */
  to: readonly string[];
  /** Names, globs or filters, see {@linkcode selectImages}; an image that matches one is copied. Default: all. */
  match?: readonly string[];
  /** The name in the target for a name in the source. Default: the same. */
  rename?: (name: string) => string;
  /** `linux/arm64`, …: only these, and each must be complete. Default: all that the source has. */
  platforms?: readonly string[];
  /** Labels that the images have in the targets, besides those that they have in the source. */
  labels?: Readonly<Record<string, string>> | undefined;
}

/** What {@linkcode planCopy} found and decided; nothing is written yet. */
export interface CopyPlan {
  /** The namespace that has the images. */
  from: string;
  /** Blobs can be shared without sending their bytes. */
  shares: boolean;
  /** One for each namespace of `to`. */
  targets: TargetPlan[];
  /** Names and globs of `match` that no image matches. */
  unmatched: string[];
}

/** What is to be done in one target namespace. */
export interface TargetPlan {
  /** The namespace that gets the images. */
  to: string;
  /** The namespace does not exist yet. */
  creates: boolean;
  /** One for each image that was chosen. */
  images: ImagePlan[];
}

/** What is to be done for one image in one target namespace. */
export interface ImagePlan {
  /** The image as its namespace has it. */
  source: Image;
  /** The name it gets. */
  name: string;
  /** The labels it gets. */
  labels: Record<string, string>;
  /**
   * `"update"`: the name points elsewhere. `"repair"`: the image is there, blobs or labels of it are not.
   * `"exists"`: all is there. `"impossible"`: see `error`.
   */
  action: "create" | "update" | "repair" | "exists" | "impossible";
  /** Why it cannot be copied; absent when it can. */
  error?: unknown;
  /** The blobs to have in the target, children before their parents. */
  blobs: BlobPlan[];
  /** Bytes of the blobs that the target lacks: moved if they cannot be shared. */
  lackingBytes: number;
  /** Platforms of the index that the source has not, or not whole; they stay as incomplete as they are. */
  skipped: number;
}

/** A blob to have in the target. */
export interface BlobPlan {
  /** Its type, digest and bytes. */
  descriptor: Descriptor;
  /** Those that it has to have in the target, by key. */
  labels: Record<string, string>;
  /** What the target has of it already. */
  present: ContentInfo | undefined;
}

const readsAtOnce = 16;

/**
 * Finds out what copying images takes, without writing anything.
 *
 * ```ts
 * import { executeCopy, foreseenResults, type NamespaceAccess, planCopy } from "davit";
 *
 * async function example(client: NamespaceAccess, { dryRun }: { dryRun: boolean }) {
 *   const plan = await planCopy(client, { from: "build", to: ["k8s.io"] });
 *   return dryRun ? foreseenResults(plan) : await Array.fromAsync(executeCopy(client, plan));
 * }
 * ```
 *
 * @throws {NotFoundError} when the source namespace does not exist.
 * @throws {SyntaxError} when a platform, glob or range of versions is malformed.
 */
export async function planCopy(client: NamespaceAccess, request: CopyRequest): Promise<CopyPlan> {
  const { from, to, match = [], signal, timeoutMs } = request;
  const options: CallOptions = { signal, timeoutMs };
  const namespaces = new Map<string, Namespace>();
  for await (const namespace of client.namespaces.list(options)) namespaces.set(namespace.name, namespace);
  const { labels } = namespaces.get(from) ?? noSource(from);
  const policy = await client.introspection.contentSharingPolicy(options);
  const { images, unmatched } = await selectImages(client.namespace(from), match, options);
  const chosen = chooseImages(images, request);
  const targets = await Promise.all([...new Set(to)].map(async (name) => {
    const inside = client.namespace(name);
    const creates = !namespaces.has(name);
    return {
      name,
      creates,
      client: inside,
      images: creates ? new Map() : await imagesByName(inside, options),
    };
  }));
  const unchanged = await unchangedOf(chosen, { source: client.namespace(from), targets, request, options });
  const source = await readSource(client.namespace(from), { images: chosen, unchanged, request, options });
  const plans = targets.map(async ({ name, creates, client, images }): Promise<TargetPlan> => {
    const has = creates ? new Map() : await lookUp(client, source.has.keys(), options);
    return { to: name, creates, images: planImages({ source, target: { images, has }, request }) };
  });
  return {
    from,
    shares: policy === "shared" || labels["containerd.io/namespace.shareable"] === "true",
    targets: await Promise.all(plans),
    unmatched,
  };
}

/** The images to copy and what their namespace has of them. */
interface Source {
  images: SourceImage[];
  has: Found;
}

/** An image with what it consists of, why that cannot be told, or without where every target has it just so. */
type SourceImage =
  | { image: Image; tree: ImageNode }
  | { image: Image; error: unknown }
  | { image: Image; unchanged: true };

/** What a target has already. */
interface Target {
  images: ReadonlyMap<string, Image>;
  has: Found;
}

async function readSource(
  client: NamespacedClient,
  { images, unchanged, request: { platforms = [] }, options }: {
    images: Image[];
    unchanged: ReadonlySet<Image>;
    request: CopyRequest;
    options: CallOptions;
  },
): Promise<Source> {
  const trees = new ImageTrees(client.content, {
    platforms: platforms.map((platform) => parsePlatform(platform)),
    ...options,
  });
  const read = async (image: Image): Promise<SourceImage> => {
    if (unchanged.has(image)) return { image, unchanged: true };
    return await trees.read(image.target).then((tree) => ({ image, tree }), (error) => ({ image, error }));
  };
  const sources = await Array.fromAsync(mapConcurrent(images, read, { limit: readsAtOnce }));
  options.signal?.throwIfAborted();
  const digests = sources.flatMap((found) =>
    "tree" in found ? nodesOf(found.tree).map(({ descriptor }) => descriptor.digest) : []
  );
  return { images: sources, has: await lookUp(client, digests, options) };
}

async function imagesByName(
  client: NamespacedClient,
  options: CallOptions,
): Promise<Map<string, Image>> {
  const images = new Map<string, Image>();
  for await (const image of client.images.list(options)) images.set(image.name, image);
  return images;
}

/** Where platforms are named, their parts must be looked at. */
async function unchangedOf(
  images: Image[],
  { request: { platforms = [], rename = (name) => name, labels = {} }, ...where }: {
    source: NamespacedClient;
    targets: CopyTarget[];
    request: CopyRequest;
    options: CallOptions;
  },
): Promise<Set<Image>> {
  return platforms.length > 0 ? new Set() : await findUnchanged(images, { ...where, rename, labels });
}

function noSource(name: string): never {
  throw containerdError({
    code: "not_found",
    reason: "not found",
    outcome: "not sent",
    action: "copy from",
    resource: `namespace ${JSON.stringify(name)}`,
  });
}

function planImages(
  { source, target, request }: { source: Source; target: Target; request: CopyRequest },
): ImagePlan[] {
  const plans = source.images.map((found) => {
    const name = request.rename?.(found.image.name) ?? found.image.name;
    if ("error" in found) return impossible(found.image, name, found.error);
    if ("unchanged" in found) return planned(found.image, name, { action: "exists" });
    return planImage(name, { ...found, source, target, request });
  });
  return withoutClashes(plans);
}

function planImage(
  name: string,
  { image, tree, source, target, request }: {
    image: Image;
    tree: ImageNode;
    source: Source;
    target: Target;
    request: CopyRequest;
  },
): ImagePlan {
  const manifests = manifestsOf(tree);
  const incomplete = manifests.filter((manifest) => missingFrom(manifest, source.has));
  const missing = missingFrom(tree, source.has);
  const canBeSparse = source.has.has(tree.descriptor.digest) && !request.platforms?.length;
  if (missing && !(canBeSparse && incomplete.length < manifests.length)) {
    return impossible(image, name, lacks(image, missing, request.from));
  }
  const blobs = blobsOf(tree, { source, target });
  const now = target.images.get(name);
  const isLabelled = Object.keys(lacking(request.labels ?? {}, now?.labels ?? {})).length === 0;
  return {
    source: image,
    name,
    labels: { ...unbound(image.labels), ...request.labels },
    action: now === undefined
      ? "create"
      : now.target.digest !== image.target.digest
      ? "update"
      : !isLabelled || blobs.some(needsWork)
      ? "repair"
      : "exists",
    blobs,
    lackingBytes: blobs.reduce((sum, { descriptor, present }) => present ? sum : sum + descriptor.size, 0),
    skipped: incomplete.length,
  };
}

/** The blobs of a tree that the source has, each once with all labels that it needs. */
function blobsOf(tree: ImageNode, { source, target }: { source: Source; target: Target }): BlobPlan[] {
  const blobs = new Map<string, BlobPlan>();
  for (const { descriptor, gcLabels } of nodesOf(tree)) {
    const { digest } = descriptor;
    const info = source.has.get(digest);
    if (info === undefined) continue;
    const labels = { ...blobs.get(digest)?.labels, ...unbound(info.labels), ...gcLabels };
    blobs.set(digest, { descriptor, labels, present: target.has.get(digest) });
  }
  return [...blobs.values()];
}

function needsWork({ labels, present }: BlobPlan): boolean {
  return present === undefined || Object.keys(lacking(labels, present.labels)).length > 0;
}

function lacks({ name }: Image, { digest, mediaType }: Descriptor, from: string): Error {
  return containerdError({
    code: "not_found",
    reason: `its content ${digest} (${mediaType}) is not there`,
    outcome: "refused",
    action: "copy",
    resource: `image ${JSON.stringify(name)}`,
    namespace: from,
  });
}

function impossible(source: Image, name: string, error: unknown): ImagePlan {
  return planned(source, name, { action: "impossible", error });
}

/** A plan in which nothing is to be done. */
function planned(source: Image, name: string, what: Pick<ImagePlan, "action" | "error">): ImagePlan {
  return { source, name, labels: {}, ...what, blobs: [], lackingBytes: 0, skipped: 0 };
}

/** Two images that would get one name: the later ones are not copied over the first. */
function withoutClashes(plans: ImagePlan[]): ImagePlan[] {
  const first = new Map<string, ImagePlan>();
  return plans.map((plan) => {
    const other = first.get(plan.name) ?? plan;
    first.set(plan.name, other);
    if (other === plan) return plan;
    return clashing(plan, JSON.stringify(other.source.name));
  });
}

/** A plan for an image whose name another one gets, given in words; containerd would take either, run after run. */
export function clashing({ source, name }: ImagePlan, other: string): ImagePlan {
  const error = containerdError({
    code: "already_exists",
    reason: `${other} is copied to the name ${JSON.stringify(name)} already`,
    outcome: "not sent",
    action: "copy",
    resource: `image ${JSON.stringify(source.name)}`,
  });
  return impossible(source, name, error);
}
