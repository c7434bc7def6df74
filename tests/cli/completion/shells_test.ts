/** Completion in the shells themselves, of the bundle, on a real containerd. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { connect } from "davit";
import { buildApp } from "../../../cli/build/build.ts";
import { launchArguments } from "../../../cli/build/launch.ts";
import { scripts, shells } from "../../../cli/completion/scripts.ts";
import type { Containerd } from "../../real/containerd.ts";
import { run } from "../../real/process.ts";
import { realTest } from "../../real/test.ts";
import { Shell } from "./shell.ts";

const workspace = await Deno.makeTempDir({ prefix: "davit-shells-" });
const app = join(workspace, "app");
const davit = [Deno.execPath(), ...launchArguments(app)];
const socket = join(workspace, "containerd.sock"); // Deno keeps what is in /dev to programs that may do everything
const digest = `sha256:${"0".repeat(64)}`;
const images = [
  "example.com/app:1.0",
  "example.com/app:1.1-rc",
  `pinned.example/a@${digest}`,
  "odd name $x;é",
];

Deno.test.beforeAll(async () => {
  await buildApp(app);
  await Deno.mkdir(join(workspace, "files/a folder"), { recursive: true });
  await Deno.writeTextFile(join(workspace, "files/an archive.tar"), "");
});

Deno.test.afterAll(() => Deno.remove(workspace, { recursive: true }));

/** The names that the tests complete, in namespaces that nothing else begins like. */
async function fill(containerd: Containerd): Promise<void> {
  await Deno.symlink(containerd.address, socket);
  await using client = await connect({ address: containerd.address });
  const target = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 1 };
  for (const name of images) await client.namespace("yard").images.create({ name, target });
  await client.namespaces.create("zone.one");
}

/** What Tab makes of a line. */
const lines: readonly [typed: string, completed: string][] = [
  ["davit leas", "davit leases "],
  ["davit -n yard images cop", "davit -n yard images copy "],
  ["davit help images ch", "davit help images check "],
  ["davit images copy x --excl", "davit images copy x --exclude "],
  ["davit namespaces list -o yam", "davit namespaces list -o yaml "],
  ["davit namespaces list --output=yam", "davit namespaces list --output=yaml "],
  ["davit namesp", "davit namespaces "],
  ["davit namespace-", "davit namespace-report "],
  ["davit image-sync --incl", "davit image-sync --include "],
  ["davit plugin run image-sync --from zo", "davit plugin run image-sync --from zone.one "],
  ["davit images import an", "davit images import an\\ archive.tar "],
  ["davit images import 'an", "davit images import 'an archive.tar' "],
  ["davit --address=an", "davit --address=an\\ archive.tar "],
  ["davit images import a\\ f", "davit images import a\\ folder/"],
  ["davit namespaces inspect zo", "davit namespaces inspect zone.one "],
  ["davit images copy x --to yard,zo", "davit images copy x --to yard,zone.one "],
  ["davit images copy x --to=yard,zo", "davit images copy x --to=yard,zone.one "],
  ["davit -n yard images rm exa", "davit -n yard images rm example.com/app:1."],
  ["davit -n yard images rm example.com/app:1.1", "davit -n yard images rm example.com/app:1.1-rc "],
  [
    "davit -n yard images rm example.com/app:1.0 exa",
    "davit -n yard images rm example.com/app:1.0 example.com/app:1.1-rc ",
  ],
  ["davit -n yard images rm 'example.com/app:1.1", "davit -n yard images rm 'example.com/app:1.1-rc' "],
  ["davit images copy --from yard pin", `davit images copy --from yard pinned.example/a@${digest} `],
  ["davit -n yard images rm pinned.example/a@sh", `davit -n yard images rm pinned.example/a@${digest} `],
  ["davit -n yard images rm odd", "davit -n yard images rm odd\\ name\\ \\$x\\;é "],
  ['davit -n yard images rm "odd na', 'davit -n yard images rm "odd name \\$x;é" '],
  ["davit images rm exa", "davit images rm exa"],
  ["davit -a /nonexistent namespaces rm zo", "davit -a /nonexistent namespaces rm zo"],
  ["davit namespaces inspect zone.one ", "davit namespaces inspect zone.one "],
];

realTest("Tab completes in the shells", async (t, containerd) => {
  await fill(containerd);
  for (const name of shells) {
    await t.step(name, async () => {
      const env = { CONTAINERD_ADDRESS: socket };
      await using shell = await Shell.start(name, { davit, cwd: join(workspace, "files"), env });
      const seen: [string, string][] = [];
      for (const [typed, expected] of lines) {
        let completed = await shell.completed(typed);
        // On a busy machine davit may take longer than it lets anybody wait.
        for (let more = 4; more > 0 && completed !== expected; more--) {
          completed = await shell.completed(typed);
        }
        seen.push([typed, completed]);
      }
      assertEquals(seen, lines);
      const terminal = await shell.exit();
      assertEquals(terminal.match(/error|not found|No such/g), null, terminal);
    });
  }
}, { series: ["2"] });

Deno.test("the script for bash fills COMPREPLY by the words and the cursor alone", async () => {
  const path = join(workspace, "davit.bash");
  await Deno.writeTextFile(path, scripts.bash);
  await Deno.mkdir(join(workspace, "path"));
  const program = join(workspace, "path/davit");
  await Deno.writeTextFile(program, `#!/bin/sh\nexec ${davit.join(" ")} "$@"\n`);
  await Deno.chmod(program, 0o755);
  const script = `source ${path}
    COMP_WORDS=(davit namespaces --output js more) COMP_CWORD=3
    _davit
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await run("bash", ["-c", script], {
    env: { PATH: `${workspace}/path:/usr/bin:/bin`, DENO_NO_UPDATE_CHECK: "1" },
  });
  assertEquals([stdout, stderr], ["json\njsonl\n", ""]);
});
