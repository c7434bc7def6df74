import { assertEquals, assertStringIncludes } from "@std/assert";
import { hostFlagsIn } from "../../../cli/plugin/settings.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { PluginFolder } from "./plugin_folder.ts";
import { davit } from "./program.ts";

Deno.test("hostFlagsIn() finds the flags for plugins wherever they are, up to --", () => {
  const flags = hostFlagsIn([
    "--plugin-dir",
    "/a,b",
    "x",
    "--allow-net=a:1,b",
    "--allow-read",
    "/r",
    "--",
    "--allow-run=x",
  ]);
  assertEquals([flags.folders, flags.permissions.net, flags.permissions.read, flags.permissions.run], [
    ["/a,b"],
    ["a:1", "b"],
    ["/r"],
    [],
  ]);
});

Deno.test("a plugin may do what flags allow, and nothing beyond", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin(`
    const tried = async (attempt: () => unknown) => {
      try {
        return String(await attempt()).trim();
      } catch (error) {
        return (error as Error).name;
      }
    };
    yield await tried(() => Deno.readTextFile("/etc/hostname").then(() => "read"));
    yield await tried(() => Deno.readTextFile("/etc/passwd").then(() => "read"));
    yield await tried(() => Deno.env.get("GRANTED"));
    yield await tried(() => Deno.env.get("HOME"));
    yield await tried(async () => new TextDecoder().decode((await new Deno.Command("echo", { args: ["ran"], clearEnv: true, env: {} }).output()).stdout));
    yield await tried(() => new Deno.Command("id").output());
    yield await tried(() => Deno.connect({ hostname: "127.0.0.1", port: 1 }));`);
  const flags = [
    "--allow-read=/etc/hostname",
    "--allow-env",
    "GRANTED",
    "--allow-run=echo",
    "--allow-net=127.0.0.1:1",
  ];
  const { stdout } = await davit([path, ...flags], { canned: true, env: { GRANTED: "yes" } });
  assertEquals(stdout.split("\n"), [
    "read",
    "NotCapable",
    "yes",
    "NotCapable",
    "ran",
    "NotCapable",
    "ConnectionRefused",
    "",
  ]);
  const other = await davit(["plugin", "list", "--allow-net=x"], { canned: true });
  assertEquals([other.code, other.stderr], [
    2,
    'davit: Cannot use --allow-net with "plugin list": it is no plugin\n',
  ]);
});

Deno.test("the configuration grants by the path of a file, or by the name of one in a trusted folder", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin(
    'return await Deno.readTextFile("/etc/hostname").then(() => "read");',
  );
  const granted = 'read = ["/etc/hostname"]\n';
  const run = async (argv: string[], config: string) => {
    const file = await folder.write("config.toml", config);
    return (await davit(argv, { canned: true, env: { DAVIT_CONFIG: file } })).code;
  };
  assertEquals(await run([path], `[grants."${path}"]\n${granted}`), 0);
  assertEquals(await run([path], `[grants.sample]\n${granted}`), 10);
  const inFolder = `[plugins]\nfolders = ["${folder.path}"]\n[grants.sample]\n${granted}`;
  assertEquals(await run(["sample"], inFolder), 0);
  assertEquals(await run(["sample", "--plugin-dir", folder.path], `[grants.sample]\n${granted}`), 10);
});

Deno.test("options have values from the environment, patterns and files", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin(
    "return [options.keep, options.tag, options.rules?.text].join('|');",
    {
      options: {
        keep: { type: "integer", default: 1, env: "DAVIT_KEEP", summary: "x" },
        tag: { type: "string", pattern: "v[0-9]+", summary: "x" },
        rules: { type: "file", summary: "x" },
      },
    },
  );
  const run = (argv: string[], env = {}) => davit([path, ...argv], { canned: true, env });
  assertEquals((await run([], { DAVIT_KEEP: "7" })).stdout, "7||\n");
  assertEquals((await run(["--keep=3"], { DAVIT_KEEP: "7" })).stdout, "3||\n");
  assertEquals(
    (await run(["--tag=v12", "--rules", path])).stdout.startsWith("1|v12|import { definePlugin"),
    true,
  );
  const wrong = await run(["--tag", "12"]);
  assertEquals([wrong.code, wrong.stderr], [
    2,
    'davit: Cannot use "12" for --tag: it does not match v[0-9]+\n',
  ]);
  assertEquals((await run(["--rules", "/nonexistent"])).code, 4);
});

realTest(
  "flags and configuration take away from what a plugin declares, and refusals name them",
  async (_t, containerd) => {
    const [one, two] = [uniqueNamespace(), uniqueNamespace()];
    for (const name of [one, two]) await containerd.ctr(["namespaces", "create", name]);
    await using folder = await PluginFolder.create();
    const path = await folder.writePlugin(
      "for (const name of args) await client.namespace(name).leases.create({ id: crypto.randomUUID(), expiresInMs: 60_000 });",
      {
        access: { namespaces: "any", write: "images" },
        args: [{ name: "NAME", summary: "x", repeats: true }],
      },
    );
    const run = (argv: string[], config = "/dev/null") =>
      davit([path, "-a", containerd.address, "-n", one, ...argv], { env: { DAVIT_CONFIG: config } });
    assertEquals((await run([one, two])).code, 0);
    const narrowed = await run([one, two, `--allow-namespace=${one}`]);
    assertEquals(narrowed.code, 6);
    assertStringIncludes(narrowed.stderr, `--allow-namespace=${two} would allow it`);
    const config = await folder.write("config.toml", `[grants."${path}"]\nnamespaces = ["${one}"]\n`);
    const configured = await run([two], config);
    assertEquals(configured.code, 6);
    assertStringIncludes(configured.stderr, `the configuration's grant for the plugin leaves out "${two}"`);
    const reading = await folder.write("config.toml", `[grants."${path}"]\nwrite = false\n`);
    const refused = await run([one], reading);
    assertEquals(refused.code, 6);
    assertStringIncludes(refused.stderr, 'sets write to less than "images"');
  },
  { series: ["2"] },
);
