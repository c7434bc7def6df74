import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { Recorder } from "../../../cli/unattended/record.ts";
import { run } from "../../real/process.ts";
import { realTest } from "../../real/test.ts";
import { davit } from "../verbs/davit.ts";

const facts = { job: "j", verb: "v", arguments: [], version: "0", exit: 0 };

Deno.test("Recorder tells how long a run took even when the clock is set back meanwhile", async () => {
  const { now } = Date;
  const recorder = new Recorder();
  try {
    await new Promise((resolve) => setTimeout(resolve, 30));
    Date.now = () => now() - 3_600_000;
    const { durationMs } = recorder.finish(facts);
    assert(durationMs >= 29 && durationMs < 5_000, String(durationMs));
  } finally {
    Date.now = now;
  }
});

realTest(
  "a disk that is full fails the run, and leaves the record that was there",
  async (_t, containerd) => {
    const folder = await Deno.makeTempDir({ prefix: "davit-full-" });
    await run("mount", ["-t", "tmpfs", "-o", "size=16k,mode=700", "davit-test", folder]);
    try {
      const [report, metrics] = [join(folder, "run.json"), join(folder, "davit.prom")];
      const job = ["namespaces", "list", "--report", report, "--metrics", metrics];
      assertEquals((await davit(containerd, job)).code, 0);
      const before = [await Deno.readTextFile(report), await Deno.readTextFile(metrics)];
      const filler = await Deno.open(join(folder, "filler"), { create: true, write: true });
      await filler.write(new Uint8Array(64 * 1024)).catch(() => {}); // as much as there is room for
      await filler.write(new Uint8Array(4096)).catch(() => {});
      filler.close();

      const { code, stdout, stderr } = await davit(containerd, job);
      assertEquals(code, 1);
      assertMatch(stdout, /^NAME /, "what was done is shown all the same");
      assertMatch(stderr, /Cannot write to ".*run\.json": no space left on device/i);
      assertEquals([await Deno.readTextFile(report), await Deno.readTextFile(metrics)], before);
      const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
      assertEquals(names.sort(), ["davit.prom", "filler", "run.json"], "nothing half written stays");
    } finally {
      await run("umount", [folder]);
      await Deno.remove(folder);
    }
  },
  { series: ["2"] },
);
