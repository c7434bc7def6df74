import { assert, assertEquals } from "@std/assert";
import { dirname } from "@std/path";
import { diagnose, mendFinding, removeContainer } from "davit";
import { leftOf, parentOf, type RunSetting, runTest, startBusybox } from "../run/setting.ts";

/** The findings about pipes; others may be running containers on this machine, too. */
async function foundPipes({ client, containerd: { address } }: RunSetting) {
  const options = { address, isAlive: () => Promise.resolve(undefined), youngMs: 0 };
  return (await Array.fromAsync(diagnose(client, options))).filter(({ check }) => check === "leftover-pipes");
}

runTest(
  "findLeftoverPipes() finds what a shim leaves that crashed, and not what is used",
  async (setting) => {
    const { client } = setting;
    const [used, lost] = [await startBusybox(client, ["cat"]), await startBusybox(client, ["cat"])];
    const folderOf = ({ io }: typeof used) => dirname(io.stdout);
    Deno.kill(await parentOf(lost.pid), "SIGKILL");
    // containerd has to notice first.
    const remove = () =>
      removeContainer(client, lost.containerId, { force: true }).then(() => true, () => false);
    while (!await remove()) await new Promise((resolve) => setTimeout(resolve, 20));
    const found = await foundPipes(setting);
    const named = (folder: string) => found.filter(({ what }) => what === `folder "${folder}"`);
    assertEquals(named(folderOf(used)), []);
    const [finding] = named(folderOf(lost));
    assertEquals(finding!.commands, [["rm", "-r", folderOf(lost)]]);
    assertEquals([await mendFinding(client, finding!), await mendFinding(client, finding!)], [true, false]);
    assertEquals(await Deno.lstat(folderOf(lost)).catch(() => "gone"), "gone");

    assertEquals(
      await mendFinding(client, { ...finding!, mend: { kind: "pipes", folder: folderOf(used) } }),
      false,
    );
    assert((await Deno.lstat(folderOf(used))).isDirectory);
    await removeContainer(client, used.containerId, { force: true });
    assertEquals(await leftOf(setting), []);
  },
  { series: ["2"] },
);
