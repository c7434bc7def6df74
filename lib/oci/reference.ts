import { isContentDigest } from "./descriptor.ts";
import { quoted } from "./quoted.ts";

/** The parts of an image reference, `domain/path:tag@digest`. */
export interface Reference {
  /** The registry's host, with its port if that is not the usual one. */
  domain: string;
  /** The repository in that registry. */
  path: string;
  /** Such as `latest`; absent when there is none. */
  tag?: string;
  /** `sha256:…`; absent when there is none. */
  digest?: string;
}

/** How to read a reference. */
export interface ReferenceOptions {
  /**
   * Whether to complete a short name as docker does: `busybox` becomes `docker.io/library/busybox:latest`. Without, the
   * domain must be there and nothing is added, so that `formatReference` gives the same text again.
   *
   * @default true
   */
  defaults?: boolean;
}

const dockerHub = "docker.io";

const label = "[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*";
const domainPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * Splits an image reference into its parts.
 *
 * ```ts
 * import { formatReference, parseReference } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * const reference = parseReference("busybox:1.36");
 * assertEquals(reference, { domain: "docker.io", path: "library/busybox", tag: "1.36" });
 * assertEquals(formatReference({ ...reference, domain: "mirror.example.com" }), "mirror.example.com/library/busybox:1.36");
 * ```
 *
 * @see {@link https://github.com/distribution/reference/blob/v0.6.0/reference.go} for the grammar
 * @throws {SyntaxError} when it is malformed.
 */
export function parseReference(text: string, { defaults = true }: ReferenceOptions = {}): Reference {
  const refuse = (reason: string) =>
    new SyntaxError(`Cannot parse image reference ${quoted(text)}: ${reason}`);
  if (text === "") throw refuse("empty");
  if (isContentDigest(text) || /^[a-f0-9]{64}$/.test(text)) throw refuse("a digest without a name");

  const { host = defaults ? dockerHub : undefined, rest } = splitHost(text);
  if (host === undefined) throw refuse("the registry is missing");
  if (!domainPattern.test(host)) throw refuse(`${quoted(host)} is not the host of a registry`);
  const domain = defaults && host === "index.docker.io" ? dockerHub : host;

  const [, name = "", tag, digest] = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/s.exec(rest) ?? [];
  if (name !== name.toLowerCase()) throw refuse("the repository must be in lower case");
  if (!pathPattern.test(name)) throw refuse(`${quoted(name)} is not the name of a repository`);
  const path = defaults && domain === dockerHub && !name.includes("/") ? `library/${name}` : name;
  if (path.length > 255) throw refuse("the repository has more than 255 characters");

  if (tag !== undefined && !tagPattern.test(tag)) throw refuse(`${quoted(tag)} is not a tag`);
  if (digest !== undefined && !isContentDigest(digest)) throw refuse(`${quoted(digest)} is not a digest`);
  const effectiveTag = tag ?? (defaults && digest === undefined ? "latest" : undefined);
  return { domain, path, ...(effectiveTag && { tag: effectiveTag }), ...(digest && { digest }) };
}

/** The reference as one text. */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** The reference as docker shows it, without the registry and `library/` where `parseReference` would add them. */
export function formatFamiliar(reference: Reference): string {
  const { domain, path } = reference;
  const short = path.replace(/^library\/(?=[^/]+$)/, "");
  const isShort = domain === dockerHub && path.includes("/") && splitHost(short).host === undefined;
  return isShort
    ? formatReference({ ...reference, path: short }).slice(`${dockerHub}/`.length)
    : formatReference(reference);
}

/**
 * Makes sure that an image of this name can be pulled, pushed or found again: a reference, short or full, or a digest,
 * under which Kubernetes files images. containerd itself takes anything that is not empty.
 *
 * @throws {SyntaxError} when it is neither.
 */
export function assertImageName(name: string): void {
  if (!isContentDigest(name)) parseReference(name);
}

/** What stands before the first slash is a host if it could be nothing else: a dot, a port, capitals, `localhost`. */
function splitHost(text: string): { host?: string; rest: string } {
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(slash, 0));
  const isHost = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  return isHost || slash === 0 ? { host: first, rest: text.slice(slash + 1) } : { rest: text };
}
