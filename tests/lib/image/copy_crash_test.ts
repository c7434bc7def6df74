import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { connect, copyImages, type NamespaceAccess, planCopy } from "davit";
import type { Containerd } from "../../real/containerd.ts";
import { importWithCtr, manyImages, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const kills = 20;
const images = await manyImages({ count: 40, seed: 300 });
const main = fromFileUrl(new URL("../../../cli/main.ts", import.meta.url));

realTest(
  `copyImages() leaves only whole images through ${kills} SIGKILLs of containerd`,
  async (_t, containerd) => {
    await survive(containerd, async (attempt) => {
      const { from, to } = attempt;
      await using client = await connect({ address: containerd.address });
      const copying = Array.fromAsync(copyImages(client, { from, to: [to] })).catch(() => []);
      await watched(copying, { client, ...attempt });
      await containerd.kill("SIGKILL");
      await copying;
      await containerd.restart();
    });
  },
  { fresh: true, timeoutMs: 300_000 },
);

realTest(
  `images copy leaves only whole images through ${kills} SIGKILLs of davit`,
  async (_t, containerd) => {
    await survive(containerd, async (attempt) => {
      const { from, to } = attempt;
      await using client = await connect({ address: containerd.address });
      const args = ["-a", containerd.address, "-n", from, "images", "copy", "**", "--to", to, "-q"];
      const command = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", main, ...args],
        stdout: "null",
        stderr: "null",
      });
      const davit = command.spawn();
      await watched(davit.status, { client, ...attempt });
      try {
        davit.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // it has ended by itself
      }
      await davit.status;
    });
  },
  { fresh: true, timeoutMs: 300_000 },
);

interface Attempt {
  from: string;
  to: string;
  /** How many leases of killed attempts are there. */
  leases: number;
  /** When to kill, from when the attempt has taken its own lease. */
  afterMs: number;
}

/** Makes attempts until enough of them were hit while they wrote, and looks at what each has left. */
async function survive(
  containerd: Containerd,
  attempt: (settings: Attempt) => Promise<void>,
): Promise<void> {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const random = randomNumbers(seed);
  const [from, to] = [uniqueNamespace("from"), uniqueNamespace("to")];
  await importWithCtr(containerd, from, ociArchive(images));
  let [hits, leases] = [0, 0];
  for (let tries = 0, longestMs = 500; hits < kills; tries++) {
    assert(tries < 10 * kills, `only ${hits} of ${tries} attempts were hit (seed ${seed})`);
    await attempt({ from, to, leases, afterMs: random() * longestMs });
    await using client = await connect({ address: containerd.address });
    await assertWhole(client, to, `after kill ${hits} (seed ${seed})`);
    const leasesNow = await count(client.namespace(to).leases.list());
    if (leasesNow > leases) hits++; // it was killed before it could give its lease back
    leases = leasesNow;
    if (await count(client.namespace(to).images.list()) === images.length) {
      longestMs = Math.max(50, longestMs * 0.9); // the kills come late
      await empty(client, to);
      leases = 0;
    }
  }
  await using client = await connect({ address: containerd.address });
  const results = await Array.fromAsync(copyImages(client, { from, to: [to] }));
  for (const { status, reason } of results) assert(status !== "failed", `${reason} (seed ${seed})`);
  assertEquals(await count(client.namespace(to).images.list()), images.length);
  await assertWhole(client, to, `in the end (seed ${seed})`);
  await empty(client, to);
}

/** Waits for the work to begin writing, then looks at the target every 100 ms until it is time or the work is over. */
async function watched(
  work: Promise<unknown>,
  { client, to, leases, afterMs }: Attempt & { client: NamespaceAccess },
): Promise<void> {
  let isOver = false;
  const over = work.then(() => isOver = true);
  while (!isOver && await count(client.namespace(to).leases.list()) === leases) await pause(5);
  const end = performance.now() + afterMs;
  while (!isOver && performance.now() < end) {
    await assertWhole(client, to, "while it runs");
    await Promise.race([over, pause(Math.min(100, end - performance.now()))]);
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** Every image that can be seen has all its blobs. */
async function assertWhole(client: NamespaceAccess, to: string, when: string): Promise<void> {
  if (!await client.namespaces.exists(to)) return;
  const { targets: [plan] } = await planCopy(client, { from: to, to: [uniqueNamespace("mirror")] });
  for (const { source, error } of plan!.images) assertEquals(error, undefined, `${source.name} ${when}`);
}

async function count(items: AsyncIterable<unknown>): Promise<number> {
  return (await Array.fromAsync(items)).length;
}

/** Without its images and our own leases, a namespace keeps nothing. */
async function empty(client: NamespaceAccess, to: string): Promise<void> {
  const { images, leases, content } = client.namespace(to);
  for await (const { name } of images.list()) await images.delete(name);
  for await (const { id } of leases.list()) {
    assert(id.startsWith("davit-copy-"), id);
    await leases.delete(id);
  }
  await leases.collectGarbage();
  assertEquals(await Array.fromAsync(content.list(), ({ digest }) => digest), []);
  assertEquals(await Array.fromAsync(content.listStatuses(), ({ ref }) => ref), []);
}

/** Mulberry32: the same numbers in 0..1 for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
