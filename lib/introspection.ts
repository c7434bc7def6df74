import type { Plugin as Message } from "../proto/gen/containerd/services/introspection/v1/introspection.ts";
import { toDate, toNumber } from "./convert.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Introspection as methods, Version as version } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";

/** The version that a containerd reports. */
export interface DaemonVersion {
  version: string;
  revision: string;
}

/** A running containerd. */
export interface Server {
  uuid: string;
  /** Process id, as the daemon sees itself; 0 when it does not tell (1.6). */
  pid: number;
  deprecations: { id: string; message: string; lastOccurrence: Date }[];
}

/** One of containerd's own plugins. */
export interface DaemonPlugin {
  type: string;
  id: string;
  requires: string[];
  exports: Record<string, string>;
  capabilities: string[];
  /** Why it did not start; absent when it runs. */
  initError?: string;
}

/** What a containerd says about itself: its introspection and version services. */
export class Introspection {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  async version(options: CallOptions = {}): Promise<DaemonVersion> {
    return await this.#scope.unary(version.version, {}, {
      action: "get the version of containerd",
      ...options,
    });
  }

  async server(options: CallOptions = {}): Promise<Server> {
    const call = { action: "get the state of containerd", ...options };
    const { uuid, pid, deprecations } = await this.#scope.unary(methods.server, {}, call);
    return {
      uuid,
      pid: toNumber(pid),
      deprecations: deprecations.map(({ id, message, lastOccurrence }) => ({
        id,
        message,
        lastOccurrence: toDate(lastOccurrence),
      })),
    };
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

function fromMessage({ type, id, requires, exports, capabilities, initErr }: Message): DaemonPlugin {
  return { type, id, requires, exports, capabilities, ...(initErr && { initError: initErr.message }) };
}
