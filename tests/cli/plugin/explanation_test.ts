import { assertEquals } from "@std/assert";
import type { GrantConfig } from "../../../cli/config.ts";
import type { Definition } from "../../../cli/plugin/definition.ts";
import { permitsOf } from "../../../cli/plugin/explanation.ts";
import { grantsOf, hostFlagsIn } from "../../../cli/plugin/settings.ts";
import { PluginFolder } from "./plugin_folder.ts";
import { davit } from "./program.ts";

const sample: Definition = { name: "sample", summary: "A plugin of the tests" };
const isolation = "not read other files, use the network, read the environment or run programs";

/** What a plugin may do, and who lets it, with these flags and this grant. */
function told(
  access: Definition["access"],
  { argv = [], grant = {}, noWrites = false, options }: {
    argv?: string[];
    grant?: GrantConfig;
    noWrites?: boolean;
    options?: Definition["options"];
  } = {},
): [may: string, by: string][] {
  const flags = hostFlagsIn(argv);
  const config = { contexts: {}, pluginFolders: [], grants: { sample: grant } };
  const definition: Definition = { ...sample, ...(access && { access }), ...(options && { options }) };
  const grants = grantsOf({ flags, config, env: () => undefined }, "sample");
  return permitsOf(definition, { grants, flags, noWrites, namespace: "build", folder: "/p" })
    .map(({ may, by }) => [may, by]);
}

Deno.test("permitsOf() says what a plugin declares, and what none may do", () => {
  assertEquals(told(undefined), [
    ['see what is in namespace "build", and in no other', "plugin"],
    ["change nothing in containerd", "plugin"],
    ["read files in /p", "davit"],
    [isolation, "davit"],
  ]);
  const images = "create, change and delete images, content, leases and namespaces there, but start nothing";
  assertEquals(told({ namespaces: "any", write: "images" }).slice(0, 2), [
    ["see all that is in containerd, in all namespaces", "plugin"],
    [images, "plugin"],
  ]);
  assertEquals(told({ namespaces: ["a", "b"], write: "all" }).slice(0, 2), [
    ['see what is in namespaces "a", "b", and in no other', "plugin"],
    ["do anything there, which is as good as root", "plugin"],
  ]);
});

Deno.test("permitsOf() says who takes something away", () => {
  const any = { namespaces: "any", write: "images" } as const;
  const narrowed = {
    argv: ["--allow-namespace", "a"],
    grant: { namespaces: ["a", "b"], write: false },
  } as const;
  assertEquals(
    told(any, { ...narrowed, argv: [...narrowed.argv], grant: { ...narrowed.grant } }).slice(0, 2),
    [
      [
        'see what is in namespace "a", and in no other',
        "plugin, less by configuration, less by --allow-namespace",
      ],
      ["change nothing in containerd", "plugin, less by configuration"],
    ],
  );
  assertEquals(told(any, { noWrites: true })[1], [
    "change nothing in containerd",
    "plugin, less by --no-writes",
  ]);
  assertEquals(told({}, { argv: ["--allow-namespace=other"] })[0], [
    "see nothing in containerd",
    "plugin, less by --allow-namespace",
  ]);
});

Deno.test("permitsOf() says who grants something", () => {
  const granted = told(undefined, {
    argv: ["--allow-net=a:1", "--allow-run", "curl"],
    grant: { net: ["b"], env: ["TOKEN"], read: ["/r"] },
  });
  assertEquals(granted.slice(3), [
    ["read /r", "configuration"],
    ["connect to a:1", "--allow-net"],
    ["connect to b", "configuration"],
    ["read the variable TOKEN", "configuration"],
    ["run curl, which may do all that you may", "--allow-run"],
  ]);
  const options = {
    keep: { type: "integer", env: "DAVIT_KEEP", summary: "x" },
    theRules: { type: "file", summary: "x" },
  } as const;
  assertEquals(told(undefined, { options }).slice(2, 4), [
    ["get the text of $DAVIT_KEEP, for --keep", "plugin"],
    ["get the text of the file that --the-rules names", "plugin"],
  ]);
});

Deno.test("plugin info --explain tells of every plugin of a file, with the flags that a run would have", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.write(
    "two.js",
    "export default ['one', 'two'].map((name) => ({ name, summary: 'x', run() {} }));",
  );
  const argv = ["plugin", "info", path, "--explain", "--allow-net", "a:1", "-n", "build", "-o", "json"];
  const { code, stdout, stderr } = await davit(argv, { canned: true });
  assertEquals([code, stderr], [0, ""]);
  const permits: { plugin: string; may: string; by: string }[] = JSON.parse(stdout);
  assertEquals(permits.filter(({ may }) => may === "connect to a:1").map(({ plugin, by }) => [plugin, by]), [
    ["one", "--allow-net"],
    ["two", "--allow-net"],
  ]);
});
