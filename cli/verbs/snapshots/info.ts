import { NotFoundError, type Snapshot, type SnapshotUsage } from "../../../mod.ts";
import { elsewhere } from "../../elsewhere.ts";
import { CliError } from "../../errors.ts";
import { snapshotsOf, snapshotterOption } from "../../snapshotter.ts";
import { defineVerb, type VerbContext } from "../../verb.ts";

export default defineVerb({
  summary: "Show all about a snapshot",
  examples: ["snapshots info web-1", "snapshots info web-1 --snapshotter native -o yaml"],
  args: [{ name: "KEY", summary: "snapshot", completes: "snapshot" }],
  options: snapshotterOption,
  async run(context): Promise<Snapshot & { usage: SnapshotUsage }> {
    const { args: [key = ""], namespaced, signal } = context;
    const snapshots = await snapshotsOf(await namespaced(), context);
    try {
      const snapshot = await snapshots.stat(key, { signal });
      return { ...snapshot, usage: await snapshots.usage(key, { signal }) };
    } catch (error) {
      throw error instanceof NotFoundError ? await missing(error, key, context) : error;
    }
  },
});

async function missing(
  cause: NotFoundError,
  key: string,
  context: VerbContext<typeof snapshotterOption>,
): Promise<CliError> {
  const places = await elsewhere(context, async function* (client) {
    const snapshots = await snapshotsOf(client, context);
    for await (const snapshot of snapshots.list({ signal: context.signal })) {
      if (snapshot.key === key) yield snapshot;
    }
  });
  const hint = places && `it is in namespace ${places}`;
  return new CliError(cause.message, { code: "not_found", hint, cause });
}
