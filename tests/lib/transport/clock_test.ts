import { assert, assertEquals } from "@std/assert";
import { Clock } from "../../../lib/transport/clock.ts";

Deno.test("Clock wakes each at its time, whatever the order in which they were set", async () => {
  const clock = new Clock();
  const woken: number[] = [];
  const began = performance.now();
  const all = [90, 30, 60, 30].map((inMs) =>
    new Promise<void>((resolve) =>
      clock.set(() => {
        assert(performance.now() - began >= inMs - 1, `${inMs} ms`);
        woken.push(inMs);
        resolve();
      }, inMs)
    )
  );
  await Promise.all(all);
  assertEquals(woken, [30, 30, 60, 90]);
});

Deno.test("Clock does not wake who was cleared, and who was set anew only later", async () => {
  const clock = new Clock();
  const woken: string[] = [];
  const cleared = () => woken.push("cleared");
  const later = () => woken.push("later");
  clock.set(cleared, 100);
  clock.set(later, 100);
  clock.clear(cleared);
  clock.set(later, 900);
  await new Promise<void>((resolve) => clock.set(() => resolve(), 200));
  assertEquals(woken, []);
  await new Promise<void>((resolve) => clock.set(() => resolve(), 800));
  assertEquals(woken, ["later"]);
});

Deno.test("Clock can set others when it wakes one", async () => {
  const clock = new Clock();
  const began = performance.now();
  await new Promise<void>((resolve) => clock.set(() => clock.set(() => resolve(), 30), 30));
  assert(performance.now() - began >= 58);
});

Deno.test("Clock keeps no process from ending once nobody is to be woken", async () => {
  const module = new URL("../../../lib/transport/clock.ts", import.meta.url).href;
  const code = `
    const { Clock } = await import(${JSON.stringify(module)});
    const clock = new Clock();
    for (let i = 0; i < 3; i++) {
      const wake = () => {};
      clock.set(wake, 60_000);
      clock.clear(wake);
    }`;
  const began = performance.now();
  await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
  assert(performance.now() - began < 30_000);
});
