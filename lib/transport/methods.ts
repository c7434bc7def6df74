/**
 * The method table: every RPC that davit can send and what is known about it. A service is an object of
 * {@linkcode Method}s; the compiler wants a row for each RPC of the `.proto` file.
 */
import type { Method, MethodCodec, Writes } from "./transport.ts";

const readDeadlineMs = 30_000;
const writeDeadlineMs = 60_000;

/** Of calls that last as long as there are files to write: `unary()` in `lib/unbounded.ts` ends them in time. */
const unbounded = { deadlineMs: undefined };

export const Namespaces = service(
  "containerd.services.namespaces.v1.Namespaces",
  async () =>
    (await import("../../proto/gen/containerd/services/namespaces/v1/namespaces.ts")).NamespacesDefinition,
  {
    get: reads(),
    list: reads(),
    create: writes("namespaces"),
    update: writes("namespaces", { idempotent: true }),
    delete: writes("namespaces"),
  },
  { namespaced: false },
);

export const Images = service(
  "containerd.services.images.v1.Images",
  async () => (await import("../../proto/gen/containerd/services/images/v1/images.ts")).ImagesDefinition,
  {
    get: reads(),
    list: reads(),
    create: writes("images"),
    update: writes("images", { idempotent: true }),
    delete: writes("images"),
  },
);

export const Content = service(
  "containerd.services.content.v1.Content",
  async () => {
    const { ContentDefinition } = await import("../../proto/gen/containerd/services/content/v1/content.ts");
    return (await import("./large_data.ts")).withLargeData(ContentDefinition);
  },
  {
    info: reads(),
    update: writes("content", { idempotent: true }),
    list: reads({ kind: "stream" }),
    delete: writes("content"),
    read: reads({ kind: "stream" }),
    status: reads(),
    listStatuses: reads(),
    write: writes("content", { kind: "stream" }),
    abort: writes("content"),
  },
);

export const Leases = service(
  "containerd.services.leases.v1.Leases",
  async () => (await import("../../proto/gen/containerd/services/leases/v1/leases.ts")).LeasesDefinition,
  {
    create: writes("leases"),
    delete: writes("leases"),
    list: reads(),
    addResource: writes("leases", { idempotent: true }),
    deleteResource: writes("leases"),
    listResources: reads(),
  },
);

export const Introspection = service(
  "containerd.services.introspection.v1.Introspection",
  async () =>
    (await import("../../proto/gen/containerd/services/introspection/v1/introspection.ts"))
      .IntrospectionDefinition,
  { plugins: reads(), server: reads(), pluginInfo: reads() },
  { namespaced: false },
);

export const Version = service(
  "containerd.services.version.v1.Version",
  async () => (await import("../../proto/gen/containerd/services/version/v1/version.ts")).VersionDefinition,
  { version: reads() },
  { namespaced: false },
);

export const Containers = service(
  "containerd.services.containers.v1.Containers",
  async () =>
    (await import("../../proto/gen/containerd/services/containers/v1/containers.ts")).ContainersDefinition,
  {
    get: reads(),
    list: reads(),
    listStream: reads({ kind: "stream" }),
    create: writes("anything"),
    update: writes("anything", { idempotent: true }),
    delete: writes("anything"),
  },
);

export const Tasks = service(
  "containerd.services.tasks.v1.Tasks",
  async () => (await import("../../proto/gen/containerd/services/tasks/v1/tasks.ts")).TasksDefinition,
  {
    create: writes("anything"),
    start: writes("anything"),
    delete: writes("anything"),
    deleteProcess: writes("anything"),
    get: reads(),
    list: reads(),
    kill: writes("anything"),
    exec: writes("anything"),
    resizePty: writes("anything", { idempotent: true }),
    closeIO: writes("anything", { idempotent: true }),
    pause: writes("anything"),
    resume: writes("anything"),
    listPids: reads(),
    checkpoint: writes("anything", unbounded),
    update: writes("anything", { idempotent: true }),
    metrics: reads(),
    wait: reads(unbounded),
  },
);

