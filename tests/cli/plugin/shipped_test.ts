import { assertEquals } from "@std/assert";
import type { Plugin } from "davit";
import { accessOf, checkDefinition } from "../../../cli/plugin/definition.ts";
import { shippedFile, shippedPlugins } from "../../../cli/plugin/shipped.ts";
import { nouns, verbs } from "../../../cli/verbs.ts";

const folder = new URL("../../../plugins/", import.meta.url);

Deno.test("shippedPlugins lists all of plugins/, as their files say", async () => {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const files = entries.filter(({ isFile }) => isFile).map(({ name }) => name);
  assertEquals(shippedPlugins.map(({ name }) => `${name.replaceAll("-", "_")}.ts`), files.sort());
  for (const listed of shippedPlugins) {
    const { default: plugin }: { default: Plugin } = await import(shippedFile(listed.name)!.url);
    const { run: _, ...definition } = plugin;
    checkDefinition(definition);
    const { name, summary } = definition;
    assertEquals({ name, summary, access: accessOf(definition) }, listed);
  }
});

Deno.test("shippedPlugins takes no name of a noun or verb", () => {
  const taken = [...nouns, ...verbs].flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  assertEquals(shippedPlugins.filter(({ name }) => taken.includes(name)), []);
});

Deno.test("shippedPlugins are short enough to copy", async () => {
  for (const { name } of shippedPlugins) {
    const text = await Deno.readTextFile(shippedFile(name)!.path);
    assertEquals(text.split("\n").length < 100, true, name);
    assertEquals([...text.matchAll(/ from "(.*)"/g)].map(([, source]) => source), ["davit"]);
  }
});
