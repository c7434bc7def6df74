import { assert, assertEquals } from "@std/assert";
import {
  checkImages,
  type Client,
  connect,
  ContainerdError,
  copyImages,
  executePrune,
  type Image,
  type NamespacedClient,
  planPrune,
} from "davit";
import type { Containerd } from "../../real/containerd.ts";
import { importWithCtr, manyImages, ociArchive, randomImage } from "../../real/images.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, type RealTestOptions, uniqueNamespace } from "../../real/test.ts";

for (const { seconds, ...options } of lengths()) {
  realTest(
    `executePrune() breaks no image and takes no lease in ${seconds} s of others' pulls, imports, tags and copies`,
    async (t, containerd) => await pruneAmongOthers(t, { containerd, seconds }),
    { fresh: true, timeoutMs: (seconds + 120) * 1000, ...options },
  );
}

function lengths(): (RealTestOptions & { seconds: number })[] {
  return [
    { seconds: 10, series: ["1.6"] }, // without the comparison of targets, as 1.7
    { seconds: 30, series: ["2"] },
    { seconds: 600, full: true },
  ];
}

/** What others do all the time, each in a loop; what they could not do is none of our business. */
interface Others {
  isOver: boolean;
  done: { pulls: number; imports: number; tags: number; lateTags: number; copies: number; leases: number };
  /** Those that somebody holds now. */
  leases: string[];
  /** What should never be: leases that were gone when their holder let go of them. */
  complaints: string[];
}

interface Work {
  namespace: string;
  /** The same images are in a namespace of their own, from where they are copied. */
  origin: string;
  images: Awaited<ReturnType<typeof manyImages>>;
  registry: StockedRegistry;
  others: Others;
}

const leasesAtOnce = 30;

async function pruneAmongOthers(
  t: Deno.TestContext,
  { containerd, seconds }: { containerd: Containerd; seconds: number },
): Promise<void> {
  await using client = await connect({ address: containerd.address });
  const [namespace, origin] = [uniqueNamespace(), uniqueNamespace()];
  const inside = client.namespace(namespace);
  const images = await manyImages({ count: 6, seed: 90 });
  for (const target of [namespace, origin]) await importWithCtr(containerd, target, ociArchive(images));
  await using registry = await StockedRegistry.start(
    Object.fromEntries(images.map((image, at) => [`app:${at}`, image])),
  );
  const others: Others = {
    isOver: false,
    done: { pulls: 0, imports: 0, tags: 0, lateTags: 0, copies: 0, leases: 0 },
    leases: [],
    complaints: [],
  };
  const work = { namespace, origin, images, registry, others };
  const loops = [pulling, importing, tagging, taggingLate, copying, leasing].map((loop) =>
    loop(containerd, work)
  );
  const watching = watch(client, { namespace, others });
  const became = { removed: 0, kept: 0, putBack: 0, failed: 0 };
  try {
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      const plan = await planPrune(client, { namespaces: [namespace], unused: true, minAgeMs: 0 });
      for await (const { status, reason, error } of executePrune(client, plan)) {
        const isLost = error instanceof ContainerdError && error.code === "aborted"; // and somebody was told
        assert(status !== "failed" || isLost && containerd.release.series !== "2", String(error));
        became[status]++;
        if (reason.endsWith("put back")) became.putBack++;
      }
    }
  } finally {
    others.isOver = true;
    await Promise.all(loops);
  }
  assertEquals(await watching, []);
  assertEquals(await brokenImages(inside), []);
  const left = await Array.fromAsync(inside.leases.list(), ({ id }) => id);
  for (const id of others.leases) if (!left.includes(id)) others.complaints.push(`lease ${id} is gone`);
  assertEquals(others.complaints, []);
  assert(left.every((id) => !id.startsWith("davit-")), "prune left a lease");
  await t.step(JSON.stringify({ ...became, ...others.done }), () => {
    assert(became.removed > 5 && Object.values(others.done).every((number) => number > 0));
  });
}

async function pulling(containerd: Containerd, { namespace, registry, others }: Work): Promise<void> {
  // On 2.x by the transfer service, which pulls in the daemon.
  const flags = containerd.release.series === "1.7" ? ["--local"] : [];
  for (let at = 0; !others.isOver; at++) {
    const argv = ["images", "pull", ...flags, "--plain-http", `${registry.server.host}/app:${at % 6}`];
    const { code } = await containerd.ctr(argv, { namespace, check: false });
    if (code === 0) others.done.pulls++;
  }
}

