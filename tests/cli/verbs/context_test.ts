import { assertEquals } from "@std/assert";
import { run } from "../../../cli/app.ts";
import { CapturedIo } from "../captured_io.ts";
import { PluginFolder } from "../plugin/plugin_folder.ts";

const text = `# of this node

[contexts.prod] # for real
address = "/run/prod.sock"
namespace = "k8s.io"

[contexts.test]
namespace = "ci"
`;

/** A home with a configuration; runs davit in it, which has to end with that exit code. */
async function home(written: string | undefined = text) {
  const folder = await PluginFolder.create();
  await Deno.mkdir(`${folder.path}/davit`);
  if (written !== undefined) await folder.write("davit/config.toml", written);
  return {
    file: `${folder.path}/davit/config.toml`,
    read: () => Deno.readTextFile(`${folder.path}/davit/config.toml`),
    async davit(
      argv: string[],
      { env = {}, exit = 0 }: { env?: Record<string, string>; exit?: number } = {},
    ) {
      const io = new CapturedIo({ env: { XDG_CONFIG_HOME: folder.path, ...env } });
      const code = await run([...argv, "-o", "json", "--log-format", "text"], io);
      assertEquals(code, exit, `${argv.join(" ")}\n${io.stderr}`);
      return { rows: io.stdout === "" ? undefined : JSON.parse(io.stdout), stderr: io.stderr };
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test("context use writes the user's choice, and leaves comments and all else", async () => {
  await using user = await home();
  const planned = await user.davit(["context", "use", "prod", "--dry-run"]);
  assertEquals(planned.rows, { context: "prod", path: user.file, status: "would be set" });
  assertEquals(await user.read(), text);
  const used = await user.davit(["context", "use", "prod"]);
  assertEquals([used.rows, used.stderr], [{ context: "prod", path: user.file, status: "set" }, ""]);
  assertEquals(await user.read(), text.replace("\n\n", '\n\ncontext = "prod"\n\n'));
  assertEquals((await user.davit(["context", "use", "prod"])).rows.status, "unchanged");
  await user.davit(["context", "use", "test"]);
  assertEquals(await user.read(), text.replace("\n\n", '\n\ncontext = "test"\n\n'));
});

Deno.test("context use makes the file where there is none, and follows a link with the mode of the file", async () => {
  await using folder = await PluginFolder.create();
  const file = await folder.write("real.toml", "[contexts.prod]\n");
  await Deno.chmod(file, 0o600);
  await Deno.symlink(file, `${folder.path}/link.toml`);
  const io = new CapturedIo({ env: { DAVIT_CONFIG: `${folder.path}/link.toml` } });
  assertEquals(await run(["context", "use", "prod"], io), 0, io.stderr);
  assertEquals((await Deno.lstat(`${folder.path}/link.toml`)).isSymlink, true);
  assertEquals(await Deno.readTextFile(file), 'context = "prod"\n\n[contexts.prod]\n');
  assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
  assertEquals((await Array.fromAsync(Deno.readDir(folder.path))).length, 2);
});

Deno.test("context use refuses a name that no configuration has", async () => {
  await using user = await home();
  const { stderr } = await user.davit(["context", "use", "prdo"], { exit: 2 });
  assertEquals(
    stderr,
    'davit: Cannot use context "prdo": no configuration has it\nhint: did you mean "prod"?\n',
  );
  assertEquals(await user.read(), text);
});

Deno.test("context list and show tell what counts, and what says so", async () => {
  await using user = await home(`context = "prod"\n${text}`);
  const env = { CONTAINERD_ADDRESS: "/env.sock" };
  const prod = { name: "prod", address: "/run/prod.sock", namespace: "k8s.io", isDefault: true };
  const test = { name: "test", namespace: "ci", isDefault: false };
  const listed = await user.davit(["context", "list"]);
  assertEquals([listed.rows, listed.stderr], [[{ ...prod, usedBy: user.file }, test], ""]);
  assertEquals((await user.davit(["context", "list", "--context", "test"])).rows, [prod, {
    ...test,
    usedBy: "--context",
  }]);
  const overridden = await user.davit(["context", "list"], { env });
  assertEquals(overridden.stderr, 'warning: $CONTAINERD_ADDRESS counts, not the address of context "prod"\n');
  assertEquals((await user.davit(["context", "show"], { env })).rows, {
    ...{ context: "prod", contextBy: user.file },
    ...{ address: "/env.sock", addressBy: "$CONTAINERD_ADDRESS" },
    ...{ namespace: "k8s.io", namespaceBy: user.file },
  });
  assertEquals((await user.davit(["context", "show", "--context", "test", "-n", "x"], { env })).rows, {
    ...{ context: "test", contextBy: "--context" },
    ...{ address: "/env.sock", addressBy: "$CONTAINERD_ADDRESS" },
    ...{ namespace: "x", namespaceBy: "--namespace" },
  });
  await using nobody = await home("");
  assertEquals((await nobody.davit(["context", "show"])).rows, {
    ...{ address: "/run/containerd/containerd.sock", addressBy: "default" },
    ...{ namespace: "default", namespaceBy: "default" },
  });
});

Deno.test("context use mends a configuration whose context is gone, which all other verbs refuse", async () => {
  await using user = await home(`context = "gone" # before\n${text}`);
  const { stderr } = await user.davit(["namespaces", "list"], { exit: 2 });
  assertEquals(stderr.split("\n")[0], 'davit: Cannot use context "gone": no configuration has it');
  const warning = `warning: ${user.file} uses context "gone", which no configuration has\n`;
  assertEquals((await user.davit(["context", "list"])).stderr, warning);
  assertEquals((await user.davit(["context", "use", "test"])).rows.status, "set");
  assertEquals((await user.read()).split("\n")[0], 'context = "test" # before');
  assertEquals((await user.davit(["context", "show"])).rows.namespace, "ci");
});

Deno.test({
  name: "context use writes no file as root that root would not read",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using user = await home();
    const env = { DAVIT_CONFIG: user.file };
    await user.davit(["context", "use", "prod"], { env });
    await Deno.chmod(user.file, 0o666);
    const { stderr } = await user.davit(["context", "use", "prod"], { env, exit: 6 });
    assertEquals(stderr.includes(`others may write to ${user.file}`), true, stderr);
  },
});
