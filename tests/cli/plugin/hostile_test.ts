/** Plugins that mean harm, run from source and by the portable file: they get nowhere, and leave nothing. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { buildApp, distFolder } from "../../../cli/build/build.ts";
import { makePortable } from "../../../cli/build/portable.ts";
import type { Containerd } from "../../real/containerd.ts";
import { run as runProgram } from "../../real/process.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { attempts, hostileCases, unusableFiles } from "./hostile_cases.ts";
import { PluginFolder } from "./plugin_folder.ts";

const workspace = await Deno.makeTempDir({ prefix: "davit-hostile-" });
const app = join(workspace, "app");
const portable = join(distFolder, `davit-portable-${Deno.pid}`);
const main = fromFileUrl(new URL("../../../cli/main.ts", import.meta.url));

/** What to put before davit's arguments, for each way to run it. */
const programs: Readonly<Record<string, readonly string[]>> = {
  "from source": [Deno.execPath(), "run", "--allow-all", "--no-check", main],
  "by the portable file": [portable],
};

Deno.test.beforeAll(async () => {
  await buildApp(app);
  await makePortable({ app, output: portable });
});

Deno.test.afterAll(async () => {
  await Deno.remove(workspace, { recursive: true });
  await Deno.remove(portable);
});

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

for (const [way, [program = "", ...words]] of Object.entries(programs)) {
  const davit = async (argv: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
    await runProgram(program, [...words, ...argv], {
      env: {
        NO_COLOR: "1",
        DAVIT_CONFIG: "/dev/null",
        DAVIT_CACHE_DIR: join(workspace, "cache"),
        XDG_RUNTIME_DIR: workspace,
        ...env,
      },
      check: false,
    });

  for (const hostile of hostileCases) {
    const { criterion, body, exit: right = 10, said = /^/, argv = [], succeeds = false, mayLast = false } =
      hostile;
    const isLong = criterion.endsWith("for ever");
    realTest(
      `a plugin that ${criterion} gets nowhere ${way}, and leaves no lease`,
      async (_t, containerd) => {
        const namespace = uniqueNamespace();
        await containerd.ctr(["namespaces", "create", namespace]);
        await using folder = await PluginFolder.create();
        const acquire = 'await client.leases.create({ id: "ours", expiresInMs: 600_000 });\n';
        const path = await folder.writePlugin(acquire + body, { access: { write: "images" } });
        const report = join(folder.path, "report");
        const { code, stdout, stderr } = await davit([
          path,
          ...["-a", containerd.address, "-n", namespace, "--report", report],
          ...argv.map((arg) => arg === "--lock" ? `--lock=${join(folder.path, "lock")}` : arg),
          ...(argv.includes("--timeout") ? [] : ["--timeout", mayLast ? "6s" : "60s"]),
        ]);
        const lasted = mayLast && code === 8;
        const exit = lasted ? 8 : right;
        assertEquals(code, exit, stderr.slice(-1_000));
        const wanted = lasted ? "Cannot finish within 6s" : said;
        assertMatch(stderr, typeof wanted === "string" ? new RegExp(RegExp.escape(wanted)) : wanted);
        assertEquals(JSON.parse(await Deno.readTextFile(report)).exit, exit);
        assertEquals(await leasesIn(containerd, namespace), succeeds ? ["ours"] : []);
        assertEquals(stdout.includes("polluted  1") || /shadow|root:/.test(stdout), false, stdout);
      },
      { series: ["2"], full: way === "from source" && isLong },
    );
  }

  realTest(`what a run held that was killed the next one removes ${way}`, async (_t, containerd) => {
    const namespace = uniqueNamespace();
    await containerd.ctr(["namespaces", "create", namespace]);
    await using folder = await PluginFolder.create();
    const flags = ["-a", containerd.address, "-n", namespace, "--lock", join(folder.path, "lock")];
    const runBody = async (body: string) =>
      await davit([await folder.writePlugin(body, { access: { write: "images" } }), ...flags]);
    const killed = await runBody(`await client.leases.acquire({ prefix: "held" });
    process.kill(process.pid, "SIGKILL");
    for (;;);`);
    assertEquals([killed.code, (await leasesIn(containerd, namespace)).length], [137, 1]);
    const next = await runBody("return 1;");
    assertEquals([next.code, next.stderr, await leasesIn(containerd, namespace)], [0, "", []]);
  }, { series: ["2"] });

  for (const { criterion, text, said } of unusableFiles) {
    Deno.test(`a plugin that ${criterion} does not load ${way}`, async () => {
      await using folder = await Surrounded.create();
      const path = await folder.plugin.write("bad.ts", text);
      const { code, stdout, stderr } = await davit([path]);
      assertEquals([code, stdout], [10, ""], stderr);
      assertStringIncludes(stderr, said);
    });
  }

  realTest(`a plugin has nothing beyond its own folder ${way}`, async (_t, containerd) => {
    await using folder = await Surrounded.create();
    const tried = attempts.map(([statement]) => `async () => { ${statement}; }`).join(",\n");
    const path = await folder.plugin.writePlugin(`
    const here = (path) => new URL(path, import.meta.url);
    const containerd = ${JSON.stringify(containerd.address)};
    const event = (target) => new Promise((_, no) => target.onerror = (event) => (event.preventDefault(), no(event)));
    const nested = (url) => event(new Worker(url, { type: "module" }));
    const { Worker: Thread } = await import("node:worker_threads");
    const threaded = (code) => new Promise((_, no) => new Thread(code, { eval: true }).on("error", no));
    for (const attempt of [${tried}]) {
      yield await attempt().then(() => "done", (error) => \`\${error?.message ?? error}\`.split("\\n")[0]);
    }
    yield await Deno.readTextFile(here("sample.ts")).then(() => "read");
    yield await Deno.readTextFile(here("inner/inside.txt"));
    yield await Deno.readTextFile(here("linked.txt"));`);
    const { code, stdout, stderr } = await davit([path, "-a", containerd.address], { HOME: workspace });
    assertEquals(code, 0, stderr);
    const lines = stdout.trimEnd().split("\n");
    for (const [index, [statement, said = /\bRequires \w+ access\b/]] of attempts.entries()) {
      assertMatch(lines[index]!, said, statement);
    }
    assertEquals(lines.slice(attempts.length), ["read", "inside", "inside"]);
  }, { series: ["2"] });

  Deno.test(`what is no plugin's file is told apart ${way}`, async () => {
    await using folder = await PluginFolder.create();
    await Deno.symlink("loop.ts", join(folder.path, "loop.ts"));
    await Deno.symlink("nothing.ts", join(folder.path, "dangling.ts"));
    await new Deno.Command("mkfifo", { args: [join(folder.path, "pipe.ts")] }).output();
    await Deno.mkdir(join(folder.path, "folder.ts"));
    const endings: [file: string, exit: number, said: string][] = [
      ["none.ts", 4, "no such file"],
      ["dangling.ts", 4, "no such file"],
      ["loop.ts", 2, "Too many levels of symbolic links"],
      ["pipe.ts", 2, "it is not a regular file"],
      ["folder.ts", 2, "it is a directory"],
      ["", 2, "it is a directory"],
      ["../../../../../etc/passwd", 2, "it is not a .ts or .js file"],
    ];
    for (const [file, exit, said] of endings) {
      const { code, stdout, stderr } = await davit([`${folder.path}/${file}`]);
      assertEquals([code, stdout], [exit, ""], stderr);
      assertStringIncludes(stderr, said);
    }
  });
}

/** A plugin's folder with links that lead out of it, and something outside to lead to. */
class Surrounded implements AsyncDisposable {
  readonly plugin: PluginFolder;
  readonly #outside: PluginFolder;

  private constructor(plugin: PluginFolder, outside: PluginFolder) {
    this.plugin = plugin;
    this.#outside = outside;
  }

  static async create(): Promise<Surrounded> {
    const outside = await PluginFolder.create();
    await outside.write("elsewhere.json", '{ "secret": 1 }');
    await outside.write("elsewhere.ts", 'export default "secret";');
    const plugin = await PluginFolder.create(outside.path);
    await Deno.mkdir(join(plugin.path, "inner"));
    await plugin.write("inner/inside.txt", "inside");
    const links = {
      "link.txt": "/etc/shadow",
      "folder": "/etc",
      "link.json": "../elsewhere.json",
      "link.ts": "../elsewhere.ts",
      "linked.txt": "inner/inside.txt",
      "inner/out.txt": "../../elsewhere.json",
    };
    for (const [name, target] of Object.entries(links)) await Deno.symlink(target, join(plugin.path, name));
    return new Surrounded(plugin, outside);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#outside[Symbol.asyncDispose]();
  }
}

async function leasesIn(containerd: Containerd, namespace: string): Promise<string[]> {
  return (await containerd.ctr(["leases", "ls", "-q"], { namespace })).stdout.split("\n").filter(Boolean);
}
