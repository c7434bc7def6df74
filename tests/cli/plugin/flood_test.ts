import { assertEquals, assertStringIncludes } from "@std/assert";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { PluginFolder } from "./plugin_folder.ts";
import { davit } from "./program.ts";

/** Sends by the ports that davit's own code in the worker has. */
const byForce = (message: string) => `
    const post = MessagePort.prototype.postMessage;
    MessagePort.prototype.postMessage = function () { for (let id = 1;; id++) post.call(this, ${message}); };
    log.info("x");`;

/** What a plugin does that would use up its host, and what is said of it. */
const floods: readonly [criterion: string, body: string, said: string][] = [
  ["logs for ever", 'for (;;) log.info("x");', "it sends more messages than can be read"],
  [
    "logs huge lines for ever",
    'for (;;) log.info("x".repeat(1 << 20));',
    "it sends more messages than can be read",
  ],
  ["sends what is no message for ever", byForce("5"), "it sends more messages than can be read"],
  [
    "returns something that is in itself",
    "const all: unknown[] = [];\nall.push(all);\nreturn all;",
    "is in itself",
  ],
  ["yields a huge row", 'yield "x".repeat(17 << 20);', "a row has more than 16 MiB"],
  [
    "writes a huge blob in one message",
    `
    await client.images.create({ name: "x".repeat(17 << 20), target: { digest: "sha256:${
      "0".repeat(64)
    }", size: 1, mediaType: "x" } });`,
    "16 MiB are the most",
  ],
];

for (const [criterion, body, said] of floods) {
  realTest(`a plugin that ${criterion} is ended, and leaves no lease`, async (_t, containerd) => {
    const namespace = uniqueNamespace();
    await containerd.ctr(["namespaces", "create", namespace]);
    await using folder = await PluginFolder.create();
    const acquire = 'await client.leases.create({ id: "ours", expiresInMs: 60_000 });\n';
    const path = await folder.writePlugin(acquire + body, { access: { write: "images" } });
    const argv = [
      path,
      "-a",
      containerd.address,
      "-n",
      namespace,
      "--timeout",
      "8s",
      "--report",
      `${folder.path}/report`,
    ];
    const { code, stderr } = await davit(argv);
    const { exit } = JSON.parse(await Deno.readTextFile(`${folder.path}/report`));
    // Where the machine is too slow for a flood, the deadline ends it.
    const isDone = code === 8 ? stderr.includes("Cannot finish within ") : stderr.includes(said);
    assertEquals([isDone, exit], [true, code], stderr.slice(-500));
    assertEquals((await containerd.ctr(["leases", "ls", "-q"], { namespace })).stdout, "");
  }, { series: ["2"] });
}

Deno.test("20,000 lines at once are no flood", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin(
    'for (let line = 0; line < 20_000; line++) log.info("x");\nreturn "done";',
  );
  const { code, stdout, stderr } = await davit([path], { canned: true });
  assertEquals([code, stdout, stderr.length], [0, "done\n", 40_000]);
});

Deno.test("what a plugin may only read at run time it may not import as a text either", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.write(
    "text.ts",
    `import shadow from "/etc/shadow" with { type: "text" };
export default { name: "text", summary: "x", run: () => shadow };\n`,
  );
  const { code, stdout, stderr } = await davit([path], { canned: true });
  assertEquals([code, stdout], [10, ""]);
  assertStringIncludes(stderr, 'read access to "/etc/shadow" is denied');
});
