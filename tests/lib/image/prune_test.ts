import { assert, assertEquals } from "@std/assert";
import { connect, copyImages, executePrune, planPrune, type PrunePlan } from "davit";
import { Client } from "../../../lib/client.ts";
import { guarded } from "../../../lib/transport/guard.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import { davit } from "../../cli/verbs/davit.ts";
import { meddled } from "../../fault/meddler.ts";
import type { Containerd } from "../../real/containerd.ts";
import { busyboxImage, checkWithCtr, importWithCtr, manyImages, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

realTest(
  "executePrune() of 1,000 images frees what was announced, in one collection",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    await importMany(containerd, namespace, { repositories: 20, tags: 50 });
    await using client = await connect({ address: containerd.address });
    const inside = client.namespace(namespace);
    await inside.images.update({
      name: "example.com/app-3:v7",
      labels: { "io.cri-containerd.pinned": "pinned" },
    });
    const other = uniqueNamespace();
    const copied = copyImages(client, { from: namespace, to: [other], match: ["example.com/app-4:v9"] });
    assertEquals((await Array.fromAsync(copied)).map(({ status }) => status), ["copied"]);

    const plan = await planPrune(client, {
      namespaces: [namespace],
      keepLast: 5,
      order: "semver",
      minAgeMs: 0,
    });
    assertEquals(count(plan, "keep"), 101);
    assertEquals(count(plan, "remove"), 899);
    assert(
      plan.decisions.every(({ action, reason }) =>
        reason === "pinned" ||
        (action === "keep" ? /^number [1-5] of the newest 5 of / : /, of which 5 stay$/).test(reason)
      ),
    );
    const before = [await contentBytes(containerd), await dfBytes(containerd)] as const;
    let collections = 0;
    const counted = meddled(await openSocket({ path: containerd.address }), ({ request }) => {
      if ((request as { sync?: boolean }).sync) collections++;
    });
    await using counting = new Client(guarded(counted));
    const results = await Array.fromAsync(executePrune(counting, plan));
    assertEquals(results.filter(({ status }) => status === "removed").length, 899);
    assertEquals(collections, 1);
    assertEquals(before[0] - await contentBytes(containerd), plan.freed.contentBytes);
    assertEquals(before[1] - await dfBytes(containerd), plan.freed.contentBytes);

    const left = await checkWithCtr(containerd, namespace);
    assertEquals(left.size, 101);
    assert([...left.values()].every((status) => status.startsWith("complete")));
    assert(
      left.has("example.com/app-3:v7") && left.has("example.com/app-0:v49") &&
        !left.has("example.com/app-0:v9"),
    );
    assertEquals((await checkWithCtr(containerd, other)).size, 1);
  },
  { series: ["1.6", "2"], fresh: true }, // 1.7 deletes as 1.6 does
);

realTest("planPrune() counts what containers use and what their snapshots take", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const used = await busyboxImage("docker.io/library/used:1");
  const unused = (await manyImages({ count: 1, seed: 77 }))[0]!;
  await importWithCtr(containerd, namespace, ociArchive([used, unused]), { unpack: true });
  await containerd.ctr(["containers", "create", used.name, "keeps-it", "true"], { namespace });
  await using client = await connect({ address: containerd.address });

  const plan = await planPrune(client, { namespaces: [namespace], unused: true, minAgeMs: 0 });
  assertEquals(reasons(plan), [
    [used.name, "keep", 'used by container "keeps-it"'],
    [unused.name, "remove", "no container uses it"],
  ]);
  const sizes = await usages(client, namespace);
  await Array.fromAsync(executePrune(client, plan));
  const left = await usages(client, namespace);
  assertEquals(plan.freed.snapshots, sizes.size - left.size);
  const freed = [...sizes].filter(([key]) => !left.has(key)).reduce((sum, [, size]) => sum + size, 0);
  assertEquals(plan.freed.snapshotBytes, freed);
  await containerd.ctr(["containers", "rm", "keeps-it"], { namespace });
}, { fresh: true });

realTest(
  "planPrune() leaves alone what was set a moment ago or is held by a lease",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const images = await manyImages({ count: 2, seed: 5 });
    await importWithCtr(containerd, namespace, ociArchive(images));
    await using client = await connect({ address: containerd.address });
    const { leases } = client.namespace(namespace);
    const young = await planPrune(client, { namespaces: [namespace], unused: true });
    assert(
      young.decisions.every(({ action, reason }) => action === "keep" && reason.endsWith("is less than 1h")),
    );

    await leases.create({ id: "pulling" });
    await leases.addResource("pulling", { id: images[0]!.target.digest, type: "content" });
    const held = await planPrune(client, { namespaces: [namespace], unused: true, minAgeMs: 0 });
    assertEquals(reasons(held).map(([, , reason]) => reason), [
      'held by lease "pulling"',
      "no container uses it",
    ]);
  },
);

