/** The names of what a containerd has. */
import {
  defaultSnapshotter,
  knownSandboxes,
  loadedSnapshotters,
  mapNamespaces,
  type NamespacedClient,
} from "../../mod.ts";
import { clientOver, type Connect, type ConnectionSettings, openTransport } from "../connection.ts";
import type { LiveKind } from "./expected.ts";

/** Which names, and of which containerd. */
export interface LiveNames {
  kind: LiveKind;
  settings: ConnectionSettings;
  /** Instead of connecting to a socket. */
  connect?: Connect | undefined;
  namespace: string;
  allNamespaces: boolean;
  /** The one that the namespace has by default if none is given. */
  snapshotter: string | undefined;
}

/** Asks a containerd for the names of what it has. */
export async function liveNames({ settings, connect, ...wanted }: LiveNames): Promise<string[]> {
  const { kind, namespace, allNamespaces, snapshotter } = wanted;
  await using transport = await openTransport(settings, connect);
  const client = clientOver(transport);
  const { signal } = settings;
  const listed = async (client: NamespacedClient) =>
    await Array.fromAsync(lists[kind](client, { snapshotter, signal }));
  if (kind === "namespace" || !allNamespaces) return await listed(client.namespace(namespace));
  return (await Array.fromAsync(mapNamespaces(client, listed, { signal }))).flat();
}

interface ListOptions {
  snapshotter: string | undefined;
  signal: AbortSignal;
}

type List = (client: NamespacedClient, options: ListOptions) => AsyncIterable<string>;

const lists: Readonly<Record<LiveKind, List>> = {
  async *namespace({ namespaces }, { signal }) {
    for await (const { name } of namespaces.list({ signal })) yield name;
  },
  async *image({ images }, { signal }) {
    for await (const { name } of images.list({ signal })) yield name;
  },
  async *content({ content }, { signal }) {
    for await (const { digest } of content.list({ signal })) yield digest;
  },
  async *ingest({ content }, { signal }) {
    for await (const { ref } of content.listStatuses({ signal })) yield ref;
  },
  async *snapshot(client, { snapshotter, signal }) {
    const snapshots = client.snapshots(snapshotter ?? await defaultSnapshotter(client, { signal }));
    for await (const { key } of snapshots.list({ signal })) yield key;
  },
  async *snapshotter({ introspection }, { signal }) {
    yield* await loadedSnapshotters(introspection, { signal });
  },
  async *container({ containers }, { signal }) {
    for await (const { id } of containers.list({ signal })) yield id;
  },
  async *task({ tasks }, { signal }) {
    for await (const { id } of tasks.list({ signal })) yield id;
  },
  async *sandbox(client, { signal }) {
    for await (const { id } of knownSandboxes(client, { signal })) yield id;
  },
  async *lease({ leases }, { signal }) {
    for await (const { id } of leases.list({ signal })) yield id;
  },
};
