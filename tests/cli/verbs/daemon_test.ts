import { assert, assertEquals } from "@std/assert";
import { realTest } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("daemon info says what ctr says, and more", async (_t, containerd) => {
  const { code, stdout } = await davit(containerd, ["daemon", "info"]);
  assertEquals(code, 0);
  const info = JSON.parse(stdout);
  assertEquals(info.version.split(/[~+]/)[0], containerd.release.version);
  assertEquals(info.contentSharingPolicy, "shared");
  assert(info.snapshotters.includes("overlayfs"));
  if (containerd.release.series === "1.6") return; // its ctr has no info, and itself tells little
  const { server } = JSON.parse((await containerd.ctr(["info"])).stdout);
  assertEquals([info.server.uuid, info.server.pid], [server.uuid, server.pid]);
  assertEquals(info.server.pid, containerd.pid);
});

realTest("daemon info knows an isolated content policy", async (_t, containerd) => {
  const { stdout } = await davit(containerd, ["daemon", "info", "-o", "json"]);
  assertEquals(JSON.parse(stdout).contentSharingPolicy, "isolated");
}, { policy: "isolated" });

realTest("daemon version says what ctr says of the server", async (_t, containerd) => {
  const { code, stdout } = await davit(containerd, ["daemon", "version", "-o", "json"]);
  const { version, revision } = JSON.parse(stdout);
  const ofCtr = (await containerd.ctr(["version"])).stdout.split("Server:")[1]!;
  assertEquals([code, version], [0, /Version: +(\S+)/.exec(ofCtr)?.[1]]);
  assertEquals(revision, /Revision: *(\S*)/.exec(ofCtr)?.[1]);
});
