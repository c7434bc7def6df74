import { newSnapshotVerb } from "../../new_snapshot.ts";

export default newSnapshotVerb({
  summary: "Make a snapshot to read from, and show how to mount it",
  examples: ["snapshots view look", `snapshots view look sha256:${"0".repeat(64)} -o json`],
  parent: "committed snapshot to read",
  make: (snapshots, ...what) => snapshots.view(...what),
});
