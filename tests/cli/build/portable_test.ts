/** The portable file with the real Deno in it. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { buildApp, distFolder } from "../../../cli/build/build.ts";
import { makePortable } from "../../../cli/build/portable.ts";
import { version } from "../../../cli/version.ts";
import { run } from "../../real/process.ts";

const works = { code: 0, stdout: `davit ${version}\n`, stderr: "" };

const workspace = await Deno.makeTempDir({ prefix: "davit-portable-" });
const app = join(workspace, "app");
const davit = join(workspace, "davit-portable");

Deno.test.beforeAll(async () => {
  await buildApp(app);
  // In the folder where the task keeps the compressed Deno, so that it is compressed once for all.
  const made = await makePortable({ app, output: join(distFolder, "davit-portable-tested") });
  await run("mv", [made, davit]);
});

Deno.test.afterAll(() => Deno.remove(workspace, { recursive: true }));

function inCache(cache: string) {
  return { env: { DAVIT_CACHE_DIR: cache, CONTAINERD_ADDRESS: "/nonexistent.sock" }, check: false };
}

async function newCache(): Promise<string> {
  return await Deno.makeTempDir({ dir: workspace });
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
}

Deno.test("eight first runs of the portable file at once all work and leave one copy", async () => {
  const cache = await newCache();
  const runs = Array.from({ length: 8 }, () => run(davit, ["--version"], inCache(cache)));
  for (const output of await Promise.all(runs)) assertEquals(output, works);
  const [release = "", ...more] = await namesIn(cache);
  assertEquals(more, []);
  const [app, ...rest] = (await namesIn(join(cache, release))).sort();
  assertEquals([app, rest.at(-1), rest.length], ["app", "used", 3]);
});

Deno.test("the portable file works after a first run that was killed at any point", async () => {
  for (const delayMs of [20, 100, 300, 600, 900]) {
    const cache = await newCache();
    const first = new Deno.Command("setsid", {
      args: ["sh", davit, "--version"],
      ...inCache(cache),
      stdout: "null",
      stderr: "null",
    }).spawn();
    await delay(delayMs);
    await run("kill", ["-KILL", "--", `-${first.pid}`], { check: false });
    await first.status;
    assertEquals(await run(davit, ["--version"], inCache(cache)), works, `killed after ${delayMs} ms`);
    assertEquals((await namesIn(cache)).filter((name) => !name.startsWith(".new.")).length, 1);
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("the portable file reports davit's own exit codes and messages", async () => {
  const { code, stdout, stderr } = await run(davit, ["namespaces", "list"], inCache(await newCache()));
  assertEquals([code, stdout], [7, ""]);
  const [message] = stderr.split("\n");
  assertEquals(message, 'davit: Cannot reach containerd at "/nonexistent.sock": no such file');
});

Deno.test("a running version gets its signals, and stays however long ago it started", async () => {
  const cache = await newCache();
  const plugin = join(workspace, "waits.ts");
  await Deno.writeTextFile(plugin, "await new Promise((resolve) => setTimeout(resolve, 60_000));");
  await run(davit, ["--version"], inCache(cache));
  const [release = ""] = await namesIn(cache);
  const waiting = new Deno.Command(davit, { args: [plugin], ...inCache(cache), stderr: "null" }).spawn();
  await delay(1_000);
  await Deno.utime(join(cache, release, "used"), 0, 0);

  const stub = join(workspace, "stub");
  await Deno.writeTextFile(stub, "#!/bin/sh\n");
  const newer = await makePortable({ app, deno: stub, output: join(workspace, "newer") });
  await run(newer, [], inCache(cache));
  assertEquals((await namesIn(cache)).length, 2);

  waiting.kill("SIGTERM");
  assertEquals(await waiting.status, { success: false, code: 143, signal: null });
  await run("rm", ["-r", ...(await namesIn(cache)).filter((name) => name !== release)], { cwd: cache });
  await run(newer, [], inCache(cache));
  assertEquals((await namesIn(cache)).includes(release), false);
});

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
