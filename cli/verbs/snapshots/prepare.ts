import { newSnapshotVerb } from "../../new_snapshot.ts";

export default newSnapshotVerb({
  summary: "Make a snapshot to write to, and show how to mount it",
  examples: ["snapshots prepare work", `snapshots prepare work sha256:${"0".repeat(64)} -o json`],
  parent: "committed snapshot to begin with",
  make: (snapshots, ...what) => snapshots.prepare(...what),
});
