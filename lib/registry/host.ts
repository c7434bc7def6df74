import { quoted } from "../oci/quoted.ts";
import type { TlsSettings } from "./wire.ts";

/** What a host may be asked for: content by digest, what a tag means, and to take content. */
export type HostCapability = "pull" | "resolve" | "push";

/** Where the API of a registry or of a mirror is, and how to speak to it. */
export interface RegistryHost {
  /** The root of the API: `https://registry-1.docker.io/v2`. */
  url: string;
  /** Whether `url` is a guess, and plain http to be tried next: on this very machine nobody needs TLS. */
  mayBePlain?: boolean;
  /** What it is asked for; it is passed over for all else. */
  capabilities: ReadonlySet<HostCapability>;
  /** Whom to trust, and what to show. */
  tls: TlsSettings;
  /** Sent with each request to this host. */
  headers: readonly (readonly [name: string, value: string])[];
}

/** The hosts for a registry by its name in references, in the order to try; `undefined` where nothing is configured. */
export type Hosts = (registry: string) => Promise<readonly RegistryHost[] | undefined>;

/** All that a host can do. */
export const allCapabilities: ReadonlySet<HostCapability> = new Set(["pull", "resolve", "push"]);

/** The names of Docker Hub. */
export const dockerHubHosts: ReadonlySet<string> = new Set([
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
]);

/**
 * The host of a registry for which nothing is configured: the registry itself over https. On this machine plain http
 * is tried too, unless the port says which one it is.
 */
export function defaultHost(
  registry: string,
  { plainHttp = false, tls = {} }: { plainHttp?: boolean | undefined; tls?: TlsSettings | undefined } = {},
): RegistryHost {
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  const port = /:(\d+)$/.exec(registry)?.[1];
  const isPlain = plainHttp || isLoopback(registry) && port === "80";
  return {
    url: `${isPlain ? "http" : "https"}://${host}/v2`,
    capabilities: allCapabilities,
    tls,
    headers: [],
    ...(!isPlain && isLoopback(registry) && port !== undefined && port !== "443" && { mayBePlain: true }),
  };
}

/** Whether the host of a reference is this machine. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, "");
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" ||
    /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * The root of the API for what a user writes: a host, or a URL whose path gets `/v2` if it lacks that.
 *
 * @throws {SyntaxError} when it is neither.
 */
export function apiRoot(server: string, { overridePath = false }: { overridePath?: boolean } = {}): string {
  const text = /^https?:\/\//.test(server) ? server : `https://${server}`;
  const refuse = (reason: string) => new SyntaxError(`Cannot use registry host ${quoted(server)}: ${reason}`);
  if (!URL.canParse(text)) throw refuse("not a URL");
  const url = new URL(text);
  if (url.username || url.password) {
    throw new SyntaxError(
      `Cannot use registry host ${quoted(url.host)}: credentials do not belong into a URL`,
    );
  }
  if (url.search || url.hash) throw refuse("a query has no meaning here");
  const path = url.pathname.replace(/\/+$/, "");
  return `${url.origin}${overridePath || path.endsWith("/v2") ? path : `${path}/v2`}`;
}
