/** These tests hold when the types of this file are right, which `deno test` checks before it runs anything. */
import { assertEquals } from "@std/assert";
import { definePlugin, type Options, type PluginContext, type TextFile } from "davit";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

function same<A, B>(_same: Equal<A, B>): void {}

const sample = { name: "sample", summary: "A plugin of the tests" } as const;

Deno.test("definePlugin() gives each option the type that its table says", () => {
  const plugin = definePlugin({
    ...sample,
    options: {
      keep: { type: "integer", default: 5, summary: "x" },
      most: { type: "integer", summary: "x" },
      order: { type: "string", choices: ["age", "name"], required: true, summary: "x" },
      only: { type: "list", summary: "x" },
      force: { type: "boolean", summary: "x" },
      unpack: { type: "boolean", default: true, summary: "x" },
      wait: { type: "duration", required: true, summary: "x" },
      share: { type: "number", min: 0, summary: "x" },
      budget: { type: "size", default: 1024, summary: "x" },
      forms: { type: "list", choices: ["a", "b"], default: ["a"], summary: "x" },
      rules: { type: "file", summary: "x" },
    },
    run({ options }) {
      same<typeof options.keep, number>(true);
      same<typeof options.most, number | undefined>(true);
      same<typeof options.order, "age" | "name">(true);
      same<typeof options.only, readonly string[]>(true);
      same<typeof options.force, boolean>(true);
      same<typeof options.unpack, boolean>(true);
      same<typeof options.wait, number>(true);
      same<typeof options.share, number | undefined>(true);
      same<typeof options.budget, number>(true);
      same<typeof options.forms, readonly ("a" | "b")[]>(true);
      same<typeof options.rules, TextFile | undefined>(true);
      // @ts-expect-error: a number is no text
      const text: string = options.keep;
      // @ts-expect-error: it may be absent
      const more = options.most + 1;
      // @ts-expect-error: there is no such option
      const { kepe } = options;
      return [text, more, kepe];
    },
  });
  const context = { options: { keep: 5, most: 1 } } as unknown as PluginContext<Options>;
  assertEquals(plugin.run(context as never), [5, 2, undefined]);
});

Deno.test("definePlugin() takes columns for fields that the rows of run have, and no others", () => {
  const good = definePlugin({
    ...sample,
    columns: [{ header: "NAME", key: "name" }, { header: "SIZE", key: "size", as: "bytes" }],
    async *run({ client }) {
      for await (const { name, target } of client.images.list()) yield { name, size: target.size };
    },
  });
  const wrong = definePlugin({
    ...sample,
    // @ts-expect-error: no row has such a field
    columns: [{ header: "NAME", key: "nmae" }],
    run: () => Promise.resolve([{ name: "x" }]),
  });
  assertEquals([good.columns?.length, wrong.columns?.length], [2, 1]);
});

Deno.test("definePlugin() rejects what no plugin has", () => {
  definePlugin({
    ...sample,
    // @ts-expect-error: the type is called "integer"
    options: { keep: { type: "int", summary: "x" } },
    run() {},
  });
  definePlugin({
    ...sample,
    // @ts-expect-error: it is called "min"
    options: { keep: { type: "integer", mni: 1, summary: "x" } },
    run() {},
  });
  definePlugin({
    ...sample,
    // @ts-expect-error: a text has no least one
    options: { text: { type: "string", min: 1, summary: "x" } },
    run() {},
  });
  definePlugin({
    ...sample,
    // @ts-expect-error: it is "images" or "all"
    access: { write: true },
    run() {},
  });
  definePlugin({
    ...sample,
    // @ts-expect-error: it is called "access"
    acess: {},
    run() {},
  });
});