export const Events = service(
  "containerd.services.events.v1.Events",
  async () => (await import("../../proto/gen/containerd/services/events/v1/events.ts")).EventsDefinition,
  {
    publish: writes("anything"),
    forward: writes("anything"),
    subscribe: reads({ kind: "stream", ...unbounded }),
  },
);

export const Snapshots = service(
  "containerd.services.snapshots.v1.Snapshots",
  async () =>
    (await import("../../proto/gen/containerd/services/snapshots/v1/snapshots.ts")).SnapshotsDefinition,
  {
    prepare: writes("anything", unbounded),
    view: writes("anything", unbounded),
    mounts: reads(),
    commit: writes("anything", unbounded),
    remove: writes("anything"),
    stat: reads(),
    update: writes("anything", { idempotent: true }),
    list: reads({ kind: "stream" }),
    usage: reads(),
    cleanup: writes("anything", { idempotent: true, ...unbounded }),
  },
);

export const Diff = service(
  "containerd.services.diff.v1.Diff",
  async () => (await import("../../proto/gen/containerd/services/diff/v1/diff.ts")).DiffDefinition,
  { apply: writes("anything", unbounded), diff: writes("anything", unbounded) },
);

export const Sandboxes = service(
  "containerd.services.sandbox.v1.Store",
  async () => (await import("../../proto/gen/containerd/services/sandbox/v1/sandbox.ts")).StoreDefinition,
  {
    create: writes("anything"),
    update: writes("anything", { idempotent: true }),
    delete: writes("anything"),
    list: reads(),
    get: reads(),
  },
);

export const SandboxController = service(
  "containerd.services.sandbox.v1.Controller",
  async () =>
    (await import("../../proto/gen/containerd/services/sandbox/v1/sandbox.ts")).ControllerDefinition,
  {
    create: writes("anything"),
    start: writes("anything"),
    platform: reads(),
    stop: writes("anything"),
    wait: reads(unbounded),
    status: reads(),
    shutdown: writes("anything"),
  },
);

const services = [
  Namespaces,
  Images,
  Content,
  Leases,
  Introspection,
  Version,
  Containers,
  Tasks,
  Events,
  Snapshots,
  Diff,
  Sandboxes,
  SandboxController,
];

/** Every method by its full name, for whoever gets names from outside: the message port, traces, tests. */
export const methodsByName: ReadonlyMap<string, Method> = new Map(
  services.flatMap((service) => Object.values<Method>(service)).map((method) => [method.name, method]),
);

type Facts = Pick<Method, "kind" | "writes" | "idempotent" | "deadlineMs">;

function reads(facts: Partial<Facts> = {}): Facts {
  return { kind: "unary", writes: undefined, idempotent: true, deadlineMs: readDeadlineMs, ...facts };
}

function writes(what: Writes, facts: Partial<Facts> = {}): Facts {
  return { kind: "unary", writes: what, idempotent: false, deadlineMs: writeDeadlineMs, ...facts };
}

interface Definition {
  readonly fullName: string;
  readonly methods: Readonly<Record<string, MethodCodec<never, unknown>>>;
}

type Service<D extends Definition> = {
  readonly [Rpc in keyof D["methods"]]: Method<RequestOf<D["methods"][Rpc]>, ResponseOf<D["methods"][Rpc]>>;
};

type RequestOf<M> = M extends { requestType: { fromPartial(partial: infer Partial): unknown } } ? Partial
  : never;
type ResponseOf<M> = M extends { responseType: { decode(bytes: Uint8Array): infer Message } } ? Message
  : never;

function service<D extends Definition>(
  fullName: string,
  load: () => Promise<D>,
  facts: { readonly [Rpc in keyof D["methods"]]: Facts },
  { namespaced = true } = {},
): Service<D> {
  const rows = Object.entries<Facts>(facts).map(([rpc, known]) => [rpc, {
    ...known,
    name: `${fullName}/${rpc[0]!.toUpperCase()}${rpc.slice(1)}`,
    namespaced,
    codec: async () => (await load()).methods[rpc],
  }]);
  return Object.fromEntries(rows);
}