realTest("executePrune() leaves alone what was set anew since the plan", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const [one, two] = await manyImages({ count: 2, seed: 6 }) as [Image, Image];
  await importWithCtr(containerd, namespace, ociArchive([one, two]));
  await using client = await connect({ address: containerd.address });
  const { images } = client.namespace(namespace);
  const plan = await planPrune(client, { namespaces: [namespace], unused: true, minAgeMs: 0 });
  assertEquals(count(plan, "remove"), 2);
  await images.update({ name: one.name, target: (await images.get(two.name)).target });
  await images.delete(two.name);
  const results = await Array.fromAsync(executePrune(client, plan));
  assertEquals(results.map(({ status }) => status), ["kept", "kept"]);
  assertEquals(await Array.fromAsync(images.list(), ({ name }) => name), [one.name]);
});

realTest(
  "executePrune() within a budget leaves no more bytes than that, and the newest",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const images = await manyImages({ count: 6, seed: 300, sharedLayers: 1, layerBytes: 50_000 });
    for (const image of images) await importWithCtr(containerd, namespace, ociArchive([image]));
    await using client = await connect({ address: containerd.address });
    const all = await contentBytes(containerd);
    const maxBytes = Math.round(all * 0.6);
    const request = { namespaces: [namespace], unused: true, minAgeMs: 0, maxBytes };
    await Array.fromAsync(executePrune(client, await planPrune(client, request)));
    const left = await contentBytes(containerd);
    assert(left <= maxBytes && left > maxBytes - 51_000, `${left} of ${all}, at most ${maxBytes}`);
    const names = (await Array.fromAsync(client.namespace(namespace).images.list())).map(({ name }) => name);
    assertEquals(names, images.slice(-names.length).map(({ name }) => name), "the oldest went");
    assertEquals(
      (await planPrune(client, request)).decisions.filter(({ action }) => action === "remove"),
      [],
    );
  },
  { series: ["2"], fresh: true },
);

realTest("executePrune() keeps content for whoever names it anew meanwhile", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const [one, two] = await manyImages({ count: 2, seed: 8 }) as [Image, Image];
  await importWithCtr(containerd, namespace, ociArchive([one, two]));
  await using client = await connect({ address: containerd.address });
  const { images, leases, content } = client.namespace(namespace);
  const plan = await planPrune(client, { namespaces: [namespace], unused: true, minAgeMs: 0 });
  for await (const { image, status } of executePrune(client, plan)) {
    assertEquals(status, "removed");
    if (image.name !== one.name) continue;
    await leases.collectGarbage(); // as anybody may, before the new name is there
    await images.create({ name: "example.com/again:1", target: image.target });
  }
  const left = await checkWithCtr(containerd, namespace);
  assertEquals([...left], [[
    "example.com/again:1",
    `complete (${one.blobs.size - 1}/${one.blobs.size - 1})`,
  ]]);
  assertEquals((await Array.fromAsync(content.list())).length, one.blobs.size);
  assertEquals(await Array.fromAsync(leases.list()), []);
});

type Image = Awaited<ReturnType<typeof manyImages>>[number];

async function importMany(
  containerd: Containerd,
  namespace: string,
  { repositories, tags }: { repositories: number; tags: number },
): Promise<void> {
  const images = await manyImages({ count: repositories * tags, sharedLayers: 2, layerBytes: 512 });
  const named = images.map((image, at) => ({
    ...image,
    name: `example.com/app-${Math.floor(at / tags)}:v${at % tags}`,
  }));
  await importWithCtr(containerd, namespace, ociArchive(named));
}

async function contentBytes({ contentDir }: Containerd): Promise<number> {
  let bytes = 0;
  for await (const { name } of Deno.readDir(`${contentDir}/sha256`)) {
    bytes += (await Deno.stat(`${contentDir}/sha256/${name}`)).size;
  }
  return bytes;
}

/** The bytes that `df` tells of all namespaces. */
async function dfBytes(containerd: Containerd): Promise<number> {
  const { code, stdout, stderr } = await davit(containerd, ["df", "-A", "-o", "json"]);
  assertEquals(code, 0, stderr);
  const rows: { namespace: string; bytes: number }[] = JSON.parse(stdout);
  return rows.find(({ namespace }) => namespace === "(total)")!.bytes; // of snapshots and ingests there are none
}

async function usages(client: Client, namespace: string): Promise<Map<string, number>> {
  const snapshots = client.namespace(namespace).snapshots("overlayfs");
  const sizes = new Map<string, number>();
  for await (const { key } of snapshots.list()) sizes.set(key, (await snapshots.usage(key)).size);
  return sizes;
}

function count({ decisions }: PrunePlan, wanted: "keep" | "remove"): number {
  return decisions.filter(({ action }) => action === wanted).length;
}

function reasons({ decisions }: PrunePlan): string[][] {
  return decisions.map(({ image, action, reason }) => [image.name, action, reason]);
}
