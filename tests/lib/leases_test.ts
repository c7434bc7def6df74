import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AlreadyExistsError, NotFoundError, UnimplementedError } from "../../lib/errors.ts";
import { digestOf } from "../../lib/oci/descriptor.ts";
import { realTest } from "../real/test.ts";
import { clientOver, serviceTest } from "./both_transports.ts";
import { hostileNames } from "./hostile.ts";

const hourMs = 3_600_000;

serviceTest("leases.create() makes what list() and ctr show", async ({ namespaced, containerd }) => {
  const { leases, name: namespace } = namespaced;
  const began = Date.now();
  const created = await leases.create({ id: "l", labels: { owner: "test" } });
  assertEquals([created.id, created.labels], ["l", { owner: "test" }]);
  assert(created.createdAt.getTime() >= began && created.createdAt.getTime() <= Date.now());
  assertEquals(await Array.fromAsync(leases.list()), [created]);
  const inCtr = await containerd?.ctr(["leases", "list", "--quiet"], { namespace });
  if (inCtr) assertEquals(inCtr.stdout, "l\n");
  await leases.delete("l");
  assertEquals(await Array.fromAsync(leases.list()), []);
});

serviceTest(
  "leases.create() writes an expiry that containerd understands",
  async ({ namespaced: { leases } }) => {
    const { labels } = await leases.create({ id: "later", labels: { owner: "test" }, expiresInMs: hourMs });
    const { owner, "containerd.io/gc.expire": expiry } = labels;
    assertEquals(owner, "test");
    assertMatch(expiry!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert(Math.abs(Date.parse(expiry!) - Date.now() - hourMs) < 10_000, expiry);
    await leases.create({ id: "past", expiresInMs: -1_000 });
    await leases.collectGarbage();
    assertEquals((await Array.fromAsync(leases.list())).map(({ id }) => id), ["later"]);
  },
);

serviceTest(
  "leases.collectGarbage() takes what nothing holds, and leaves no lease",
  async ({ namespaced }) => {
    const { leases, content } = namespaced;
    const bytes = new TextEncoder().encode(`garbage of ${namespaced.name}`);
    const target = { digest: await digestOf(bytes), size: bytes.length };
    await leases.create({ id: "holder" });
    await namespaced.withLease("holder").content.write(target, () => one(bytes));
    await leases.collectGarbage();
    assert(await content.find(target.digest));
    await leases.deleteResource("holder", { type: "content", id: target.digest });
    await leases.collectGarbage();
    assertEquals(await content.find(target.digest), undefined);
    assertEquals((await Array.fromAsync(leases.list())).map(({ id }) => id), ["holder"]);
  },
);

serviceTest("leases.delete() with sync waits until what only it held is gone", async ({ namespaced }) => {
  const bytes = new TextEncoder().encode(`held in ${namespaced.name}`);
  const target = { digest: await digestOf(bytes), size: bytes.length };
  await namespaced.leases.create({ id: "l" });
  await namespaced.withLease("l").content.write(target, () => one(bytes));
  await namespaced.leases.delete("l", { sync: true });
  assertEquals(await namespaced.content.find(target.digest), undefined);
});

serviceTest("leases: resources are added, listed and taken out", async ({ namespaced: { leases } }) => {
  const resources = [
    { type: "content", id: `sha256:${"7".repeat(64)}` },
    { type: "snapshots/overlayfs", id: "some key" },
  ];
  await leases.create({ id: "l" });
  for (const resource of resources) await leases.addResource("l", resource);
  await leases.addResource("l", resources[0]!);
  assertEquals(await Array.fromAsync(leases.listResources("l")), resources);
  await leases.deleteResource("l", resources[0]!);
  assertEquals(await Array.fromAsync(leases.listResources("l")), [resources[1]]);
  const unknown = { type: "nonsense", id: "x" };
  await assertRejects(() => leases.addResource("l", unknown), UnimplementedError, "resource type nonsense");
});

serviceTest("leases: what is missing or there already is an error of its own", async ({ namespaced }) => {
  const { leases, name: namespace } = namespaced;
  await leases.create({ id: "l" });
  const there = await assertRejects(() => leases.create({ id: "l" }), AlreadyExistsError);
  assertEquals(there.message, `Cannot create lease "l" in namespace "${namespace}": already exists`);
  const resource = { type: "content", id: `sha256:${"7".repeat(64)}` };
  const calls = {
    "delete": () => leases.delete("x"),
    "list the resources of": () => Array.fromAsync(leases.listResources("x")),
    "add a resource to": () => leases.addResource("x", resource),
    "take a resource from": () => leases.deleteResource("x", resource),
  };
  for (const [action, call] of Object.entries<() => Promise<unknown>>(calls)) {
    const { message } = await assertRejects(call, NotFoundError);
    assertEquals(message, `Cannot ${action} lease "x" in namespace "${namespace}": not found`);
  }
});

serviceTest("leases: ids are taken as they are", async ({ namespaced: { leases } }) => {
  for (const id of hostileNames) await leases.create({ id });
  const ids = (await Array.fromAsync(leases.list())).map(({ id }) => id);
  assertEquals(ids.sort(), [...hostileNames].sort());
  for (const id of hostileNames) await leases.delete(id);
  assertEquals(await Array.fromAsync(leases.list()), []);
});

serviceTest(
  "withLease() has containerd hold what is written, and fails for a lease that is not there",
  async ({ namespaced }) => {
    const bytes = new TextEncoder().encode(`leased in ${namespaced.name}`);
    const target = { digest: await digestOf(bytes), size: bytes.length };
    await namespaced.leases.create({ id: "l" });
    await namespaced.withLease("l").content.write(target, () => one(bytes));
    const held = await Array.fromAsync(namespaced.leases.listResources("l"));
    assertEquals(held.filter(({ type }) => type === "content").map(({ id }) => id), [target.digest]);
    const { content } = namespaced.withLease("no such lease");
    await assertRejects(
      () => content.write({ ...target, ref: "other" }, () => one(bytes)),
      NotFoundError,
      "lease",
    );
  },
);

serviceTest("leases.acquire() gives a lease that ends with its scope", async ({ namespaced: { leases } }) => {
  {
    await using lease = await leases.acquire({ prefix: "davit-test", labels: { owner: "test" } });
    assertMatch(lease.id, /^davit-test-[0-9a-f-]{36}$/);
    const expiry = Date.parse(lease.labels["containerd.io/gc.expire"]!);
    assert(Math.abs(expiry - Date.now() - 24 * hourMs) < 10_000);
    assertEquals((await Array.fromAsync(leases.list())).map(({ id }) => id), [lease.id]);
  }
  assertEquals(await Array.fromAsync(leases.list()), []);
  {
    await using lease = await leases.acquire({ prefix: "davit-test" });
    await leases.delete(lease.id); // somebody else was faster
  }
});

realTest(
  "a lease that cannot be deleted when its scope ends does not fail what was done",
  async (_, containerd) => {
    await using client = await clientOver("http2", containerd.address);
    const { leases } = client.namespace("n");
    {
      await using _lease = await leases.acquire({ prefix: "davit-test" });
      await containerd.stop();
    }
    await containerd.restart();
    assertEquals((await Array.fromAsync(leases.list())).length, 1);
  },
  { fresh: true },
);

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
