import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { mapConcurrently } from "../concurrency.ts";
import type { ContentInfo } from "../content.ts";
import { containerdError } from "../errors.ts";
import type { Image } from "../images.ts";
import { type Descriptor, isAttestation } from "../oci/descriptor.ts";
import { compileGlob } from "../oci/glob.ts";
import { isIndex, isNonDistributable } from "../oci/media_types.ts";
import { parsePlatform } from "../oci/platform.ts";
import type { CallOptions } from "../transport/transport.ts";
import { lacking, unbound } from "./copy_labels.ts";
import { descriptorsOf, type ImageNode, ImageTrees } from "./tree.ts";

/** Which images to copy, from where, to where. */
export interface CopyRequest extends CallOptions {
  /** The namespace that has the images. */
  from: string;
  /** The namespaces that get them; those that do not exist are created. */
  to: readonly string[];
  /** Names or globs (see {@linkcode compileGlob}); an image that matches one is copied. Default: all. */
  match?: readonly string[];
  /** Names or globs; an image that matches one is not copied. */
  exclude?: readonly string[];
  /** The name in the target for a name in the source. Default: the same. */
  rename?: (name: string) => string;
  /** `linux/arm64`, …: only these, and each must be complete. Default: all that the source has. */
  platforms?: readonly string[];
}

/** What {@linkcode planCopy} found and decided; nothing is written yet. */
export interface CopyPlan {
  from: string;
  /** Blobs can be shared without sending their bytes. */
  shares: boolean;
  targets: TargetPlan[];
  /** Names and globs of `match` that no image matches. */
  unmatched: string[];
}

/** What is to be done in one target namespace. */
export interface TargetPlan {
  to: string;
  /** The namespace does not exist yet. */
  creates: boolean;
  images: ImagePlan[];
}

/** What is to be done for one image in one target namespace. */
export interface ImagePlan {
  source: Image;
  /** The name it gets. */
  name: string;
  /**
   * `"update"`: the name points elsewhere. `"repair"`: the image is there, blobs or labels of it are not.
   * `"exists"`: all is there. `"impossible"`: see `error`.
   */
  action: "create" | "update" | "repair" | "exists" | "impossible";
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
  descriptor: Descriptor;
  labels: Record<string, string>;
  /** What the target has of it already. */
  present: ContentInfo | undefined;
}

/** More blobs than this are looked up with one list instead of one call each. */
const listAbove = 64;

const readsAtOnce = 16;

/**
 * Finds out what copying images takes, without writing anything.
 *
 * @throws {NotFoundError} when the source namespace does not exist.
 * @throws {SyntaxError} when a platform or glob is malformed.
 */
export async function planCopy(client: NamespaceAccess, request: CopyRequest): Promise<CopyPlan> {
  const { from, to, match = [], exclude = [], platforms, signal } = request;
  const options: CallOptions = { signal, timeoutMs: request.timeoutMs };
  const { labels } = await client.namespaces.get(from, options);
  const existing = new Set((await Array.fromAsync(client.namespaces.list(options))).map(({ name }) => name));
  const policy = await client.introspection.contentSharingPolicy(options);

  const source = client.namespace(from);
  const all = await Array.fromAsync(source.images.list(options));
  const matchers = match.map(compileGlob);
  const excluders = exclude.map(compileGlob);
  const images = all.filter(({ name }) =>
    (matchers.length === 0 || matchers.some((matches) => matches(name))) && !excluders.some((matches) => matches(name))
  );
  const trees = new ImageTrees(source.content, {
    platforms: platforms?.map((platform) => parsePlatform(platform)),
    ...options,
  });
  const read = (image: Image) =>
    trees.read(image.target).then((tree) => ({ image, tree }), (error: unknown) => ({ image, error }));
  const sources = await Array.fromAsync(mapConcurrently(images, { limit: readsAtOnce, work: read }));
  signal?.throwIfAborted();

  const blobs = new Map(
    sources.flatMap((found) => "tree" in found ? descriptorsOf(found.tree) : []).map((
      blob,
    ) => [blob.digest, blob]),
  );
  const had = await lookUp(source, [...blobs.keys()], options);
  const targets = [...new Set(to)].map(async (name): Promise<TargetPlan> => {
    const creates = !existing.has(name);
    const target = client.namespace(name);
    const has: Found = creates ? new Map() : await lookUp(target, [...blobs.keys()], options);
    const present = creates ? [] : await Array.fromAsync(target.images.list(options));
    const imageNamed = new Map(present.map((image) => [image.name, image]));
    const plans = sources.map((found) => {
      const name = request.rename?.(found.image.name) ?? found.image.name;
      if (!("tree" in found)) return impossible(found.image, name, found.error);
      const selectsPlatforms = platforms !== undefined && platforms.length > 0;
      return planImage({ ...found, name, had, has, now: imageNamed.get(name), selectsPlatforms, from });
    });
    return { to: name, creates, images: withoutClashes(plans) };
  });
  return {
    from,
    shares: policy === "shared" || labels["containerd.io/namespace.shareable"] === "true",
    targets: await Promise.all(targets),
    unmatched: match.filter((_, i) => !all.some(({ name }) => matchers[i]!(name))),
  };
}

