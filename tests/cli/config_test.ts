import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { noConfig, placeOf, readConfig } from "../../cli/config.ts";
import { parseConfig } from "../../cli/config_file.ts";
import { CliError, UsageError } from "../../cli/errors.ts";
import { PluginFolder } from "./plugin/plugin_folder.ts";

const text = `
context = "prod"

[contexts.prod]
address = "/run/k3s/containerd/containerd.sock"
namespace = "k8s.io"

[plugins]
folders = ["/opt/davit/plugins"]

[grants.image-sync]
namespaces = ["build", "prod"]
write = "images"
read = ["/etc/rules"]
`;

function envOf(variables: Record<string, string>): { env: (name: string) => string | undefined } {
  return { env: (name) => variables[name] };
}

const silent = { warn: () => {} };

Deno.test("parseConfig() reads contexts, folders and grants", () => {
  assertEquals(parseConfig(text, "config.toml"), {
    context: "prod",
    contexts: { prod: { address: "/run/k3s/containerd/containerd.sock", namespace: "k8s.io" } },
    pluginFolders: ["/opt/davit/plugins"],
    grants: { "image-sync": { namespaces: ["build", "prod"], write: "images", read: ["/etc/rules"] } },
  });
  assertEquals(parseConfig("", "x"), { contexts: {}, pluginFolders: [], grants: {} });
});

const wrong: readonly [text: string, said: string][] = [
  ["[contxts.a]", 'Cannot use configuration c.toml:1: contxts: unknown; did you mean "contexts"?'],
  [
    "\n[contexts.a]\nadress = '/x'",
    'Cannot use configuration c.toml:3: contexts.a.adress: unknown; did you mean "address"?',
  ],
  [
    "[plugins]\nfolders = ['x']",
    "Cannot use configuration c.toml:2: plugins.folders[0]: expected an absolute path",
  ],
  ["[grants.a]\nread = 5", "Cannot use configuration c.toml:2: grants.a.read: expected an array"],
  [
    "[grants.a]\nwrite = true",
    'Cannot use configuration c.toml:2: grants.a.write: expected false, "images", "all"',
  ],
  ["context = 5", "Cannot use configuration c.toml:1: context: expected a line of text"],
];

Deno.test("parseConfig() says where a mistake is, and what was probably meant", () => {
  for (const [text, said] of wrong) {
    assertEquals(assertThrows(() => parseConfig(text, "c.toml"), UsageError).message, said);
  }
  const broken = assertThrows(() => parseConfig("a = 1\nb = = 2\n", "c.toml"), UsageError);
  assertEquals(broken.message.startsWith("Cannot read configuration c.toml:2: "), true, broken.message);
});

Deno.test("readConfig() reads nothing where there is nothing, and the user's over root's", async () => {
  await using folder = await PluginFolder.create();
  assertEquals(await readConfig(envOf({ HOME: folder.path }), silent), noConfig);
  await Deno.mkdir(`${folder.path}/davit`);
  await folder.write("davit/config.toml", text);
  const { context } = await readConfig(envOf({ XDG_CONFIG_HOME: folder.path }), silent);
  assertEquals(context, "prod");
  assertEquals(
    await readConfig(envOf({ XDG_CONFIG_HOME: folder.path, DAVIT_CONFIG: "/dev/null" }), silent),
    noConfig,
  );
  await assertRejects(
    () => readConfig(envOf({ DAVIT_CONFIG: `${folder.path}/none` }), silent),
    UsageError,
    "no such file",
  );
});

Deno.test({
  name: "readConfig() as root believes only what root alone may change",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await using folder = await PluginFolder.create();
    await Deno.mkdir(`${folder.path}/davit`);
    const path = await folder.write("davit/config.toml", text);
    const usual = async () => {
      const warnings: string[] = [];
      const config = await readConfig(envOf({ XDG_CONFIG_HOME: folder.path }), {
        warn: (line) => void warnings.push(line),
      });
      return [config.context, ...warnings];
    };
    assertEquals(await usual(), ["prod"]);
    await Deno.chmod(path, 0o666);
    assertEquals(await usual(), [
      undefined,
      `Configuration ${path} is left out: others may write to ${path}`,
    ]);
    await Deno.chmod(path, 0o600);
    await Deno.chown(path, 12345, 0);
    assertEquals(await usual(), [
      undefined,
      `Configuration ${path} is left out: ${path} belongs to user 12345`,
    ]);
    const refused = await assertRejects(() => readConfig(envOf({ DAVIT_CONFIG: path }), silent), CliError);
    assertEquals(refused.code, "permission_denied");
    await Deno.chown(path, 0, 0);
    await Deno.chmod(`${folder.path}/davit`, 0o777);
    assertEquals(await usual(), [
      undefined,
      `Configuration ${path} is left out: others may write to ${folder.path}/davit`,
    ]);
  },
});

Deno.test("placeOf() prefers flags, then the named context, then the environment, then the usual context", () => {
  const config = {
    ...noConfig,
    context: "b",
    contexts: { a: { address: "/a", namespace: "na" }, b: { address: "/b", namespace: "nb" } },
  };
  const none = { address: undefined, namespace: undefined, context: undefined };
  const { env } = envOf({ CONTAINERD_ADDRESS: "/env" });
  assertEquals(placeOf({ ...none, namespace: "n", context: "a" }, { config, env }), {
    address: "/a",
    namespace: "n",
  });
  assertEquals(placeOf(none, { config, env }), { address: "/env", namespace: "nb" });
  assertEquals(placeOf(none, { config: noConfig, env: () => undefined }), {
    address: undefined,
    namespace: undefined,
  });
  const missing = assertThrows(
    () => placeOf({ ...none, context: "prodd" }, { config: { ...config, contexts: { prod: {} } }, env }),
    UsageError,
  );
  assertEquals(missing.hint, 'did you mean "prod"?');
});
