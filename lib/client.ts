import { Containers } from "./containers.ts";
import { Content } from "./content.ts";
import { Diff } from "./diff.ts";
import { Events } from "./events.ts";
import { Images } from "./images.ts";
import { Introspection } from "./introspection.ts";
import type { LeaseOwner } from "./lease_owner.ts";
import { Leases } from "./leases.ts";
import { Namespaces } from "./namespaces.ts";
import { Sandboxes } from "./sandboxes.ts";
import { Scope } from "./scope.ts";
import { Snapshots } from "./snapshots.ts";
import { Tasks } from "./tasks.ts";
import { guarded } from "./transport/guard.ts";
import { openSocket } from "./transport/socket.ts";
import type { Transport } from "./transport/transport.ts";

/** What operations over several namespaces need; {@linkcode Client} and {@linkcode NamespacedClient} both have it. */
export interface NamespaceAccess {
  /** All namespaces of the containerd. */
  readonly namespaces: Namespaces;
  /** What the containerd says about itself. */
  readonly introspection: Introspection;
  /** A client for the services of one namespace. containerd creates the namespace on the first write. */
  namespace(name: string): NamespacedClient;
}

/** Where containerd is. */
export interface ConnectOptions {
  /** The path of its unix socket. */
  address: string;
  /** The longest wait for a sign of life, in milliseconds. Default 2,000. */
  connectTimeoutMs?: number | undefined;
  /** Ends the attempt to connect; calls take signals of their own. */
  signal?: AbortSignal | undefined;
  /** Who acquires leases, so that `recoverLeases` can delete those that he leaves behind. */
  owner?: (() => Promise<LeaseOwner>) | undefined;
}

/**
 * Connects to a containerd.
 *
 * ```ts
 * import { connect } from "davit";
 *
 * async function example() {
 *   await using client = await connect({ address: "/run/containerd/containerd.sock" });
 *   for await (const image of client.namespace("k8s.io").images.list()) console.log(image.name);
 * }
 * ```
 *
 * @throws {UnavailableError} when nothing answers at the address, or nothing that speaks HTTP/2.
 * @throws {PermissionDeniedError} when the socket may not be used.
 */
export async function connect({ address, owner, ...options }: ConnectOptions): Promise<Client> {
  return new Client(guarded(await openSocket({ path: address, ...options })), { owner });
}

/** A connection to a containerd; namespaced services are behind {@linkcode Client.namespace}. */
export class Client implements NamespaceAccess, AsyncDisposable {
  readonly namespaces: Namespaces;
  readonly introspection: Introspection;
  readonly #scope: Scope;

  /** A client over any transport; {@linkcode connect} makes one over a socket. */
  constructor(transport: Transport, { owner }: Pick<ConnectOptions, "owner"> = {}) {
    // These services ignore the namespace, containerd wants one.
    const scope = new Scope(transport, { namespace: "default", owner });
    this.#scope = scope;
    this.namespaces = new Namespaces(scope);
    this.introspection = new Introspection(scope);
  }

  namespace(name: string): NamespacedClient {
    return new NamespacedClient(this.#scope.with({ namespace: name }));
  }

  /** Ends what is under way and closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.transport[Symbol.asyncDispose]();
  }
}

/** The services of one namespace. */
export class NamespacedClient implements NamespaceAccess {
  /** The namespace. */
  readonly name: string;
  readonly namespaces: Namespaces;
  readonly introspection: Introspection;
  /** Names for indexes and manifests. */
  readonly images: Images;
  /** Blobs, and those that are being written. */
  readonly content: Content;
  /** What keeps things from being collected. */
  readonly leases: Leases;
  /** Makes files of layers, and layers of files. */
  readonly diff: Diff;
  /** The records from which tasks are started. */
  readonly containers: Containers;
  /** The processes of containers. */
  readonly tasks: Tasks;
  /** What containers share, such as a pod's do; containerd 1.6 has none. */
  readonly sandboxes: Sandboxes;
  /** What happens. */
  readonly events: Events;
  readonly #scope: Scope;

  /** For {@linkcode NamespaceAccess.namespace}, which makes it. */
  constructor(scope: Scope) {
    this.#scope = scope;
    this.name = scope.namespace;
    this.namespaces = new Namespaces(scope);
    this.introspection = new Introspection(scope);
    this.images = new Images(scope);
    this.content = new Content(scope);
    this.leases = new Leases(scope);
    this.diff = new Diff(scope);
    this.containers = new Containers(scope);
    this.tasks = new Tasks(scope);
    this.sandboxes = new Sandboxes(scope);
    this.events = new Events(scope);
  }

  namespace(name: string): NamespacedClient {
    return new NamespacedClient(this.#scope.with({ namespace: name }));
  }

  /** The same namespace, with everything that is written or touched held by the lease of that id. */
  withLease(lease: string): NamespacedClient {
    return new NamespacedClient(this.#scope.with({ namespace: this.name, lease }));
  }

  /** The snapshots of one snapshotter, by its name in containerd: `overlayfs`. */
  snapshots(snapshotter: string): Snapshots {
    return new Snapshots(this.#scope, snapshotter);
  }
}
