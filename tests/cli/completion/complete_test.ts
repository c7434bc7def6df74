import { assert, assertEquals } from "@std/assert";
import { connect } from "davit";
import { complete } from "../../../cli/completion/complete.ts";
import type { LiveKind } from "../../../cli/completion/expected.ts";
import { liveNames } from "../../../cli/completion/live_names.ts";
import { globals } from "../../../cli/globals.ts";
import { flagName } from "../../../cli/options.ts";
import { shippedPlugins } from "../../../cli/plugin/shipped.ts";
import { nouns, verbs } from "../../../cli/verbs.ts";
import { frozen } from "../../fault/frozen.ts";
import { busyboxImage, importWithCtr, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { CapturedIo } from "../captured_io.ts";
import { PluginFolder } from "../plugin/plugin_folder.ts";

const nobody = { CONTAINERD_ADDRESS: "/nonexistent.sock" };

/** What may stand at the place of the last word, which is what is typed of it; `files` first where those may. */
async function completed(words: readonly string[], env: Record<string, string> = nobody): Promise<string[]> {
  const io = new CapturedIo({ env });
  await complete(["fish", "--", ...words], io);
  assertEquals(io.stderr, "");
  if (io.stdout === "") return [];
  const [kind = "", ...lines] = io.stdout.replace(/\n$/, "").split("\n");
  return [...(kind === "files" ? [kind] : []), ...lines.map((line) => line.split("\t")[0]!)];
}

const nounNames = nouns.map(({ name }) => name);
const verbNames = verbs.map(({ name }) => name);
const pluginNames = shippedPlugins.map(({ name }) => name);
const globalFlags = Object.keys(globals).map((name) => `--${flagName(name)}`);
const namespaceVerbs = nouns.find(({ name }) => name === "namespaces")!.verbs.map(({ name }) => name);

const lines: readonly [words: string[], expected: string[]][] = [
  [[""], [...nounNames, ...verbNames, "help", ...pluginNames]],
  [["namesp"], ["namespaces"]],
  [["namespace-"], ["namespace-report"]],
  [["help", ""], [...nounNames, ...verbNames, ...pluginNames]],
  [["help", "help", ""], []],
  [["ns", ""], namespaceVerbs],
  [["namespaces", "r"], ["remove"]],
  [["namespaces", "rm"], ["rm"]],
  [["help", "ns", "r"], ["remove"]],
  [["help", "ns", "rm", ""], []],
  [["bogus", ""], []],
  [["ns", "bogus", ""], []],
  [["-n", "x", "--debug", "ns", "insp"], ["inspect"]],
  [["-n=x", "namespaces", "--output", "json", "insp"], ["inspect"]],
  [["--bogus", "namespaces", "insp"], ["inspect"]],
  [["./ns", "-"], globalFlags],
  [["./n"], ["files"]],
  [["~"], ["files"]],
  [["plugin", "run", ""], ["files", ...pluginNames]],
  [["plugin", "info", "image-"], ["files", "image-retention", "image-sync"]],
  [["images", "import", ""], ["files"]],
  [["images", "import", "x", ""], []],
  [["-a", ""], ["files"]],
  [["--address=/run/"], ["files"]],
  [["completion", ""], ["bash", "zsh", "fish"]],
  [["completion", "bash", ""], []],
  [["-o", "j"], ["json", "jsonl"]],
  [["--output=j"], ["--output=json", "--output=jsonl"]],
  [["-o=j"], ["-o=json", "-o=jsonl"]],
  [["ns", "ls", "-output=j"], []],
  [["--yes=t"], ["--yes=true"]],
  [["--timeout", ""], []],
  [["--bogus="], []],
  [["ns", "rm", "--", "--y"], []],
  [["ns", "rm", "--", "--", ""], []],
  [["images", "copy", "--excl"], ["--exclude"]],
  [["run", "--det"], ["--detach"]],
  [["run", "image", "id", "--det"], []],
  [["tasks", "exec", "id", "--det"], []],
  [["images", "copy", "--exclude", "x", "--excl"], ["--exclude"]],
  [["images", "copy", "--from", "x", "--fro"], []],
  [["--excl"], []],
  [["images", "copy", "--dry"], ["--dry-run"]],
  [["images", "copy", "--all"], []],
  [["images", "list", "--all"], ["--all-namespaces"]],
  [["images", "list", "--dry"], []],
];

for (const [words, expected] of lines) {
  Deno.test(`complete() knows what follows ${JSON.stringify(words)}`, async () => {
    assertEquals((await completed(words)).sort(), [...expected].sort());
  });
}

Deno.test("complete() gives each shell its own form", async () => {
  const answers = await Promise.all([
    ["bash", "=", "davit namespaces insp"],
    ["zsh", "--", "namespaces", "insp"],
    ["fish", "--", "namespaces", "insp"],
  ].map(async (argv) => {
    const io = new CapturedIo();
    await complete(argv, io);
    return io.stdout;
  }));
  assertEquals(answers, [
    "words\ninspect\n",
    "words\ninspect:Show all about a namespace\n",
    "words\ninspect\tShow all about a namespace\n",
  ]);
});

Deno.test("complete() says nothing and does not fail where it is asked for nonsense", async () => {
  for (const argv of [[], ["bash"], ["csh", "x"], ["zsh", "--"]]) {
    const io = new CapturedIo();
    await complete(argv, io);
    assertEquals(io.stderr, "");
  }
});

Deno.test("complete() knows plugins that are installed, also those of a file with several", async () => {
  await using folder = await PluginFolder.create();
  await folder.write(
    "tools.js",
    `
    const options = { form: { type: "string", choices: ["a", "b"], summary: "x" }, rules: { type: "file", summary: "x" },
      unpack: { type: "boolean", default: true, summary: "x" } };
    const args = [{ name: "KIND", choices: ["one", "two"], summary: "x" }];
    const run = () => {};
    export default [{ name: "first", summary: "x", options, args, run }, { name: "second", summary: "x", run }];
  `,
  );
  await folder.write(
    "single.js",
    "export default { name: 'single', summary: 'x', args: [{ name: 'KIND', choices: ['one'], summary: 'x' }], run() {} };",
  );
  const env = { ...nobody, DAVIT_PLUGIN_PATH: folder.path };
  // A busy machine may not load a plugin within the time that a user waits.
  const known = async (...words: string[]) => {
    for (let attempt = 0; attempt < 30; attempt++) {
      const found = await completed(words, env);
      if (found.length > 0) return found;
    }
    return [];
  };
  assertEquals(await known("tools", ""), ["first", "second"]);
  assertEquals(await known("plugin", "run", "tools", "s"), ["second"]);
  assertEquals(await known("tools", "first", ""), ["one", "two"]);
  assertEquals(await known("tools", "first", "--form", ""), ["a", "b"]);
  assertEquals(await known("tools", "first", "--ru"), ["--rules"]);
  assertEquals(await known("tools", "first", "--no-u"), ["--no-unpack"]);
  assertEquals(await known("tools", "first", "--rules", ""), ["files"]);
  assertEquals(await completed(["tools", "third", ""], env), []);
  assertEquals(await known("single", ""), ["one"]);
});

realTest(
  "complete() names what containerd has, by -a, -n, -A and the environment",
  async (_t, containerd) => {
    const [here, there] = [uniqueNamespace("here"), uniqueNamespace("there")];
    const env = { CONTAINERD_ADDRESS: containerd.address, CONTAINERD_NAMESPACE: here };
    await using client = await connect({ address: containerd.address });
    const target = {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: `sha256:${"0".repeat(64)}`,
      size: 1,
    };
    for (const name of ["b c:1", "a/b@x", "-dash", "line\nbreak"]) {
      await client.namespace(here).images.create({ name, target });
    }
    await client.namespace(there).images.create({ name: "elsewhere", target });
    await client.namespace(here).leases.create({ id: "lease-1" });

    assertEquals(await completed(["images", "rm", ""], env), ["a/b@x", "b c:1"]);
    assertEquals(await completed(["images", "rm", "--", ""], env), ["-dash", "a/b@x", "b c:1"]);
    assertEquals(await completed(["images", "rm", "a"], env), ["a/b@x"]);
    assertEquals(await completed(["images", "rm", "a/b@x", ""], env), ["b c:1"]);
    assertEquals(await completed(["images", "tag", "a/b@x", ""], env), []);
    assertEquals(await completed(["images", "rm", "-n", there, ""], env), ["elsewhere"]);
    assertEquals(await completed([`--namespace=${there}`, "i", "rm", ""], env), ["elsewhere"]);
    assertEquals(await completed(["images", "ls", "-A", "e"], env), ["elsewhere"]);
    assertEquals(await completed(["images", "copy", "--from", there, ""], env), ["elsewhere"]);
    assertEquals(await completed(["leases", "rm", ""], env), ["lease-1"]);
    assertEquals(await completed(["-n", "here"], env), [here]);
    assertEquals(await completed(["images", "copy", `--to=${here},there`], env), [`--to=${here},${there}`]);
    assertEquals(await completed(["images", "copy", "--to", `${there},there`], env), []);

    const away = { ...env, CONTAINERD_ADDRESS: "/nonexistent.sock" };
    assertEquals(await completed(["-a", containerd.address, "images", "rm", "a"], away), ["a/b@x"]);
    assertEquals(await completed(["-a", "/nonexistent.sock", "images", "rm", "a"], env), []);
  },
  { series: ["2"] },
);

realTest("liveNames() lists every kind that an argument can name", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const name = "docker.io/library/busybox:latest";
  const busybox = await busyboxImage(name);
  await importWithCtr(containerd, namespace, ociArchive([busybox]), { unpack: true });
  const ctr = (...args: string[]) => containerd.ctr(args, { namespace });
  await ctr("run", "--detach", name, "runs", "sleep", "600");
  await ctr("containers", "create", name, "idle");
  await using client = await connect({ address: containerd.address });
  const { content, sandboxes } = client.namespace(namespace);
  await sandboxes.create({ id: "pod", runtime: "io.containerd.runc.v2" });
  const names = async (kind: LiveKind) =>
    await liveNames({
      kind,
      namespace,
      allNamespaces: false,
      snapshotter: undefined,
      settings: {
        address: containerd.address,
        connectTimeoutMs: 2_000,
        grpcOnly: false,
        noWrites: true,
        newNamespaces: { refuses: true, announce: () => {} },
        signal: new AbortController().signal,
        watch: undefined,
      },
    });
  assertEquals((await names("container")).sort(), ["idle", "runs"]);
  assertEquals(await names("task"), ["runs"]);
  assertEquals(await names("sandbox"), ["pod"]);
  assertEquals((await names("snapshotter")).includes("overlayfs"), true);
  assertEquals((await names("snapshot")).filter((key) => !key.startsWith("sha256:")).sort(), [
    "idle",
    "runs",
  ]);
  const digests = await Array.fromAsync(content.list());
  assertEquals((await names("content")).sort(), digests.map(({ digest }) => digest).sort());
  await ctr("tasks", "kill", "--signal", "SIGKILL", "runs");
}, { series: ["2"] });

realTest("complete() is silent within a moment when containerd hangs", async (_t, containerd) => {
  const env = { CONTAINERD_ADDRESS: containerd.address };
  using _hanging = await frozen(containerd);
  const start = Date.now();
  assertEquals(await completed(["namespaces", "rm", ""], env), []);
  const took = Date.now() - start;
  assert(took >= 900 && took < 5_000, `${took} ms`);
}, { series: ["2"], fresh: true });
