import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Access, Plugin } from "davit";
import type { Containerd } from "../../real/containerd.ts";
import { busyboxImage, importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { PluginFolder } from "./plugin_folder.ts";
import { davit, type Ended, type ProgramOptions } from "./program.ts";

interface RunOptions extends ProgramOptions {
  namespace: string;
  argv?: string[];
  access?: Access;
  plans?: boolean;
  args?: Plugin["args"];
}

/** Runs a plugin whose `run` has this body. */
async function run(
  containerd: Containerd,
  body: string,
  { namespace, argv = [], access, plans, args, ...options }: RunOptions,
): Promise<Ended> {
  await using folder = await PluginFolder.create();
  const more: Partial<Plugin> = {
    ...(access && { access }),
    ...(args && { args }),
    ...(plans !== undefined && { plans }),
  };
  const path = await folder.writePlugin(body, more);
  return await davit([path, "-a", containerd.address, "-n", namespace, ...argv], options);
}

async function withImage(containerd: Containerd, namespace: string): Promise<string> {
  const image = await randomImage({ layers: 1, layerBytes: 512 });
  await importWithCtr(containerd, namespace, ociArchive([image]));
  return image.name;
}

async function createdNamespace(containerd: Containerd): Promise<string> {
  const namespace = uniqueNamespace();
  await containerd.ctr(["namespaces", "create", namespace]);
  return namespace;
}

async function leasesIn(containerd: Containerd, namespace: string): Promise<string[]> {
  return (await containerd.ctr(["leases", "ls", "-q"], { namespace })).stdout.split("\n").filter(Boolean);
}

realTest("a plugin works in the namespace of -n, and in no other", async (_t, containerd) => {
  const [ours, theirs] = [uniqueNamespace(), uniqueNamespace()];
  const name = await withImage(containerd, ours);
  await withImage(containerd, theirs);
  const list = `for await (const { name } of client.images.list({ signal })) yield { name };`;
  const own = await run(containerd, list, { namespace: ours, argv: ["-q"] });
  assertEquals(own, { code: 0, stdout: `${name}\n`, stderr: "" });
  const other = await run(containerd, `yield* client.namespace(${JSON.stringify(theirs)}).images.list();`, {
    namespace: ours,
  });
  assertEquals([other.code, other.stdout], [6, ""]);
  assertStringIncludes(other.stderr, `add "${theirs}" to its access.namespaces`);
  const named = await run(
    containerd,
    `for await (const { name } of client.namespaces.list()) yield { name };`,
    {
      namespace: ours,
      access: { namespaces: [ours, theirs] },
      argv: ["-q"],
    },
  );
  assertEquals(named.stdout, [ours, theirs].sort().map((name) => `${name}\n`).join(""));
});

realTest("a plugin writes what its access says, and nothing in a dry run", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const name = await withImage(containerd, namespace);
  const remove = `await client.images.delete(${JSON.stringify(name)});\nreturn "removed";`;
  const images = async () => (await containerd.ctr(["images", "ls", "-q"], { namespace })).stdout;
  const reader = await run(containerd, remove, { namespace });
  assertEquals([reader.code, reader.stdout, await images()], [6, "", `${name}\n`]);
  assertStringIncludes(reader.stderr, 'the plugin may only read: set its access.write to "images"');
  const dry = await run(containerd, remove, {
    namespace,
    access: { write: "images" },
    plans: true,
    argv: ["--dry-run"],
  });
  assertEquals([dry.code, dry.stdout, await images()], [6, "", `${name}\n`]);
  assertStringIncludes(dry.stderr, "a dry run may not write");
  const writer = await run(containerd, remove, { namespace, access: { write: "images" } });
  assertEquals([writer, await images()], [{ code: 0, stdout: "removed\n", stderr: "" }, ""]);
});

realTest("a dry run of a plugin that does not plan tells what it would write", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const name = await withImage(containerd, namespace);
  const body = `
    const { target } = await client.images.get(${JSON.stringify(name)});
    await client.images.create({ name: "example.com/new:1", target });
    await client.images.delete(${JSON.stringify(name)});
    for await (const image of client.images.list()) yield { name: image.name, dryRun };
    if (args.length === 0) return;
    await client.content.ingest({ ref: "r", size: 1 }, (async function* () { yield new Uint8Array(1); })())
      .catch(() => {});
    yield { name: "went on" };`;
  const options = { namespace, access: { write: "images" } as const };
  const dry = await run(containerd, body, { ...options, argv: ["--dry-run", "-o", "csv"] });
  assertEquals([dry.code, dry.stdout], [0, "name,dryRun\r\nexample.com/new:1,false\r\n"]);
  const [created, deleted, ...more] = dry.stderr.trimEnd().split("\n");
  assertStringIncludes(created!, 'Would create image "example.com/new:1" for sha256:');
  assertEquals([deleted, more], [`Would delete image "${name}" in namespace "${namespace}"`, []]);
  const forbidden = await run(containerd, body, { namespace, argv: ["--dry-run"] });
  assertEquals(forbidden.code, 6);
  assertStringIncludes(forbidden.stderr, "the plugin may only read");
  const args = [{ name: "X", summary: "x", optional: true }];
  const ended = await run(containerd, body, { ...options, args, argv: ["--dry-run", "-q", "x"] });
  assertEquals([ended.code, ended.stdout], [9, "example.com/new:1\n"]);
  assertStringIncludes(ended.stderr, "Cannot simulate Content/Write");
  const images = (await containerd.ctr(["images", "ls", "-q"], { namespace })).stdout;
  assertEquals(images, `${name}\n`);
});

