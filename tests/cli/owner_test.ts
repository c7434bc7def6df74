import { assert, assertEquals, assertMatch } from "@std/assert";
import { canJudge, isAlive, thisOwner } from "../../cli/owner.ts";

const linux = { ignore: Deno.build.os !== "linux" };

Deno.test("thisOwner() knows this process, which runs", linux, async () => {
  const here = await thisOwner();
  assertEquals(here.pid, Deno.pid);
  assertMatch(here.startedAt!, /^\d+$/);
  assertMatch(here.bootId!, /^[0-9a-f-]{36}$/);
  assertEquals(await isAlive(here, here), canJudge(here) || undefined);
  const machine = await Deno.readTextFile("/etc/machine-id").catch(() => undefined);
  if (machine) assert(!JSON.stringify(here).includes(machine.trim()), "the id of the machine is not told");
});

Deno.test("isAlive() tells a process that died from one that runs", linux, async () => {
  const here = { ...await thisOwner(), machineId: "m" };
  const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
  const owner = { ...here, pid: child.pid, startedAt: await startOf(child.pid) };
  assertEquals(await isAlive(owner, here), true);
  assertEquals(await isAlive({ ...owner, startedAt: `${Number(owner.startedAt) - 1}` }, here), false);
  child.kill("SIGKILL");
  await child.status;
  assertEquals(await isAlive(owner, here), false);
});

Deno.test("isAlive() judges no process that it cannot see", linux, async () => {
  const here = { ...await thisOwner(), machineId: "m" };
  const dead = { ...here, pid: 2 ** 22 + 1, startedAt: "1" };
  assertEquals(await isAlive(dead, here), false);
  assertEquals(await isAlive({ ...dead, bootId: "earlier" }, here), false);
  const strangers = [
    { ...dead, machineId: "other" },
    { ...dead, machineId: "other", bootId: "other" },
    { ...dead, machineId: undefined },
    { ...dead, pidNamespace: "pid:[1]" },
    { ...dead, pidNamespace: undefined },
    { ...dead, startedAt: undefined },
    { ...dead, bootId: undefined },
    { pid: dead.pid },
  ];
  for (const owner of strangers) assertEquals(await isAlive(owner, here), undefined, JSON.stringify(owner));
  for (const blind of [{ ...here, bootId: undefined }, { ...here, machineId: undefined }, { pid: 1 }]) {
    assertEquals(await isAlive(dead, blind), undefined);
  }
});

Deno.test(
  "thisOwner() is content with less where it may not read /proc",
  { ...linux, permissions: "none" },
  async () => {
    const here = await thisOwner();
    assertEquals([here.pid, here.startedAt, canJudge(here)], [Deno.pid, undefined, false]);
    assertEquals(await isAlive({ ...here, bootId: "b", pidNamespace: "p", machineId: "m" }, here), undefined);
  },
);

/** By another way than davit. */
async function startOf(pid: number): Promise<string> {
  const { stdout } = await new Deno.Command("awk", { args: ["{ print $22 }", `/proc/${pid}/stat`] }).output();
  return new TextDecoder().decode(stdout).trim();
}
