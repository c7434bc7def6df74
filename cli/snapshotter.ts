/** Which snapshotter a verb is about. */
import { defaultSnapshotter, type NamespacedClient, type Options, type Snapshots } from "../mod.ts";
import type { VerbContext } from "./verb.ts";

/** The option of verbs that show snapshots. */
export const snapshotterOption = {
  snapshotter: {
    type: "string",
    placeholder: "NAME",
    completes: "snapshotter",
    summary: "whose snapshots [$CONTAINERD_SNAPSHOTTER, the namespace's default, overlayfs]",
  },
} as const satisfies Options;

/** The snapshots of the snapshotter that the user, the environment or the namespace names. */
export async function snapshotsOf(
  client: NamespacedClient,
  { options, snapshotter, signal }: VerbContext<typeof snapshotterOption>,
): Promise<Snapshots> {
  const name = options.snapshotter ?? snapshotter ?? await defaultSnapshotter(client, { signal });
  return client.snapshots(name);
}