realTest("a plugin moves content in both directions", async (_t, containerd) => {
  const namespace = await createdNamespace(containerd);
  const body = `
    await using lease = await client.leases.acquire({ prefix: "test" });
    const { content } = client.withLease(lease.id);
    const bytes = new Uint8Array(3_000_000).map((_, at) => at * at % 251);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const digest = "sha256:" + hash.toHex();
    await content.write({ digest, size: bytes.length }, async function* (offset) { yield bytes.subarray(offset); });
    const read = new Uint8Array(await new Blob(await Array.fromAsync(content.read(digest))).arrayBuffer());
    yield bytes.every((byte, at) => byte === read[at]) && read.length === bytes.length ? "same" : "other";`;
  const ended = await run(containerd, body, { namespace, access: { write: "images" } });
  assertEquals(ended, { code: 0, stdout: "same\n", stderr: "" });
  assertEquals(await leasesIn(containerd, namespace), []);
});

const acquire = `
    await client.leases.create({ id: "ours", labels: { a: "b" }, expiresInMs: 60_000 });
    log.info("acquired");`;

realTest(
  "a plugin that ends well keeps the lease that it made, and one that throws does not",
  async (_t, containerd) => {
    const namespace = await createdNamespace(containerd);
    await containerd.ctr(["leases", "create", "--id", "theirs"], { namespace });
    const access = { write: "images" } as const;
    const thrown = await run(containerd, `${acquire}\nthrow new Error("x");`, { namespace, access });
    assertEquals([thrown.code, await leasesIn(containerd, namespace)], [10, ["theirs"]]);
    const late = await run(containerd, `${acquire}\nyield 1;\nthrow new Error("x");`, { namespace, access });
    assertEquals([late.code, await leasesIn(containerd, namespace)], [10, ["theirs"]]);
    const well = await run(containerd, acquire, { namespace, access });
    assertEquals([well.code, await leasesIn(containerd, namespace)], [0, ["ours", "theirs"]]);
    const again = await run(containerd, acquire, { namespace, access });
    assertEquals([again.code, await leasesIn(containerd, namespace)], [5, ["ours", "theirs"]]);
  },
);

/** How a plugin behaves that holds a lease when its time is up. */
const endings: readonly [criterion: string, body: string][] = [
  ["waits for ever", "await new Promise(() => {});"],
  [
    "cleans up",
    'await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));',
  ],
];

for (const [criterion, body] of endings) {
  realTest(
    `--timeout ends a plugin that ${criterion}, exits 8 and leaves no lease`,
    async (_t, containerd) => {
      const namespace = await createdNamespace(containerd);
      const ended = await run(containerd, `${acquire}\n${body}`, {
        namespace,
        access: { write: "images" },
        argv: ["--timeout", "3s"],
      });
      assertEquals([ended.code, ended.stderr], [8, "acquired\ndavit: Cannot finish within 3s\n"]);
      assertEquals(await leasesIn(containerd, namespace), []);
    },
    criterion === "cleans up" ? {} : { series: ["2"] },
  );

  realTest(
    `Ctrl-C ends a plugin that ${criterion}, exits 130 and leaves no lease`,
    async (_t, containerd) => {
      const namespace = await createdNamespace(containerd);
      const ended = await run(containerd, `${acquire}\n${body}`, {
        namespace,
        access: { write: "images" },
        started: async (process) => {
          while ((await leasesIn(containerd, namespace)).length === 0) {
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          process.kill("SIGINT");
        },
      });
      assertEquals([ended.code, ended.stderr], [130, "acquired\ndavit: Interrupted\n"]);
      assertEquals(await leasesIn(containerd, namespace), []);
    },
    { series: ["2"] },
  );
}

realTest(
  "a plugin runs containers whose user is given as numbers, and learns how they end",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const image = await busyboxImage();
    await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
    const body = (options: string) => `
    const { runContainer } = await import("davit");
    const image = await client.images.get(${JSON.stringify(image.name)}, { signal });
    const command = ["sh", "-c", "exit 7"];
    const { exitStatus } = await runContainer(client, { id: "smoke", image, command, ${options}, signal });
    yield { exitStatus };`;
    const all = { namespace, access: { write: "all" } as const };
    const numbered = await run(containerd, body(`user: "0:0", output: "null"`), { ...all, argv: ["-q"] });
    assertEquals(numbered, { code: 0, stdout: "7\n", stderr: "" });
    const unknown = await run(containerd, body(`output: "null"`), all);
    assertEquals([unknown.code, unknown.stdout], [10, ""]);
    assertStringIncludes(unknown.stderr, `read access to "${containerd.root}`);
    const known = await run(containerd, body(`output: "null"`), {
      ...all,
      argv: ["-q", `--allow-read=${containerd.root}`],
    });
    assertEquals(known, { code: 0, stdout: "7\n", stderr: "" });
    const piped = await run(containerd, body(`user: "0:0", streams: {}`), all);
    assertEquals(piped.code, 10);
    assertStringIncludes(piped.stderr, "Cannot make named pipes in a sandbox");
    assertEquals((await containerd.ctr(["containers", "ls", "-q"], { namespace })).stdout, "");
  },
  { series: ["2"] },
);
