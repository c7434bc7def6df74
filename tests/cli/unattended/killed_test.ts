/** Jobs that are killed midway: the next run recovers and finishes. */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { checkImages, connect, type NamespacedClient } from "davit";
import type { RunRecord } from "../../../cli/unattended/record.ts";
import type { Containerd } from "../../real/containerd.ts";
import { importWithCtr, manyImages, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "../verbs/davit.ts";

const main = fromFileUrl(new URL("../../../cli/main.ts", import.meta.url));

realTest("a copy that was killed as a job is finished by the next run", async (_t, containerd) => {
  const [from, to] = [uniqueNamespace("from"), uniqueNamespace("to")];
  const images = await manyImages({ count: 60, seed: 500 });
  await importWithCtr(containerd, from, ociArchive(images));
  await using client = await connect({ address: containerd.address });
  const target = client.namespace(to);
  const copy = ["images", "copy", "**", "--from", from, "--to", to];
  await jobs(containerd, async ({ job, kill, next }) => {
    await kill([...job, ...copy], async () => await count(target.images.list()) > 0);
    const reached = await count(target.images.list());
    assert(reached > 0 && reached < images.length, `killed after ${reached} images`);
    assert(await count(target.leases.list()) > 0, "a dead run leaves its lease");

    const record = await next(copy);
    assertEquals(record.counts, { copied: images.length - reached, exists: reached });
    assertEquals(await broken(target), []);
    const recovered = await davit(containerd, ["-n", to, "leases", "recover", "-o", "json"]);
    assert(JSON.parse(recovered.stdout).every(({ status }: { status: string }) => status === "removed"));
    assertEquals(await count(target.leases.list()), 0);
  });
}, { timeoutMs: 120_000 });

realTest("a prune that was killed as a job is finished by the next run", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await importWithCtr(containerd, namespace, ociArchive(await manyImages({ count: 150, seed: 700 })));
  await using client = await connect({ address: containerd.address });
  const inside = client.namespace(namespace);
  const prune = ["-n", namespace, "images", "prune", "--unused", "--min-age", "0", "--yes"];
  await jobs(containerd, async ({ job, kill, next }) => {
    await kill([...job, ...prune], async () => await count(inside.images.list()) < 150);
    const left = await count(inside.images.list());
    assert(left > 0 && left < 150, `killed with ${left} images left`);
    assertEquals(await broken(inside), [], "what is left is whole");

    const [lease] = await Array.fromAsync(inside.leases.list(), ({ id }) => id);
    assert(lease?.startsWith("davit-prune-"), lease);
    const record = await next(prune);
    assertEquals(record.counts, { removed: left });
    assertEquals([await count(inside.content.list()), await count(inside.leases.list())], [0, 0]);
  });
}, { timeoutMs: 120_000 });

interface Jobs {
  /** The flags of the job. */
  job: string[];
  /** Starts davit and kills it once `isTime`. */
  kill(argv: string[], isTime: () => Promise<boolean>): Promise<void>;
  /** Runs the job again to its end, and resolves to its record. */
  next(argv: string[]): Promise<RunRecord>;
}

async function jobs(containerd: Containerd, work: (jobs: Jobs) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-killed-" });
  const report = join(folder, "run.json");
  const job = ["--lock", "nightly", "--report", report];
  const env = { XDG_RUNTIME_DIR: folder };
  const kill: Jobs["kill"] = async (argv, isTime) => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", main, "-a", containerd.address, ...argv],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    while (!await isTime()) await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill("SIGKILL");
    await child.status;
    assertEquals(await Deno.stat(report).then(() => "written", () => "none"), "none");
  };
  const next: Jobs["next"] = async (argv) => {
    const { code, stderr } = await davit(containerd, [...job, ...argv], { env });
    assertEquals(code, 0, stderr);
    return JSON.parse(await Deno.readTextFile(report));
  };
  try {
    await work({ job, kill, next });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function count(items: AsyncIterable<unknown>): Promise<number> {
  return (await Array.fromAsync(items)).length;
}

async function broken(inside: NamespacedClient): Promise<string[]> {
  const images = await Array.fromAsync(inside.images.list());
  const checked = await Array.fromAsync(checkImages(inside, images, { platforms: ["linux/amd64"] }));
  return checked.flatMap(({ image, status }) => status === "complete" ? [] : [image.name]);
}
