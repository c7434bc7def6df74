import { PluginFile } from "../../plugin/file.ts";
import { runTests } from "../../plugin/tests.ts";
import { UsageError } from "../../errors.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Run the tests of plugins, on a containerd in memory",
  examples: ["plugin test", "plugin test ./keep_last_test.ts --filter newest"],
  args: [{
    name: "FILE",
    summary: "files of tests; else all of this folder: *_test.ts",
    optional: true,
    repeats: true,
    completes: "file",
  }],
  options: {
    filter: {
      type: "string",
      default: "",
      placeholder: "TEXT",
      summary: "only tests with this in their name",
    },
  },
  columns: [
    { header: "TEST", key: "test" },
    { header: "FILE", key: "file" },
    { header: "STATUS", key: "status" },
    { header: "MS", key: "durationMs" },
    { header: "PROBLEM", key: "problem" },
  ],
  async *run({ args, options: { filter }, found, failed, signal }) {
    for (const file of args.length > 0 ? args : await testsHere()) {
      try {
        for await (const { error, ...result } of runTests(await PluginFile.find(file), { filter, signal })) {
          if (error !== undefined) found();
          yield { ...result, file };
        }
      } catch (error) {
        signal.throwIfAborted();
        failed(error);
      }
    }
  },
});

async function testsHere(): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir("."), ({ name }) => name);
  const files = names.filter((name) => /_test\.[jt]s$/.test(name)).sort();
  if (files.length === 0) throw new UsageError("Cannot test: there is no file named *_test.ts here");
  return files.map((name) => `./${name}`);
}