type Found = ReadonlyMap<string, ContentInfo>;

/** What a namespace knows of these blobs; those that it lacks are missing. */
async function lookUp(client: NamespacedClient, digests: string[], options: CallOptions): Promise<Found> {
  const wanted = new Set(digests);
  const found = new Map<string, ContentInfo>();
  if (wanted.size > listAbove) {
    for await (const info of client.content.list(options)) {
      if (wanted.has(info.digest)) found.set(info.digest, info);
    }
    return found;
  }
  const work = (digest: string) => client.content.find(digest, options);
  for await (const info of mapConcurrently(digests, { limit: readsAtOnce, work })) {
    if (info) found.set(info.digest, info);
  }
  return found;
}

interface Known {
  image: Image;
  name: string;
  tree: ImageNode;
  /** What the source has. */
  had: Found;
  /** What the target has. */
  has: Found;
  /** The target's image of that name. */
  now: Image | undefined;
  /** The user named platforms, so that an incomplete one is an error. */
  selectsPlatforms: boolean;
  from: string;
}

function planImage({ image, name, tree, had, has, now, selectsPlatforms, from }: Known): ImagePlan {
  const missing = firstMissing(tree, had);
  const runnable = tree.children.filter(({ descriptor }) => !isAttestation(descriptor));
  const incomplete = runnable.filter((child) => firstMissing(child, had));
  const tolerable = isIndex(tree.descriptor.mediaType) && !selectsPlatforms &&
    incomplete.length < runnable.length;
  if (missing && !tolerable) return impossible(image, name, lacks(image, missing, from));

  const planned = new Map<string, BlobPlan>();
  visit(tree);
  const blobs = [...planned.values()];
  return {
    source: image,
    name,
    action: now === undefined
      ? "create"
      : now.target.digest !== image.target.digest
      ? "update"
      : blobs.some(needsWork)
      ? "repair"
      : "exists",
    blobs,
    lackingBytes: blobs.reduce((sum, { descriptor, present }) => present ? sum : sum + descriptor.size, 0),
    skipped: incomplete.length,
  };

  function visit({ descriptor, children, gcLabels }: ImageNode): void {
    children.forEach(visit);
    const info = had.get(descriptor.digest);
    if (info === undefined) return;
    const labels = { ...planned.get(descriptor.digest)?.labels, ...unbound(info.labels), ...gcLabels };
    planned.set(descriptor.digest, { descriptor, labels, present: has.get(descriptor.digest) });
  }
}

/** What an image holds for one platform each: all that its indexes point to, but for statements about images. */
function manifestsOf(node: ImageNode): ImageNode[] {
  if (isAttestation(node.descriptor)) return [];
  return isIndex(node.descriptor.mediaType) && !node.absent ? node.children.flatMap(manifestsOf) : [node];
}

function needsWork({ labels, present }: BlobPlan): boolean {
  return present === undefined || Object.keys(lacking(labels, present.labels)).length > 0;
}

/** The first blob of a tree that the namespace lacks and that an image cannot do without. */
function firstMissing(node: ImageNode, had: Found): Descriptor | undefined {
  const { descriptor, children } = node;
  for (const child of children) {
    const missing = firstMissing(child, had);
    if (missing) return missing;
  }
  return had.has(descriptor.digest) || isNonDistributable(descriptor.mediaType) ? undefined : descriptor;
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
  return { source, name, action: "impossible", error, blobs: [], lackingBytes: 0, skipped: 0 };
}

/** Two images that would get one name: the later ones are not copied over the first. */
function withoutClashes(plans: ImagePlan[]): ImagePlan[] {
  const first = new Map<string, ImagePlan>();
  return plans.map((plan) => {
    const other = first.get(plan.name) ?? plan;
    first.set(plan.name, other);
    if (other === plan) return plan;
    const error = containerdError({
      code: "already_exists",
      reason: `${JSON.stringify(other.source.name)} is copied to the name ${
        JSON.stringify(plan.name)
      } already`,
      outcome: "not sent",
      action: "copy",
      resource: `image ${JSON.stringify(plan.source.name)}`,
    });
    return impossible(plan.source, plan.name, error);
  });
}
