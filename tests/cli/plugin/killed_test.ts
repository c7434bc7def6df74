/** Plugins that take all of davit with them. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { PluginFolder } from "./plugin_folder.ts";
import { davit } from "./program.ts";

/** Dies of memory before davit notices: its heap has less room than a plugin may take. */
const small = { env: { DENO_V8_FLAGS: "--max-old-space-size=100" } };

const dying = `
    if (args.length === 0) return "alive";
    await client.leases.acquire({ prefix: "held" });
    await client.leases.create({ id: "made" });
    log.info("holding");
    const all = [];
    for (;;) all.push(new Array(1_000).fill(Math.random()));`;

realTest(
  "a run that dies of a plugin's memory leaves its lock, and the next run removes what it held",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    await containerd.ctr(["namespaces", "create", namespace]);
    await containerd.ctr(["leases", "create", "--id", "theirs"], { namespace });
    await using folder = await PluginFolder.create();
    const path = await folder.writePlugin(dying, {
      access: { write: "images" },
      args: [{ name: "DIE", summary: "x", optional: true }],
    });
    const [lock, report] = [join(folder.path, "lock"), join(folder.path, "report")];
    const flags = ["-a", containerd.address, "-n", namespace];
    const job = [path, ...flags, "--lock", lock, "--report", report];
    const leases = async () => {
      const { stdout } = await containerd.ctr(["leases", "ls", "-q"], { namespace });
      return stdout.split("\n").filter(Boolean).map((id) => id.replace(/-.*/, "")).sort();
    };

    const dead = await davit([...job, "die"], small);
    assertEquals([dead.code, await leases()], [133, ["held", "made", "theirs"]]);
    assertMatch(dead.stderr, /^holding\n[^]*out of memory/);
    assertEquals(await Deno.stat(report).then(() => "written", () => "none"), "none");

    const next = await davit([...job, "--dry-run"]);
    assertEquals([next.code, await leases()], [0, ["held", "made", "theirs"]], next.stderr);
    const second = await davit(job);
    assertEquals([second.code, second.stderr, await leases()], [0, "", ["made", "theirs"]]);
    assertEquals(JSON.parse(await Deno.readTextFile(report)).exit, 0);

    // What a plugin made to stay only somebody who says so takes away.
    assertEquals((await davit(["leases", "recover", ...flags])).code, 0);
    assertEquals(await leases(), ["theirs"]);
  },
  { series: ["2"] },
);
