import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  AlreadyExistsError,
  Client,
  type ContainerdError,
  copyImages,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  UnimplementedError,
} from "davit";
import { type Fixtures, InMemoryContainerd } from "davit/testing";
import { guarded, methodsByName, simulated, type Transport } from "../../../lib/host.ts";
import { uniqueNamespace } from "../../real/test.ts";
import { openOver, transportTest } from "../both_transports.ts";
import { leased, randomBlob } from "../some_blob.ts";
import { someImage } from "../some_image.ts";

const namespaces: Fixtures = {
  build: { images: [{ name: "example.com/a:1" }, { name: "example.com/b:1", layers: ["other"] }] },
  empty: { labels: { team: "deck" } },
};

/** A dry run on a containerd in memory, to which nothing may be written. */
function dryRun() {
  const containerd = new InMemoryContainerd({ namespaces });
  const changes: string[] = [];
  const ends: Error[] = [];
  const transport = simulated(readOnly(containerd), {
    change: (description) => changes.push(description),
    end: (error) => ends.push(error),
  });
  return { client: new Client(guarded(transport)), transport, real: containerd.client(), changes, ends };
}

function readOnly(inner: Transport): Transport {
  const check = ({ name, writes }: { name: string; writes: unknown }) => {
    if (writes !== undefined) throw new Error(`${name} was sent`);
  };
  return {
    unary(method, request, call) {
      check(method);
      return inner.unary(method, request, call);
    },
    stream(method, requests, call) {
      check(method);
      return inner.stream(method, requests, call);
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

Deno.test("simulated() sends no method that writes, and every other one", async () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const target = { digest, mediaType: "a", size: 1n };
  const request = {
    ...{ name: "example.com/a:1", id: "l", ref: "r", digest, snapshotter: "overlayfs" },
    ...{ namespace: { name: "n", labels: {} }, image: { name: "example.com/a:1", target, labels: {} } },
    ...{ info: { digest }, resource: { type: "content", id: digest }, type: "t", containerId: "c", key: "k" },
  };
  const outcomes = new Map<string, string>();
  for (const [name, method] of methodsByName) {
    const { transport, changes, ends } = dryRun();
    const call = { namespace: "build", action: "test" };
    const answers = method.kind === "unary"
      ? transport.unary(method, request, call)
      : Array.fromAsync(transport.stream(method, [request], call));
    const failed = await answers.then(() => undefined, (error: ContainerdError) => error);
    assert(!failed?.message.includes("was sent"), failed?.message);
    if (method.writes === undefined) assertEquals([changes, ends], [[], []], name);
    else outcomes.set(name.slice(name.lastIndexOf(".") + 1), changes[0] ?? failed!.message);
    assertEquals(ends.length, method.writes === "anything" || name.endsWith("/Write") ? 1 : 0, name);
  }
  const guesswork = (method: string) =>
    `Cannot simulate ${method} in namespace "build": what comes after it would be guesswork`;
  const others = [...outcomes.keys()].filter((name) => !/^(Namespaces|Images|Content|Leases)\//.test(name));
  const lacking = (what: string) => `Cannot test in namespace "build": ${what}: not found`;
  assertEquals(Object.fromEntries(outcomes), {
    "Namespaces/Create": 'create namespace "n"',
    "Namespaces/Update": 'label namespace "n"',
    "Namespaces/Delete": 'Cannot test: namespace "example.com/a:1": not found',
    "Images/Create": 'Cannot test in namespace "build": image "example.com/a:1": already exists',
    "Images/Update": 'replace image "example.com/a:1" in namespace "build"',
    "Images/Delete": 'delete image "example.com/a:1" in namespace "build"',
    "Content/Update": lacking(`content ${digest}`),
    "Content/Delete": lacking(`content ${digest}`),
    "Content/Write": guesswork("Content/Write"),
    "Content/Abort": lacking("reference r"),
    "Leases/Create": 'create lease "l" in namespace "build"',
    "Leases/Delete": lacking('lease "l"'),
    "Leases/AddResource": lacking('lease "l"'),
    "Leases/DeleteResource": lacking('lease "l"'),
    ...Object.fromEntries(others.map((name) => [name, guesswork(name)])),
  });
});

Deno.test("simulated() shows changes to later reads, and only to them", async () => {
  const { client, real, changes } = dryRun();
  const { images, content, leases } = client.namespace("build");
  const a = await images.get("example.com/a:1");
  await images.create({ name: "example.com/c:1", target: a.target });
  await images.update({ name: "example.com/b:1", labels: { l: "1" } });
  await images.delete("example.com/a:1");
  await content.update(a.target.digest, { labels: { l: "2" } });
  await leases.create({ id: "mine" });
  assertEquals(await Array.fromAsync(images.list(), ({ name, labels }) => [name, labels]), [
    ["example.com/b:1", { l: "1" }],
    ["example.com/c:1", {}],
  ]);
  assertEquals((await Array.fromAsync(images.list({ filters: ["labels.l==1"] }))).length, 1);
  assertEquals((await content.info(a.target.digest)).labels.l, "2");
  assertEquals((await content.readSmall(a.target)).length, a.target.size);
  assertEquals((await Array.fromAsync(leases.list())).map(({ id }) => id), ["mine"]);
  await assertRejects(() => images.delete("example.com/a:1"), NotFoundError);
  await assertRejects(() => images.create({ name: "example.com/c:1", target: a.target }), AlreadyExistsError);
  assertEquals(changes, [
    `create image "example.com/c:1" for ${a.target.digest} in namespace "build"`,
    'change labels.l of image "example.com/b:1" in namespace "build"',
    'delete image "example.com/a:1" in namespace "build"',
    `label content ${a.target.digest} in namespace "build"`,
    'create lease "mine" in namespace "build"',
  ]);
  const there = await Array.fromAsync(real.namespace("build").images.list(), ({ name }) => name);
  assertEquals(there, ["example.com/a:1", "example.com/b:1"]);
});

Deno.test("simulated() creates, fills and deletes namespaces as containerd would", async () => {
  const { client, real, changes } = dryRun();
  const names = () => Array.fromAsync(client.namespaces.list(), ({ name }) => name);
  await client.namespace("made").images.create(someImage("a"));
  await client.namespaces.update("empty", { labels: { team: "crane" } });
  assertEquals(await names(), ["build", "empty", "made"]);
  assertEquals((await client.namespaces.get("empty")).labels, { team: "crane" });
  await assertRejects(() => client.namespaces.delete("build"), FailedPreconditionError, "images, blobs");
  await assertRejects(() => client.namespace("no..good").images.create(someImage("a")), InvalidArgumentError);
  await client.namespaces.delete("empty");
  for await (const { name } of client.namespace("build").images.list()) {
    await client.namespace("build").images.delete(name, { sync: true });
  }
  assertEquals(await Array.fromAsync(client.namespace("build").content.list()), []);
  await client.namespaces.delete("build");
  assertEquals(await names(), ["made"]);
  assertEquals(changes.filter((change) => change.includes("delete namespace")), [
    'delete namespace "empty"',
    'delete namespace "build"',
  ]);
  assertEquals(await Array.fromAsync(real.namespaces.list(), ({ name }) => name), ["build", "empty"]);
});

Deno.test("copyImages() runs through in a simulation, where blobs can be shared", async () => {
  const { client, real, changes, ends } = dryRun();
  const results = await Array.fromAsync(copyImages(client, { from: "build", to: ["k8s.io"] }));
  assertEquals(results.map(({ status, bytesMoved }) => [status, bytesMoved]), [["copied", 0], ["copied", 0]]);
  const [image] = await Array.fromAsync(client.namespace("k8s.io").images.list());
  assertEquals(
    (await client.namespace("k8s.io").content.readSmall(image!.target)).length,
    image!.target.size,
  );
  assertEquals(changes.filter((change) => change.startsWith("share content")).length, 6);
  assertEquals([ends, await real.namespaces.exists("k8s.io")], [[], false]);
});

Deno.test("simulated() ends at bytes, which it would have to keep", async () => {
  const { client, ends } = dryRun();
  const { bytes, digest, size } = await randomBlob(10);
  const error = await assertRejects(
    () =>
      client.namespace("build").content.write({ digest, size }, async function* () {
        yield bytes;
      }),
    UnimplementedError,
  );
  assertStringIncludes(error.message, "Cannot simulate Content/Write");
  assertEquals(ends, [error]);
});

transportTest("simulated() finds on a containerd what a plan needs", async ({ containerd, over }) => {
  await using transport = guarded(await openOver(over, containerd.address));
  const client = new Client(transport);
  const namespaced = client.namespace(uniqueNamespace());
  await using held = await leased(namespaced);
  const { bytes, digest, size } = await randomBlob(1000);
  await held.content.write({ digest, size }, async function* () {
    yield bytes;
  });
  await namespaced.images.create({ name: "a", target: { mediaType: "application/x", digest, size } });
  const to = uniqueNamespace("to");
  const changes: string[] = [];
  const dry = new Client(simulated(transport, { change: (text) => changes.push(text), end() {} }));
  const target = dry.namespace(to);
  await target.leases.create({ id: "l" });
  assertEquals(await target.withLease("l").content.share({ digest, size }), "shared");
  assertEquals(await target.content.share({ digest, size }), "exists");
  assertEquals(await target.content.share({ digest: `sha256:${"b".repeat(64)}`, size }), "absent");
  assertEquals(await target.content.readSmall({ digest, size }), bytes);
  await dry.namespace(namespaced.name).images.delete("a");
  await assertRejects(() => dry.namespace(namespaced.name).images.get("a"), NotFoundError);
  await namespaced.images.get("a");
  assertEquals(await client.namespaces.exists(to), false);
  assertEquals(changes, [
    `create lease "l" in namespace "${to}"`,
    `share content ${digest} in namespace "${to}"`,
    `delete image "a" in namespace "${namespaced.name}"`,
  ]);
});
