/** Others who set a name in the instant between our look at it and its deletion. */
import { assert, assertEquals } from "@std/assert";
import { connect, ContainerdError, executePrune, planPrune, type PruneResult } from "davit";
import { Client } from "../../../lib/client.ts";
import { guarded } from "../../../lib/transport/guard.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import { type Meddle, meddled } from "../../fault/meddler.ts";
import type { Containerd } from "../../real/containerd.ts";
import { checkWithCtr, importWithCtr, manyImages, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const deletion = "containerd.services.images.v1.Images/Delete";
const look = "containerd.services.images.v1.Images/Get";

realTest(
  "executePrune() loses no name that is pointed elsewhere as it is deleted",
  async (_t, containerd) => {
    const { namespace, victim, other } = await twoImages(containerd);
    const seen = Promise.withResolvers<void>();
    let isTagging = false;
    const results = await prune(
      containerd,
      { namespace, match: victim.name },
      async ({ method, request }) => {
        if (method === deletion && nameIn(request) === victim.name) {
          isTagging = true;
          await containerd.ctr(["images", "tag", "--force", other.name, victim.name], { namespace });
          await seen.promise;
        }
        if (method === look && isTagging) return () => seen.resolve();
      },
    );
    assertEquals(results.at(-1)!.status, "kept", String(results.at(-1)!.error));
    assertEquals(
      results.map(({ status, reason }) => `${status}: ${reason}`),
      containerd.release.series === "2"
        ? ["kept: gone, or set anew meanwhile"] // it compares by itself
        : ["removed: no container uses it", "kept: set anew meanwhile, and put back"],
    );
    await holdsBoth(containerd, namespace, [victim, other]);
    assertEquals((await targets(containerd, namespace)).get(victim.name), other.target.digest);
  },
);

realTest("executePrune() puts back a name that is set anew as it is deleted", async (_t, containerd) => {
  const { namespace, victim, other } = await twoImages(containerd);
  const deleted = Promise.withResolvers<void>();
  let isTouched = false;
  const results = await prune(containerd, { namespace, match: victim.name }, async ({ method, request }) => {
    if (method === deletion && nameIn(request) === victim.name) {
      isTouched = true;
      await containerd.ctr(["images", "label", victim.name, "touched=yes"], { namespace });
      return () => deleted.resolve();
    }
    if (method === look && isTouched) await deleted.promise; // comes too late to see what it was
  });
  const [first, second] = results as [PruneResult, PruneResult];
  assertEquals([results.length, first.status], [2, "removed"]);
  if (containerd.release.series === "2") {
    assertEquals([second.status, second.reason], ["kept", "set anew meanwhile, and put back"]);
    await holdsBoth(containerd, namespace, [victim, other]);
  } else {
    // Nobody can tell what it pointed to: at least somebody is told.
    assertEquals(second.status, "failed");
    assert(second.error instanceof ContainerdError && second.error.code === "aborted");
    assertEquals([...await targets(containerd, namespace)], [[other.name, other.target.digest]]);
  }
});

realTest(
  "executePrune() holds content a moment longer than it takes others to name it",
  async (_t, containerd) => {
    const { namespace, victim, other } = await twoImages(containerd);
    await using client = await connect({ address: containerd.address });
    const { images, leases } = client.namespace(namespace);
    const { target } = await images.get(victim.name); // as somebody who is about to tag it
    const again = "example.com/again:1";
    let deletedAt = Infinity;
    let heldMs = 0;
    await prune(containerd, { namespace, match: victim.name }, async ({ method, request }) => {
      if (method === deletion) return () => void (deletedAt = performance.now());
      const { id = "" } = request as { id?: string };
      if (!method.endsWith("Leases/Delete") || !id.startsWith("davit-prune-")) return;
      heldMs = performance.now() - deletedAt;
      await leases.collectGarbage(); // as anybody may
      await images.create({ name: again, target });
    });
    assert(heldMs >= 95, `${heldMs} ms`);
    await holdsBoth(containerd, namespace, [{ ...victim, name: again }, other]);
  },
);

realTest("executePrune() puts nothing back that others delete after it", async (_t, containerd) => {
  const { namespace, victim, other } = await twoImages(containerd);
  await using client = await connect({ address: containerd.address });
  const plan = await planPrune(client, { namespaces: [namespace], match: [victim.name], ...everything });
  const statuses: string[] = [];
  for await (const { status } of executePrune(client, plan)) {
    statuses.push(status);
    await containerd.ctr(["images", "tag", other.name, victim.name], { namespace });
    await containerd.ctr(["images", "rm", victim.name], { namespace });
  }
  assertEquals(statuses, ["removed"]);
  assertEquals([...(await targets(containerd, namespace)).keys()], [other.name]);
});

const everything = { unused: true, minAgeMs: 0 };

type Image = Awaited<ReturnType<typeof manyImages>>[number];

/** An image to prune, and one that stays. */
async function twoImages(
  containerd: Containerd,
): Promise<{ namespace: string; victim: Image; other: Image }> {
  const namespace = uniqueNamespace();
  const [victim, other] = await manyImages({ count: 2, seed: 40 }) as [Image, Image];
  await importWithCtr(containerd, namespace, ociArchive([victim, other]));
  return { namespace, victim, other };
}

/** Prunes while somebody meddles. */
async function prune(
  containerd: Containerd,
  { namespace, match }: { namespace: string; match: string },
  meddle: Meddle,
): Promise<PruneResult[]> {
  const socket = await openSocket({ path: containerd.address });
  await using client = new Client(guarded(meddled(socket, meddle)));
  const plan = await planPrune(client, { namespaces: [namespace], match: [match], ...everything });
  const results = await Array.fromAsync(executePrune(client, plan));
  assertEquals(await Array.fromAsync(client.namespace(namespace).leases.list()), []);
  return results;
}

async function holdsBoth(containerd: Containerd, namespace: string, images: Image[]): Promise<void> {
  const checked = await checkWithCtr(containerd, namespace);
  assertEquals([...checked.keys()].sort(), images.map(({ name }) => name).sort());
  assert([...checked.values()].every((status) => status.startsWith("complete")), [...checked].join("\n"));
}

async function targets(containerd: Containerd, namespace: string): Promise<Map<string, string>> {
  await using client = await connect({ address: containerd.address });
  const images = await Array.fromAsync(client.namespace(namespace).images.list());
  return new Map(images.map(({ name, target }) => [name, target.digest]));
}

function nameIn(request: unknown): string {
  return (request as { name: string }).name;
}
