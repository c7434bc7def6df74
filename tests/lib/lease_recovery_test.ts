import { assertEquals } from "@std/assert";
import { connect, type LeaseOwner, type RecoveredLease, recoverLeases } from "davit";
import { ownerLabels } from "../../lib/host.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";
import { serviceTest } from "./both_transports.ts";

const owner: LeaseOwner = { pid: 7, startedAt: "70", pidNamespace: "pid:[1]", bootId: "b", machineId: "m" };

realTest(
  "leases.acquire() says in labels who holds the lease, also in other namespaces",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address, owner: () => Promise.resolve(owner) });
    const one = client.namespace(uniqueNamespace());
    for (const inside of [one, one.namespace(uniqueNamespace()), one.withLease("x")]) {
      await using lease = await inside.leases.acquire({ prefix: "test", labels: { a: "b" } });
      const { "containerd.io/gc.expire": _, ...labels } = lease.labels;
      assertEquals(labels, {
        a: "b",
        "davit/owner.pid": "7",
        "davit/owner.started-at": "70",
        "davit/owner.pid-namespace": "pid:[1]",
        "davit/owner.boot-id": "b",
        "davit/owner.machine-id": "m",
      });
    }
    await one.leases.create({ id: "by hand" });
    assertEquals((await Array.fromAsync(one.leases.list())).map(({ labels }) => labels), [{}]);
  },
  { series: ["2"] },
);

serviceTest("recoverLeases() deletes what dead owners hold, and nothing else", async ({ namespaced }) => {
  const { leases } = namespaced;
  const labelsOf = new Map<string, Record<string, string>>([
    ["alive", ownerLabels({ ...owner, pid: 1 })],
    ["dead", ownerLabels({ ...owner, pid: 2 })],
    ["dead too", { ...ownerLabels({ pid: 2 }), "davit/run": "1" }],
    ["foreign", { owner: "ci", "containerd.io/gc.expire": "2040-01-01T00:00:00Z" }],
    ["mute", { "davit/operation": "images copy" }],
    ["nonsense", { "davit/owner.pid": "-1" }],
    ["nowhere", ownerLabels({ ...owner, pid: 3 })],
  ]);
  for (const [id, labels] of labelsOf) await leases.create({ id, labels });
  const asked: LeaseOwner[] = [];
  const isAlive = (owner: LeaseOwner) => {
    asked.push(owner);
    return Promise.resolve(new Map([[1, true], [2, false]]).get(owner.pid));
  };
  const expected = [
    ["alive", 1, "alive", "process 1 holds it"],
    ["dead", 2, "removed", undefined],
    ["dead too", 2, "removed", undefined],
    ["mute", undefined, "unknown", "it does not say who holds it"],
    ["nonsense", undefined, "unknown", "it does not say who holds it"],
    ["nowhere", 3, "unknown", "whether process 3 still runs cannot be told"],
  ];
  const ids = async () => (await Array.fromAsync(leases.list())).map(({ id }) => id);
  assertEquals(rowsOf(await Array.fromAsync(recoverLeases(namespaced, { isAlive, dryRun: true }))), expected);
  assertEquals(await ids(), [...labelsOf.keys()]);
  assertEquals(rowsOf(await Array.fromAsync(recoverLeases(namespaced, { isAlive }))), expected);
  assertEquals(await ids(), ["alive", "foreign", "mute", "nonsense", "nowhere"]);
  assertEquals(asked[0], { ...owner, pid: 1 });
});

function rowsOf(leases: RecoveredLease[]): unknown[] {
  return leases.map(({ id, owner, status, reason }) => [id, owner?.pid, status, reason])
    .sort(([a], [b]) => (a! < b! ? -1 : 1));
}
