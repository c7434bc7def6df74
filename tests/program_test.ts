/** davit as users get it: what depends on how it was built and packed, on a real containerd. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { buildApp, distFolder } from "../cli/build/build.ts";
import { launchArguments } from "../cli/build/launch.ts";
import { makePortable } from "../cli/build/portable.ts";
import { version } from "../cli/version.ts";
import type { Containerd } from "./real/containerd.ts";
import { checkWithCtr, importWithCtr, ociArchive, randomImage } from "./real/images.ts";
import { run } from "./real/process.ts";
import { realTest, uniqueNamespace } from "./real/test.ts";

/** An executable to test instead; `deno task test:compiled` sets it. */
const given = Deno.env.get("DAVIT_TEST_PROGRAM");

const workspace = await Deno.makeTempDir({ prefix: "davit-program-" });
const app = join(workspace, "app");
const portable = join(distFolder, `davit-portable-${Deno.pid}`);

/** What to put before davit's arguments, for every way to run it. */
const programs: Record<string, string[]> = given
  ? { [given]: [given] }
  : { "the bundle": [Deno.execPath(), ...launchArguments(app)], "the portable file": [portable] };

Deno.test.beforeAll(async () => {
  if (given) return;
  await buildApp(app);
  await makePortable({ app, output: portable });
});

Deno.test.afterAll(async () => {
  await Deno.remove(workspace, { recursive: true });
  if (!given) await Deno.remove(portable);
});

const plugin = `
import { definePlugin, NotFoundError } from "davit";

export default definePlugin({
  name: "look-around",
  summary: "What a plugin sees",
  options: { image: { type: "string", required: true, summary: "an image that is not there" } },
  async run({ client, options }) {
    const isDavits = await client.images.get(options.image).catch((error) => error instanceof NotFoundError);
    const denied = await Deno.readTextFile("/etc/hostname").catch((error) => error.name);
    return { namespace: client.name, isDavits, denied };
  },
});
`;

/** A path to a socket outside of `/dev`, which Deno keeps even from programs that may use all other files. */
async function linked(address: string): Promise<string> {
  const link = join(workspace, `${crypto.randomUUID()}.sock`);
  await Deno.symlink(address, link);
  return link;
}

for (const [name, [command = "", ...words]] of Object.entries(programs)) {
  const davit = async (containerd: Containerd, args: string[], env: Record<string, string> = {}) =>
    await run(command, [...words, "--address", await linked(containerd.address), ...args], {
      env: { DAVIT_CACHE_DIR: join(workspace, "cache"), ...env },
    });

  realTest(`${name} reaches containerd over both transports`, async (_t, containerd) => {
    const namespace = uniqueNamespace();
    assertEquals((await davit(containerd, ["--version"])).stdout, `davit ${version}\n`);
    await davit(containerd, ["namespaces", "create", namespace]);
    for (const transport of ["", "grpc"]) {
      const { stdout } = await davit(containerd, ["namespaces", "list", "-q"], {
        DAVIT_TRANSPORT: transport,
      });
      assertEquals(stdout.split("\n").includes(namespace), true);
    }
  }, { series: ["2"] });

  realTest(`${name} has every form of output`, async (_t, containerd) => {
    const namespace = uniqueNamespace();
    await davit(containerd, ["namespaces", "create", namespace]);
    const shown = {
      json: `"name": "${namespace}"`,
      jsonl: `{"name":"${namespace}"`,
      yaml: `- name: ${namespace}\n`,
    };
    const forms = {
      ...shown,
      csv: `${namespace},`,
      table: `${namespace} `,
      wide: `${namespace} `,
      name: namespace,
    };
    for (const [form, part] of Object.entries(forms)) {
      assertStringIncludes((await davit(containerd, ["namespaces", "list", "-o", form])).stdout, part, form);
    }
  }, { series: ["2"] });

  realTest(`${name} runs the plugins that come with it`, async (_t, containerd) => {
    const [from, to] = [uniqueNamespace("from"), uniqueNamespace("to")];
    const image = await randomImage();
    await importWithCtr(containerd, from, ociArchive([image]));
    const { stdout } = await davit(containerd, ["image-sync", "--from", from, "--to", to]);
    assertMatch(stdout, /^REF/);
    assertEquals((await checkWithCtr(containerd, to)).get(image.name), "complete (3/3)");
  }, { series: ["2"] });

  realTest(`${name} gives plugins its own API and nothing else`, async (_t, containerd) => {
    const file = join(workspace, "look_around.ts");
    await Deno.writeTextFile(file, plugin);
    const args = ["-n", "lookout", file, "--image", "example.com/absent:1", "-o", "json"];
    const { stdout } = await davit(containerd, args);
    assertEquals(JSON.parse(stdout), { namespace: "lookout", isDavits: true, denied: "NotCapable" });
  }, { series: ["2"] });

  realTest(`${name} runs the first plugin of docs/plugins.md as it stands there`, async (_t, containerd) => {
    const page = await Deno.readTextFile(new URL("../docs/plugins.md", import.meta.url));
    const [, file = "", code = ""] = /^```ts\n\/\/ (\S+)\n([^]*?)^```/m.exec(page) ?? [];
    const folder = await Deno.makeTempDir({ dir: workspace });
    await Deno.writeTextFile(join(folder, file), code);
    const namespace = uniqueNamespace();
    const image = await randomImage({ layers: 1, layerBytes: 512 });
    await importWithCtr(containerd, namespace, ociArchive([image]));
    const untagged = `example.com/untagged@${image.target.digest}`;
    await containerd.ctr(["images", "tag", image.name, untagged], { namespace });
    const { stdout } = await davit(containerd, ["-n", namespace, join(folder, file), "-q"]);
    assertEquals([stdout, code.trimEnd().split("\n").length], [`${untagged}\n`, 9]);
  }, { series: ["2"] });

  Deno.test(`${name} writes a plugin with types and a test that passes`, async () => {
    const folder = await Deno.makeTempDir({ dir: workspace });
    const inFolder = { cwd: folder, env: { DAVIT_CACHE_DIR: join(workspace, "cache") } };
    for (const template of ["copy", "prune", "report", "watch"]) {
      await run(command, [...words, "plugin", "new", `my-${template}`, "--template", template], inFolder);
    }
    const { stdout } = await run(command, [...words, "plugin", "test", "-o", "json"], inFolder);
    const results: { status: string }[] = JSON.parse(stdout);
    assertEquals(results.map(({ status }) => status), Array(8).fill("passed"));
    await run(Deno.execPath(), ["check", "."], inFolder);
  });
}