async function importing(containerd: Containerd, { namespace, images, others }: Work): Promise<void> {
  const flags = containerd.release.series === "1.6" ? [] : ["--local"];
  for (let at = 0; !others.isOver; at++) {
    const stdin = ociArchive([images[at % images.length]!]);
    const argv = ["images", "import", "--no-unpack", ...flags, "-"];
    const { code } = await containerd.ctr(argv, { namespace, stdin, check: false });
    if (code === 0) others.done.imports++;
  }
}

async function tagging(containerd: Containerd, { namespace, images, others }: Work): Promise<void> {
  for (let at = 0; !others.isOver; at++) {
    const { name } = images[at % images.length]!;
    const tag = `example.com/tag:${at % 20}`;
    const argv = ["images", "tag", "--force", name, tag];
    const { code } = await containerd.ctr(argv, { namespace, check: false });
    if (code === 0) others.done.tags++;
    if (at % 3 === 0) await containerd.ctr(["images", "rm", tag], { namespace, check: false });
  }
}

/**
 * As ctr does it, without a lease, at the worst moment: what it has read is removed just before it is named. Each image
 * is one of its own, whose content nobody else brings back.
 */
async function taggingLate(containerd: Containerd, { namespace, others }: Work): Promise<void> {
  await using client = await connect({ address: containerd.address });
  const { images } = client.namespace(namespace);
  const flags = containerd.release.series === "1.6" ? [] : ["--local"];
  for (let at = 0; !others.isOver; at++) {
    const image = await randomImage({ name: `example.com/once:${at}`, seed: 5_000 + at, layerBytes: 100 });
    const argv = ["images", "import", "--no-unpack", ...flags, "-"];
    await containerd.ctr(argv, { namespace, stdin: ociArchive([image]), check: false });
    const filters = [`name==${JSON.stringify(image.name)}`];
    const there = async () => (await Array.fromAsync(images.list({ filters })))[0];
    const read = await there();
    if (read === undefined) continue;
    while (!others.isOver && await there() !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await images.create({ name: `example.com/late:${at}`, target: read.target });
    others.done.lateTags++;
  }
}

/** davit's own copies, since ctr has none; from another connection. */
async function copying({ address }: Containerd, { namespace, origin, others }: Work): Promise<void> {
  await using client = await connect({ address });
  while (!others.isOver) {
    const results = copyImages(client, { from: origin, to: [namespace] });
    for await (const { status } of results) if (status === "copied") others.done.copies++;
    await new Promise((resolve) => setTimeout(resolve, 20)); // or it would leave the others no room
  }
}

/** Takes leases and gives them back, which says so when one is gone. */
async function leasing(containerd: Containerd, { namespace, others }: Work): Promise<void> {
  while (!others.isOver) {
    const { code, stdout } = await containerd.ctr(["leases", "create"], { namespace, check: false });
    if (code === 0 && others.leases.push(stdout.trim()) > 0) others.done.leases++;
    if (others.leases.length < leasesAtOnce) continue;
    const id = others.leases.shift()!;
    const ended = await containerd.ctr(["leases", "rm", id], { namespace, check: false });
    if (ended.code !== 0) others.complaints.push(`lease ${id}: ${ended.stderr}`);
  }
}

/** Looks again and again for images that lack something. */
async function watch(
  client: Client,
  { namespace, others }: { namespace: string; others: Others },
): Promise<string[]> {
  const inside = client.namespace(namespace);
  while (!others.isOver) {
    const broken = await brokenImages(inside);
    if (broken.length > 0) return broken;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return [];
}

/** The images of which something is missing, and that are still there, so that they were as it was looked for. */
async function brokenImages(inside: NamespacedClient): Promise<string[]> {
  const images = await Array.fromAsync(inside.images.list());
  const checked = await Array.fromAsync(checkImages(inside, images, { platforms: ["linux/amd64"] }));
  const broken = checked.filter(({ status }) => status !== "complete").map(({ image }) => state(image));
  if (broken.length === 0) return [];
  const now = await Array.fromAsync(inside.images.list(), state);
  return broken.filter((image) => now.includes(image));
}

function state({ name, target, updatedAt }: Image): string {
  return `${name} ${target.digest} ${updatedAt.toISOString()}`;
}
