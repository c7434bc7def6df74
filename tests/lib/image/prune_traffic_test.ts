import { assert, assertEquals } from "@std/assert";
import { checkImages, type Client, connect, executePrune, type NamespacedClient, planPrune } from "davit";
import type { Containerd } from "../../real/containerd.ts";
import { importWithCtr, manyImages, ociArchive } from "../../real/images.ts";
import { realTest, type RealTestOptions, uniqueNamespace } from "../../real/test.ts";

for (const { seconds, ...options } of lengths()) {
  realTest(
    `executePrune() breaks no image and takes no lease in ${seconds} s of others' imports, tags and copies`,
    async (_t, containerd) => await pruneAmongOthers(containerd, seconds),
    { fresh: true, timeoutMs: (seconds + 120) * 1000, ...options },
  );
}

function lengths(): (RealTestOptions & { seconds: number })[] {
  return [
    { seconds: 7, series: ["1.6"] }, // without the comparison of targets
    { seconds: 13, series: ["2"] },
    { seconds: 600, full: true },
  ];
}

/** What others do all the time, each in a loop with ctr; what they could not do is none of our business. */
interface Others {
  isOver: boolean;
  imports: number;
  tags: number;
  leases: string[];
}

async function pruneAmongOthers(containerd: Containerd, seconds: number): Promise<void> {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const inside = client.namespace(namespace);
  const images = await manyImages({ count: 6, seed: 90 });
  await importWithCtr(containerd, namespace, ociArchive(images));
  const others: Others = { isOver: false, imports: 0, tags: 0, leases: [] };
  const loops = [importing, tagging, leasing].map((work) => work(containerd, { namespace, images, others }));
  const watching = watch(client, { namespace, others });
  let removed = 0;
  try {
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      const plan = await planPrune(client, { namespaces: [namespace], unused: true, minAgeMs: 0 });
      for await (const { status, error } of executePrune(client, plan)) {
        assert(status !== "failed", String(error));
        if (status === "removed") removed++;
      }
    }
  } finally {
    others.isOver = true;
    await Promise.all(loops);
  }
  assertEquals(await watching, []);
  assertEquals(await brokenImages(inside), []);
  const left = await Array.fromAsync(inside.leases.list(), ({ id }) => id);
  for (const id of others.leases) assert(left.includes(id), `lease ${id} is gone`);
  assert(left.every((id) => !id.startsWith("davit-")), "prune left a lease");
  assert(removed > 5 && others.imports > 2 && others.tags > 2, JSON.stringify({ removed, ...others }));
}

interface Work {
  namespace: string;
  images: Awaited<ReturnType<typeof manyImages>>;
  others: Others;
}

async function importing(containerd: Containerd, { namespace, images, others }: Work): Promise<void> {
  const flags = containerd.release.series === "1.6" ? [] : ["--local"];
  for (let at = 0; !others.isOver; at++) {
    const stdin = ociArchive([images[at % images.length]!]);
    const argv = ["images", "import", "--no-unpack", ...flags, "-"];
    const { code } = await containerd.ctr(argv, { namespace, stdin, check: false });
    if (code === 0) others.imports++;
  }
}

async function tagging(containerd: Containerd, { namespace, images, others }: Work): Promise<void> {
  for (let at = 0; !others.isOver; at++) {
    const { name } = images[at % images.length]!;
    const tag = `example.com/tag:${at % 20}`;
    const argv = ["images", "tag", "--force", name, tag];
    const { code } = await containerd.ctr(argv, { namespace, check: false });
    if (code === 0) others.tags++;
    if (at % 3 === 0) await containerd.ctr(["images", "rm", tag], { namespace, check: false });
  }
}

async function leasing(containerd: Containerd, { namespace, others }: Work): Promise<void> {
  while (!others.isOver) {
    const { code, stdout } = await containerd.ctr(["leases", "create"], { namespace, check: false });
    if (code === 0) others.leases.push(stdout.trim());
  }
}

/** Looks again and again for images that lack something; once more before it believes it: images come and go. */
async function watch(
  client: Client,
  { namespace, others }: { namespace: string; others: Others },
): Promise<string[]> {
  const inside = client.namespace(namespace);
  const broken: string[] = [];
  while (!others.isOver && broken.length === 0) {
    const first = await brokenImages(inside);
    if (first.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const second = await brokenImages(inside);
      broken.push(...first.filter((image) => second.includes(image)));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return broken;
}

/** The images of which something is missing, each with when it was set. */
async function brokenImages(inside: NamespacedClient): Promise<string[]> {
  const images = await Array.fromAsync(inside.images.list());
  const checked = await Array.fromAsync(checkImages(inside, images, { platforms: ["linux/amd64"] }));
  return checked.flatMap(({ image, status }) =>
    status === "complete" ? [] : [`${image.name} ${image.updatedAt.toISOString()} ${status}`]
  );
}
