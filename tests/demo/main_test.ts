import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { processesOf } from "../real/leftovers.ts";
import { realTest } from "../real/test.ts";

const demo = fromFileUrl(new URL("main.ts", import.meta.url));
const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;

/** Runs the demo with a folder of its own for everything temporary, and checks that nothing is left there. */
async function play(
  args: string[],
  { env = {}, interruptAt }: { env?: Record<string, string>; interruptAt?: string } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir({ prefix: "davit-demo-test-" });
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", demo, ...args],
      env: { TMPDIR: folder, ...env },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const errors = new Response(child.stderr).text();
    let stdout = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      stdout += text;
      if (interruptAt === undefined || !stdout.includes(interruptAt)) continue;
      interruptAt = undefined;
      child.kill("SIGINT");
    }
    const { code } = await child.status;
    assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
    assertEquals(await processesOf(folder), []);
    return { code, stdout, stderr: await errors };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "the demo copies an image with both plugins and leaves nothing behind",
  ignore: !isRoot,
  fn: async () => {
    const { code, stdout } = await play([]);
    assertEquals(code, 0);
    assertMatch(
      stdout,
      /^\$ davit image-sync --from build --to prod\nREF.*\n.*busybox:latest +build +prod +copied/m,
    );
    assertMatch(stdout, /^\$ davit -n build \.\/release\.ts .*\nREF.*\n.*busybox:1\.0 +copied/m);
    assertMatch(stdout, /^docker\.io\/library\/busybox:1\.0 .* complete \(2\/2\)/m);
    assertStringIncludes(stdout, "not a byte more than before");
  },
});

Deno.test({
  name: "the demo clears up when it is interrupted",
  ignore: !isRoot,
  fn: async () => {
    const { code } = await play([], { interruptAt: "$ davit image-sync" });
    assertEquals(code, 130);
  },
});

realTest("the demo leaves another's containerd as it was", async (_t, containerd) => {
  const namespaces = async () => (await containerd.ctr(["namespaces", "ls", "-q"])).stdout;
  const before = await namespaces();
  const link = await Deno.makeTempFile();
  await Deno.remove(link);
  await Deno.symlink(containerd.address, link);
  const { code, stdout } = await play(["--address", link]);
  await Deno.remove(link);
  assertEquals(code, 0);
  assertMatch(stdout, /busybox:1\.0 +copied/);
  assertEquals(await namespaces(), before);
}, { series: ["1.6", "2"] });

Deno.test("the demo says in one line that it cannot start a containerd", async () => {
  const empty = await Deno.makeTempDir();
  const { code, stdout, stderr } = await play([], {
    env: { PATH: empty, DAVIT_TEST_CACHE: join(empty, "cache") },
  });
  await Deno.remove(empty, { recursive: true });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^Cannot start a containerd for the demo: .*; --address SOCKET uses one that runs\n$/);
});
