import { resolve } from "@std/path";
import { mountLine } from "../../mount.ts";
import { snapshotsOf, snapshotterOption } from "../../snapshotter.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Print the commands that mount a snapshot, for a shell",
  examples: ["snapshots mounts /mnt work"],
  args: [
    { name: "TARGET", summary: "folder to mount it at", completes: "file" },
    { name: "KEY", summary: "snapshot, to write to or to read from", completes: "snapshot" },
  ],
  options: snapshotterOption,
  async run(context): Promise<string[]> {
    const { args: [target = "", key = ""], namespaced, signal } = context;
    const snapshots = await snapshotsOf(await namespaced(), context);
    const mounts = await snapshots.mounts(key, { signal });
    return mounts.map((mount) => mountLine(mount, resolve(target)));
  },
});
