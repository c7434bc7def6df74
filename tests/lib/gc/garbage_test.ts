import { assertEquals, assertMatch } from "@std/assert";
import {
  abortStale,
  connect,
  executeCollection,
  garbageOf,
  judgeLeases,
  type NamespacedClient,
  planCollection,
  ReferenceGraph,
  staleIngests,
} from "davit";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { randomBlob } from "../some_blob.ts";

const createdAt = new Date(0);

Deno.test("garbageOf() says what refers to garbage, if anything does", () => {
  const node = (id: string, references: string[]) => ({
    kind: "content" as const,
    id,
    size: 1,
    createdAt,
    references,
  });
  const nodes = new Map([["kept", node("kept", [])], ["top", node("top", ["below"])], [
    "below",
    node("below", []),
  ]]);
  const roots = [{ kind: "image" as const, name: "x", references: ["kept"], flat: false }];
  assertEquals(garbageOf(new ReferenceGraph("n", { nodes, roots })).map(({ id, reason }) => [id, reason]), [
    ["top", "nothing refers to it"],
    ["below", "only content top refers to it, which nothing keeps"],
  ]);
});

realTest(
  "executeCollection() removes what was planned, once, and frees what was announced",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    await using client = await connect({ address: containerd.address });
    const inside = client.namespace(namespace);
    const { content, leases } = inside;
    const snapshots = inside.snapshots("overlayfs");
    const [kept, lost] = [await randomBlob(3_000), await randomBlob(7_000)];
    const labels = { "containerd.io/gc.root": "x" };
    await content.ingest({ ref: "kept", labels }, ReadableStream.from([kept.bytes]));
    await content.ingest({ ref: "lost", labels }, ReadableStream.from([lost.bytes]));
    await snapshots.prepare({ key: "orphan", labels });
    await content.update(lost.digest, { labels: { "containerd.io/gc.root": "" } });
    await snapshots.update("orphan", { labels: { "containerd.io/gc.root": "" } });

    const plan = await planCollection(client);
    assertEquals(plan.garbage.map(({ namespace, kind, id, reason }) => [namespace, kind, id, reason]), [
      [namespace, "content", lost.digest, "nothing refers to it"],
      [namespace, "snapshot", "overlayfs/orphan", "nothing refers to it"],
    ]);
    assertEquals([plan.freed.blobs, plan.freed.contentBytes, plan.freed.snapshots], [1, 7_000, 1]);
    // Somebody takes the snapshot up before the collection.
    await leases.create({ id: "late" });
    await leases.addResource("late", { id: "orphan", type: "snapshots/overlayfs" });
    const results = await Array.fromAsync(executeCollection(client, plan.garbage));
    assertEquals(results.map(({ kind, status }) => [kind, status]), [["content", "removed"], [
      "snapshot",
      "kept",
    ]]);
    assertEquals(await Array.fromAsync(content.list(), ({ digest }) => digest), [kept.digest]);
    assertEquals((await planCollection(client)).garbage, []);
    await leases.delete("late");
  },
  { fresh: true, collecting: "on request" },
);

realTest(
  "staleIngests() leaves out what is being written, and names the lease that holds one",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const inside = client.namespace(uniqueNamespace());
    await inside.leases.create({ id: "mine" });
    await using _writing = await halfWritten(inside.withLease("mine"), "held");
    await using _other = await halfWritten(inside, "free");
    assertEquals(await staleIngests(inside, { olderThanMs: 60_000 }), []);
    const stale = await staleIngests(inside, { olderThanMs: 0 });
    assertEquals(stale.map(({ ref, lease }) => [ref, lease]).sort(), [["free", undefined], ["held", "mine"]]);
    const free = stale.find(({ ref }) => ref === "free")!;
    assertEquals(await abortStale(inside, { ...free, updatedAt: new Date(0) }), false);
    assertEquals(await abortStale(inside, free), true);
    assertEquals(await abortStale(inside, free), true, "gone is gone");
    assertEquals(await Array.fromAsync(inside.content.listStatuses(), ({ ref }) => ref), ["held"]);
  },
);

realTest("judgeLeases() lets those go that expired or whose davit died", async (_t, containerd) => {
  await using client = await connect({
    address: containerd.address,
    owner: () => Promise.resolve({ pid: 4711, machineId: "here" }),
  });
  const inside = client.namespace(uniqueNamespace());
  await inside.leases.create({ id: "foreign" });
  await inside.leases.create({ id: "over", expiresInMs: -60_000 });
  await inside.leases.create({ id: "mute", labels: { "davit/operation": "x" } });
  await using own = await inside.leases.acquire({ prefix: "davit-test" });
  const judge = async (alive: boolean | undefined) =>
    Object.fromEntries(
      (await judgeLeases(inside, { isAlive: () => Promise.resolve(alive) })).map((
        { id, action, reason },
      ) => [id, `${action}: ${reason}`]),
    );
  const others = {
    foreign: "keep: somebody else holds it",
    mute: "keep: it does not say who holds it",
    over: "remove: it has expired",
  };
  assertEquals(await judge(false), { ...others, [own.id]: "remove: process 4711, which held it, is dead" });
  assertEquals(await judge(true), { ...others, [own.id]: "keep: process 4711 holds it" });
  assertMatch((await judge(undefined))[own.id]!, /^keep: whether process 4711 still runs cannot be told/);
}, { series: ["2"], collecting: "on request" });

/** A write that is not over before it is disposed. */
async function halfWritten({ content }: NamespacedClient, ref: string): Promise<AsyncDisposable> {
  const gate = Promise.withResolvers<void>();
  const source = async function* () {
    yield new Uint8Array(1 << 20);
    await gate.promise;
    throw new Error("enough");
  };
  const writing = content.ingest({ ref, size: 2 << 20 }, source()).catch(() => {});
  const isThere = async () =>
    (await Array.fromAsync(content.listStatuses())).some((status) => status.ref === ref && status.offset > 0);
  while (!await isThere()) await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    [Symbol.asyncDispose]: async () => {
      gate.resolve();
      await writing;
    },
  };
}
