import {
  type CallOptions,
  containerdError,
  defaultSnapshotter,
  type NamespacedClient,
} from "../../../mod.ts";
import { each } from "../../each.ts";
import { snapshotterOption } from "../../snapshotter.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove snapshots, children before their parents",
  examples: ["snapshots remove work", "snapshots remove child base --ignore-missing"],
  args: [{ name: "KEY", summary: "snapshot", repeats: true, completes: "snapshot" }],
  options: {
    allowUsed: { type: "boolean", summary: "also those of containers, which are then lost" },
    ignoreMissing: { type: "boolean", summary: "a snapshot that does not exist is as good as removed" },
    ...snapshotterOption,
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { allowUsed, ignoreMissing }, namespaced, signal } = context;
    const client = await namespaced();
    const snapshotter = context.options.snapshotter ?? context.snapshotter ??
      await defaultSnapshotter(client, { signal });
    const snapshots = client.snapshots(snapshotter);
    // containerd does not look whether something runs on a snapshot.
    const users = allowUsed ? new Map<string, string>() : await usersOf(client, snapshotter, { signal });
    const parents = new Map<string, string>();
    for await (const { key, parent } of snapshots.list({ signal })) parents.set(key, parent);
    yield* each(leavesFirst(args, parents), {
      context,
      ignoreMissing,
      async work(key) {
        const user = users.get(key);
        if (user !== undefined) throw inUse(key, { user, namespace: client.name });
        await snapshots.remove(key, { signal });
        return key;
      },
    });
  },
});

/** The containers of snapshots, by key. */
async function usersOf(
  client: NamespacedClient,
  snapshotter: string,
  options: CallOptions,
): Promise<Map<string, string>> {
  const users = new Map<string, string>();
  for await (const { id, snapshotKey, ...container } of client.containers.list(options)) {
    if (container.snapshotter === snapshotter) users.set(snapshotKey, id);
  }
  return users;
}

function leavesFirst(keys: readonly string[], parents: ReadonlyMap<string, string>): string[] {
  const depth = (key: string | undefined): number => key ? 1 + depth(parents.get(key)) : 0;
  return [...new Set(keys)].toSorted((a, b) => depth(b) - depth(a));
}

function inUse(key: string, { user, namespace }: { user: string; namespace: string }): Error {
  return containerdError({
    code: "failed_precondition",
    reason: `container ${JSON.stringify(user)} uses it`,
    outcome: "not sent",
    action: "remove",
    resource: `snapshot ${JSON.stringify(key)}`,
    namespace,
  });
}
