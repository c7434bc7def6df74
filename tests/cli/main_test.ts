import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { importWithCtr, manyImages, ociArchive } from "../real/images.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";

const main = fromFileUrl(new URL("../../cli/main.ts", import.meta.url));

interface Options {
  cwd?: string;
  env?: Record<string, string>;
  /** Words in front of Deno's own, such as `setpriv --clear-groups`. */
  under?: string[];
}

function davit(args: string[], { under = [], cwd, env = {} }: Options = {}): Deno.Command {
  const [program, ...words] = [...under, Deno.execPath(), "run", "--quiet", "-A", main, ...args];
  return new Deno.Command(program!, {
    args: words,
    ...(cwd !== undefined && { cwd }),
    env: { NO_COLOR: "1", CONTAINERD_ADDRESS: "", CONTAINERD_NAMESPACE: "", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function output(command: Deno.Command): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-main-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("davit says why it cannot reach containerd, with exit 7", async () => {
  await withFolder(async (folder) => {
    const listener = Deno.listen({ transport: "unix", path: join(folder, "live.sock") });
    await Deno.link(join(folder, "live.sock"), join(folder, "stale.sock"));
    listener.close();
    await Deno.writeTextFile(join(folder, "file"), "");
    for (
      const [name, reason] of [
        ["missing.sock", "no such file"],
        ["stale.sock", "nothing listens on the socket"],
        ["file", "it is a file, not a socket"],
        [".", "it is a directory, not a socket"],
      ] as const
    ) {
      const path = join(folder, name);
      const { code, stdout, stderr } = await output(davit(["--address", path, "namespaces", "list"]));
      assertEquals([code, stdout], [7, ""], name);
      assertStringIncludes(stderr, `davit: Cannot reach containerd at "${path}": ${reason}\n`);
      assertMatch(stderr, /^hint: ./m);
    }
  });
});

Deno.test("davit says who may use the socket when it may not, with exit 6", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "closed.sock");
    using _listener = Deno.listen({ transport: "unix", path });
    await Deno.chmod(path, 0o000);
    // Root without the capability to pass over file modes.
    const under = Deno.uid() === 0
      ? ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]
      : [];
    const { code, stderr } = await output(davit(["-a", path, "ns", "ls"], { under }));
    const owner = `the socket belongs to uid ${Deno.uid()}, gid ${Deno.gid()}, mode 0000`;
    assertEquals(
      stderr,
      `davit: Cannot reach containerd at "${path}": permission denied: ${owner}\nhint: run davit as root\n`,
    );
    assertEquals(code, 6);
  });
});

Deno.test("davit ends silently with exit 0 when the reader of its output is gone", async () => {
  const child = davit(["--help"]).spawn();
  await child.stdout.cancel();
  const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("davit writes no escape codes into pipes", async () => {
  const { stdout, stderr } = await output(davit(["bogus"], { env: { NO_COLOR: "" } }));
  assertEquals(stdout + stderr.replace(/^davit: Cannot run "bogus".*\nhint: .*\n$/, ""), "");
});

Deno.test("davit colours errors on a terminal, unless NO_COLOR is set", async () => {
  const words = [Deno.execPath(), "run", "--quiet", "-A", main, "bogus"].join(" ");
  for (const [noColor, expected] of [["", "\x1b[31mdavit:\x1b[0m Cannot"], ["1", "davit: Cannot"]] as const) {
    const terminal = new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", words, "/dev/null"],
      env: { NO_COLOR: noColor, TERM: "xterm" },
      stdin: "null",
      stdout: "piped",
    });
    const { code, stdout } = await terminal.output();
    assertEquals(code, 2);
    assert(new TextDecoder().decode(stdout).startsWith(expected), new TextDecoder().decode(stdout));
  }
});

realTest(
  "davit finds containerd by a path, a relative path, unix:// and the environment",
  async (_, { address, root }) => {
    for (
      const command of [
        davit(["-a", address, "ns", "ls", "-q"]),
        davit(["ns", "ls", "-q", "--address=containerd.sock"], { cwd: root }),
        davit(["--address", `unix://${address}`, "ns", "ls", "-q"]),
        davit(["ns", "ls", "-q"], { env: { CONTAINERD_ADDRESS: address } }),
        davit(["ns", "ls", "-q"], { env: { CONTAINERD_ADDRESS: address, DAVIT_TRANSPORT: "grpc" } }),
      ]
    ) {
      assertEquals(
        { code: 0, stderr: "" },
        (({ code, stderr }) => ({ code, stderr }))(await output(command)),
      );
    }
  },
);

realTest("davit warns of a namespace that comes into being, or refuses it", async (_, { address }) => {
  const namespace = uniqueNamespace();
  const create = ["-a", address, "namespaces", "create", namespace];
  const refused = await output(davit([...create, "--no-create-namespace"]));
  assertEquals(refused.code, 4);
  assertStringIncludes(refused.stderr, "--no-create-namespace is given");
  const { stdout } = await output(davit(["-a", address, "ns", "ls", "-q"]));
  assertEquals(stdout.includes(namespace), false);
});

/** The first frame of an HTTP/2 server: settings, none of them changed. */
const settingsFrame = new Uint8Array([0, 0, 0, 4, 0, 0, 0, 0, 0]);

Deno.test("davit ends a call that waits on SIGINT with 130, on SIGTERM with 143, when its time is up with 8", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "silent.sock");
    using listener = Deno.listen({ transport: "unix", path });
    for (
      const [args, signal, expected] of [
        [[], "SIGINT", 130],
        [[], "SIGTERM", 143],
        [["--timeout", "1s"], undefined, 8],
      ] as const
    ) {
      const ended = davit(["-a", path, "namespaces", "list", ...args]).spawn();
      using connection = await listener.accept();
      await connection.write(settingsFrame);
      for (let text = ""; !text.includes("Namespaces/List");) {
        const bytes = new Uint8Array(1024);
        const length = await connection.read(bytes);
        text += new TextDecoder("latin1").decode(bytes.subarray(0, length ?? 0));
      }
      if (signal) ended.kill(signal);
      const { code, stdout } = await ended.output();
      assertEquals([code, stdout.length], [expected, 0]);
    }
  });
});

realTest("davit leaves no lease and no ingest behind when a copy is interrupted", async (_, containerd) => {
  const { address } = containerd;
  const [from, to] = [uniqueNamespace("from"), uniqueNamespace("to")];
  await importWithCtr(containerd, from, ociArchive(await manyImages({ count: 60 })));
  const child = davit(["-a", address, "images", "copy", "**", "--from", from, "--to", to, "-o", "jsonl"])
    .spawn();
  const rows = child.stdout.getReader();
  await rows.read();
  child.kill("SIGINT");
  const stderr = new Response(child.stderr).text();
  while (!(await rows.read()).done);
  const { code } = await child.status;
  assertEquals([code, JSON.parse((await stderr).trimEnd().split("\n").at(-1)!).code], [130, "interrupted"]);
  assertEquals((await containerd.ctr(["leases", "ls", "-q"], { namespace: to })).stdout, "");
  assertEquals(
    (await containerd.ctr(["content", "active"], { namespace: to })).stdout.trim().split("\n").length,
    1,
  );
  const copied = (await containerd.ctr(["images", "ls", "-q"], { namespace: to })).stdout.split("\n").length -
    1;
  assert(copied > 0 && copied < 60, `${copied} images`);
});
