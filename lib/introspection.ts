import type { Plugin as Message } from "../proto/gen/containerd/services/introspection/v1/introspection.ts";
import { toDate, toNumber } from "./convert.ts";
import { containerdError } from "./errors.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Introspection as methods, Version as version } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";

/** The version that a containerd reports. */
export interface DaemonVersion {
  /** As whoever built it put it: `v2.1.4`, `1.7.24~ds1`. */
  version: string;
  /** The commit that it was built from, or what stands for it in a distribution; may be empty. */
  revision: string;
}

/** A running containerd. */
export interface Server {
  /** Its own since its first start, as long as its root folder stays. */
  uuid: string;
  /** Process id, as the daemon sees itself; 0 when it does not tell (1.6). */
  pid: number;
  /** The inode of its namespace of process ids; 0 when it does not tell (1.6). */
  pidns: number;
  /** What was used since it started; also empty when it does not keep count. */
  deprecations: Deprecation[];
}

/** Something that was used and that a later containerd will not have. */
export interface Deprecation {
  /** `io.containerd.deprecation/…` */
  id: string;
  /** What to use instead. */
  message: string;
  /** When it was last used. */
  lastOccurrence: Date;
}

/** One of containerd's own plugins. */
export interface DaemonPlugin {
  /** `io.containerd.snapshotter.v1` */
  type: string;
  /** Tells it from others of its type: `overlayfs`. */
  id: string;
  /** What it works for (`linux/amd64`); empty when that does not matter. */
  platforms: string[];
  /** The types of the plugins that start before it. */
  requires: string[];
  /** What it tells of itself: `root` is the folder of its data, on containerd's host. */
  exports: Record<string, string>;
  /** What it can do beyond others of its type, in its own words. */
  capabilities: string[];
  /** Why it did not start; absent when it runs. */
  initError?: string;
}

/**
 * What a containerd says about itself: its introspection and version services.
 *
 * ```ts
 * import type { NamespaceAccess } from "davit";
 *
 * async function example({ introspection }: NamespaceAccess) {
 *   const { version } = await introspection.version();
 *   const plugins = await Array.fromAsync(introspection.plugins({ filters: ["type==io.containerd.snapshotter.v1"] }));
 *   console.log(version, plugins.map(({ id }) => id));
 * }
 * ```
 */
export class Introspection {
  readonly #scope: Scope;

  /** For {@linkcode Client} and {@linkcode NamespacedClient}, whose `introspection` it is. */
  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Which containerd answers. */
  async version(options: CallOptions = {}): Promise<DaemonVersion> {
    return await this.#scope.unary(version.version, {}, {
      action: "get the version of containerd",
      ...options,
    });
  }

  /** The containerd that answers, as a process. */
  async server(options: CallOptions = {}): Promise<Server> {
    const call = { action: "get the state of containerd", ...options };
    const { uuid, pid, pidns, deprecations } = await this.#scope.unary(methods.server, {}, call);
    return {
      uuid,
      pid: toNumber(pid),
      pidns: toNumber(pidns),
      deprecations: deprecations.map(({ id, message, lastOccurrence }) => ({
        id,
        message,
        lastOccurrence: toDate(lastOccurrence),
      })),
    };
  }

  /**
   * What was used since it started and is deprecated.
   *
   * @throws {UnimplementedError} when it does not keep count: before 1.6.25, and from 1.7.0 to 1.7.8.
   */
  async *deprecations(options: CallOptions = {}): AsyncIterable<Deprecation> {
    const { version } = await this.version(options);
    if (!keepsCount(version)) {
      throw containerdError({
        code: "unimplemented",
        reason: `containerd ${version} does not keep count of them, only 1.6.25, 1.7.9 and later ones do`,
        outcome: "refused",
        action: "list the deprecations of containerd",
        method: methods.server.name,
      });
    }
    yield* (await this.server(options)).deprecations;
  }

  /** containerd's plugins that match any of the filters; all without one. */
  async *plugins(
    { filters = [], ...options }: CallOptions & { filters?: string[] } = {},
  ): AsyncIterable<DaemonPlugin> {
    const call = { action: "list the plugins of containerd", ...options };
    const { plugins } = await this.#scope.unary(methods.plugins, { filters }, call);
    yield* plugins.map(fromMessage);
  }

  /** One plugin of containerd. @throws {UnimplementedError} before containerd 2.0. */
  async pluginInfo(type: string, id: string, options: CallOptions = {}): Promise<DaemonPlugin> {
    const call = {
      action: "get",
      resource: `plugin ${quoted(`${type}.${id}`)} of containerd`,
      ...options,
    };
    const { plugin } = await this.#scope.unary(methods.pluginInfo, { type, id }, call);
    return fromMessage(plugin!);
  }

  /**
   * Whether blobs of one namespace can be had in another without proof of possession (`"shared"`, containerd's
   * default) or not (`"isolated"`).
   */
  async contentSharingPolicy(options: CallOptions = {}): Promise<"shared" | "isolated"> {
    for await (const plugin of this.plugins({ filters: ["type==io.containerd.metadata.v1"], ...options })) {
      if (plugin.exports.policy === "isolated") return "isolated";
    }
    return "shared";
  }
}

/** Whether a version is 2.0 or newer. One without a number is of a build from containerd's main branch, which is. */
export function isContainerd2(version: string): boolean {
  const [, major] = /^v?(\d+)(?:\.|$)/.exec(version) ?? [];
  return major === undefined || Number(major) >= 2;
}

/** An answer without deprecations says the same as one of a containerd that knows none. */
function keepsCount(version: string): boolean {
  if (isContainerd2(version)) return true;
  const [minor = 0, patch = 0] = /^v?1\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [];
  return minor > 7 || (minor === 7 && patch >= 9) || (minor === 6 && patch >= 25);
}

function fromMessage(
  { type, id, platforms, requires, exports, capabilities, initErr }: Message,
): DaemonPlugin {
  return {
    type,
    id,
    platforms: platforms.map(({ os, architecture, variant }) =>
      [os, architecture, variant].filter((part) => part !== "").join("/")
    ),
    requires,
    exports,
    capabilities,
    ...(initErr && { initError: initErr.message }),
  };
}
