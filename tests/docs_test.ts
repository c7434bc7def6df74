import { assertEquals } from "@std/assert";
import { outcomes } from "../cli/errors.ts";

Deno.test("README.md has the exit table of the code", async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const rows = [...readme.matchAll(/^\| (\d+) +\| (.+?) +\|$/gm)].map((
    [, exit, when],
  ) => [Number(exit), when]);
  assertEquals(rows, outcomes.map(({ exit, when }) => [exit, when]));
});

Deno.test("README.md shows the plugin that the demo runs", async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const plugin = await Deno.readTextFile(new URL("demo/release.ts", import.meta.url));
  assertEquals(/```ts\n([\s\S]*?)```/.exec(readme)?.[1], plugin);
});
