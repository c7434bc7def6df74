import { assertEquals } from "@std/assert";
import type { LeaseOwner, Resource } from "davit";
import { ownerLabels } from "../../../lib/host.ts";
import { leaveToNext, takeOver } from "../../../lib/image/pull_leases.ts";
import { serviceTest } from "../both_transports.ts";

const owner: LeaseOwner = { pid: 7, startedAt: "70", pidNamespace: "pid:[1]", bootId: "b", machineId: "m" };
const [dead, alive] = [ownerLabels(owner), ownerLabels({ ...owner, pid: 8 })];
const pull = { "davit/operation": "images pull" };
const unpack = { "davit/operation": "images unpack" };

const [one, two, other] = ["1", "2", "3"].map((digit) => `sha256:${digit.repeat(64)}`) as [
  string,
  string,
  string,
];
const content = (id: string): Resource => ({ id, type: "content" });
const ingest = (digest: string): Resource => ({ id: `davit-${digest}`, type: "ingests" });
const snapshot: Resource = { id: "extract-1 sha256:9", type: "snapshots/overlayfs" };

serviceTest("takeOver() deletes the leases of dead pulls that hold nothing more", async ({ namespaced }) => {
  const { leases } = namespaced;
  const all: Record<string, { labels: Record<string, string>; holds: Resource[] }> = {
    ours: { labels: { ...pull, ...alive }, holds: [content(one), content(two)] },
    "dead pull": { labels: { ...pull, ...dead }, holds: [content(one), ingest(two)] },
    "dead unpack": { labels: { ...unpack, ...dead }, holds: [content(one), snapshot] },
    "dead, at once": { labels: { ...pull, ...dead }, holds: [] },
    "left by a living process": { labels: { ...pull, ...alive, "davit/left": "true" }, holds: [ingest(one)] },
    "dead, of another image": { labels: { ...pull, ...dead }, holds: [content(one), ingest(other)] },
    "alive": { labels: { ...pull, ...alive }, holds: [content(one)] },
    "nobody's": { labels: pull, holds: [content(one)] },
    "dead copy": { labels: { ...dead, "davit/operation": "images copy" }, holds: [content(one)] },
    "foreign": { labels: {}, holds: [content(one)] },
  };
  for (const [id, { labels, holds }] of Object.entries(all)) {
    await leases.create({ id, labels });
    for (const resource of holds) await leases.addResource(id, resource);
  }
  const ids = async () => (await Array.fromAsync(leases.list(), ({ id }) => id)).sort();
  const staying = ["alive", "dead copy", "dead, of another image", "foreign", "nobody's", "ours"];
  await takeOver(namespaced, { id: "ours" }, { isAlive: undefined });
  assertEquals(await ids(), [...staying, "dead pull", "dead unpack", "dead, at once"].sort());
  await takeOver(namespaced, { id: "ours" }, { isAlive: ({ pid }) => Promise.resolve(pid === 8) });
  assertEquals(await ids(), staying);
});

serviceTest("leaveToNext() hands on what a lease holds", async ({ namespaced }) => {
  const { leases } = namespaced;
  const holds = [content(one), ingest(two)];
  await using lease = await leases.acquire({ prefix: "test" });
  for (const resource of holds) await leases.addResource(lease.id, resource);
  assertEquals(await leaveToNext(namespaced, lease, {}), true);
  const left = (await Array.fromAsync(leases.list())).find(({ id }) => id !== lease.id)!;
  assertEquals(left.labels["davit/operation"], "images pull");
  const held = await Array.fromAsync(leases.listResources(left.id));
  assertEquals(
    held.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    holds.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  );
  assertEquals(await leaveToNext(namespaced, { id: "none" }, {}), false);
  await leases.delete(left.id);
});
