/** What registries say about manifests and tags, and whether to believe it. */
import { type Descriptor, digestOf, isContentDigest, verifyDigest } from "../oci/descriptor.ts";
import { JsonObject, maxDocumentBytes } from "../oci/json.ts";
import { hasChildren, isSchema1, mediaTypes } from "../oci/media_types.ts";
import { quoted } from "../oci/quoted.ts";
import type { Reference } from "../oci/reference.ts";
import type { Answer } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";
import { refusal, RegistryError, type Task } from "./failure.ts";

/** All types that a manifest may have; others are taken too, to say what they are. */
const accept = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifestList,
  mediaTypes.dockerManifest,
  "*/*",
].join(", ");

/** How many tags to ask for at once. */
export const tagsPerPage = 1000;

/** The descriptor that a reference means at a host. */
export async function resolveAt(endpoint: Endpoint, reference: Reference, task: Task): Promise<Descriptor> {
  const { path: repository, tag = "latest", digest: wanted } = reference;
  const name = wanted ?? tag;
  {
    await using answer = await endpoint.send({
      method: "HEAD",
      target: `${repository}/manifests/${name}`,
      scope: { repository, actions: "pull" },
      headers: { accept },
      expect: [200, 400, 405, 501], // some do not know HEAD
      task,
    });
    const mediaType = typeOf(answer);
    const digest = wanted ?? answer.headers.get("docker-content-digest") ?? "";
    const size = Number(answer.headers.get("content-length") || NaN);
    if (answer.status === 200 && isContentDigest(digest) && size > 0) {
      if (isSchema1(mediaType)) throw schema1(endpoint, task);
      if (hasChildren(mediaType)) return { mediaType, digest, size };
    }
  }
  const { bytes, mediaType } = await getManifest(endpoint, { repository, name, task });
  if (wanted !== undefined && !await verifyDigest(bytes, wanted)) throw wrongContent(endpoint, task, wanted);
  return { mediaType, digest: wanted ?? await digestOf(bytes), size: bytes.length };
}

/** The bytes of a manifest, exactly those that the descriptor means. */
export async function readManifest(
  endpoint: Endpoint,
  { repository, descriptor, task }: { repository: string; descriptor: Descriptor; task: Task },
): Promise<Uint8Array<ArrayBuffer>> {
  const { digest, size } = descriptor;
  const { bytes } = await getManifest(endpoint, { repository, name: digest, task })
    .catch((error) => {
      throw error instanceof RegistryError ? error.ofPart(digest) : error;
    });
  if (bytes.length !== size || !await verifyDigest(bytes, digest)) throw wrongContent(endpoint, task, digest);
  return bytes;
}

async function getManifest(
  endpoint: Endpoint,
  { repository, name, task }: { repository: string; name: string; task: Task },
): Promise<{ bytes: Uint8Array<ArrayBuffer>; mediaType: string }> {
  await using answer = await endpoint.send({
    method: "GET",
    target: `${repository}/manifests/${name}`,
    scope: { repository, actions: "pull" },
    headers: { accept },
    expect: [200],
    task,
  });
  const bytes = await answer.bytes(maxDocumentBytes);
  const refuse = (reason: string) =>
    refusal(task, {
      code: "data_loss",
      reason: `registry ${quoted(endpoint.host)} ${reason}`,
      host: endpoint.host,
    });
  if (bytes === undefined) throw refuse(`sends a manifest of more than ${maxDocumentBytes} bytes`);
  let mediaType = typeOf(answer);
  if (isSchema1(mediaType)) throw schema1(endpoint, task);
  if (!hasChildren(mediaType)) mediaType = declaredType(bytes) ?? mediaType;
  if (isSchema1(mediaType)) throw schema1(endpoint, task);
  if (!hasChildren(mediaType)) throw refuse(`has ${quoted(mediaType || "something")}, which is no image`);
  return { bytes, mediaType };
}

/** Some registries serve manifests as plain JSON. */
function declaredType(bytes: Uint8Array): string | undefined {
  try {
    const json = JsonObject.parse(bytes, "manifest");
    if (json.has("fsLayers") || json.number("schemaVersion") === 1) {
      return "application/vnd.docker.distribution.manifest.v1+json";
    }
    return json.string("mediaType");
  } catch {
    return undefined;
  }
}

/** One page of a repository's tags. */
export interface TagsPage {
  tags: string[];
  /** Where the next page is. */
  next: URL | undefined;
}

/** One page of the tags of a repository. */
export async function tagsAt(
  endpoint: Endpoint,
  { page, repository, task }: { page: string | URL; repository: string; task: Task },
): Promise<TagsPage> {
  await using answer = await endpoint.send({
    method: "GET",
    target: page,
    scope: { repository, actions: "pull" },
    expect: [200],
    task,
  });
  const bytes = await answer.bytes(maxDocumentBytes);
  const tags = bytes && JsonObject.parse(bytes, `tags of ${quoted(repository)}`).strings("tags");
  const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(answer.headers.get("link") ?? "")?.[1];
  const next = link !== undefined && URL.canParse(link, answer.url) ? new URL(link, answer.url) : undefined;
  return { tags: tags ?? [], next };
}

function typeOf({ headers }: Answer): string {
  return headers.get("content-type")?.split(";", 1)[0]?.trim() ?? "";
}

function schema1({ host }: Endpoint, task: Task): RegistryError {
  return refusal(task, {
    code: "unimplemented",
    reason: `registry ${quoted(host)} has it only in docker's schema 1, which containerd cannot use`,
    host,
    trouble: "schema 1",
  });
}

function wrongContent({ host }: Endpoint, task: Task, digest: string): RegistryError {
  const reason = `registry ${quoted(host)} sends something else than ${quoted(digest)}`;
  return refusal(task, { code: "data_loss", reason, host });
}
