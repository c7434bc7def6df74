/** What the in-memory containerd says about itself, and the services of which it has no more than empty lists. */
import type {
  Plugin,
  PluginInfoRequest,
  PluginsRequest,
} from "../../proto/gen/containerd/services/introspection/v1/introspection.ts";
import type { GetContainerRequest } from "../../proto/gen/containerd/services/containers/v1/containers.ts";
import type {
  ListSnapshotsRequest,
  StatSnapshotRequest,
} from "../../proto/gen/containerd/services/snapshots/v1/snapshots.ts";
import type { GetRequest } from "../../proto/gen/containerd/services/tasks/v1/tasks.ts";
import type { StoreGetRequest } from "../../proto/gen/containerd/services/sandbox/v1/sandbox.ts";
import { Containers, Introspection, Sandboxes, Snapshots, Tasks, Version } from "../transport/methods.ts";
import { filtered } from "./filters.ts";
import { refusal } from "./refusal.ts";
import { first, type Handler, stream, unary } from "./service.ts";
import type { State } from "./state.ts";

/** The containerd whose ways are imitated. */
const version = "2.1.9";

const snapshotter = { type: "io.containerd.snapshotter.v1", id: "overlayfs" };

/** containerd's introspection and version services. */
export function daemonServices({ policy }: State): Handler[] {
  const plugins: Plugin[] = [
    plugin({ type: "io.containerd.content.v1", id: "content" }),
    plugin({ type: "io.containerd.metadata.v1", id: "bolt", exports: { policy } }),
    plugin(snapshotter),
  ];
  return [
    unary(Version.version, () => ({ version, revision: "in memory" })),
    unary(Introspection.server, () => ({ uuid: "in-memory", pid: 0n, pidns: 0n, deprecations: [] })),
    unary(Introspection.plugins, ({ filters }: PluginsRequest) => ({
      plugins: filtered(plugins, filters, fieldOf),
    })),
    unary(Introspection.pluginInfo, ({ type, id }: PluginInfoRequest) => {
      const plugin = plugins.find((plugin) => plugin.type === type && plugin.id === id);
      if (plugin === undefined) throw refusal("not_found", `plugin ${type}.${id}`);
      return { plugin, extra: undefined };
    }),
  ];
}

/** The containers, tasks, sandboxes and snapshots services, which have nothing. */
export function emptyServices(): Handler[] {
  const noSnapshot = (request: StatSnapshotRequest) => {
    checkSnapshotter(request);
    throw refusal("not_found", `snapshot ${request.key}`);
  };
  return [
    unary(Containers.list, () => ({ containers: [] })),
    stream(Containers.listStream, async function* () {}),
    unary(Containers.get, ({ id }: GetContainerRequest) => {
      throw refusal("not_found", `container ${JSON.stringify(id)}`);
    }),
    unary(Tasks.list, () => ({ tasks: [] })),
    unary(Tasks.get, ({ containerId }: GetRequest) => {
      throw refusal("not_found", `task ${containerId}`);
    }),
    unary(Sandboxes.list, () => ({ list: [] })),
    unary(Sandboxes.get, ({ sandboxId }: StoreGetRequest) => {
      throw refusal("not_found", `sandbox ${JSON.stringify(sandboxId)}`);
    }),
    stream(Snapshots.list, async function* (requests: AsyncIterable<ListSnapshotsRequest>) {
      checkSnapshotter(await first(requests));
      yield { info: [] };
    }),
    unary(Snapshots.stat, noSnapshot),
    unary(Snapshots.usage, noSnapshot),
    unary(Snapshots.mounts, noSnapshot),
  ];
}

function plugin(known: Pick<Plugin, "type" | "id"> & Partial<Plugin>): Plugin {
  return { requires: [], platforms: [], exports: {}, capabilities: [], initErr: undefined, ...known };
}

function fieldOf({ type, id, capabilities }: Plugin, [field]: readonly string[]): string | undefined {
  switch (field) {
    case "type":
      return type;
    case "id":
      return id;
    case "capabilities":
      return capabilities.join(",");
    default:
      return undefined;
  }
}

function checkSnapshotter({ snapshotter: name }: { snapshotter: string }): void {
  if (name !== snapshotter.id) throw refusal("invalid_argument", `snapshotter not loaded: ${name}`);
}
