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
