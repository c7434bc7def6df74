import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  checkImage,
  copyImages,
  DeadlineExceededError,
  InvalidArgumentError,
  NotFoundError,
  OutcomeUnknownError,
  UnavailableError,
  UnimplementedError,
} from "davit";
import { InMemoryContainerd } from "davit/testing";
import { someImage } from "../some_image.ts";

const namespaces = { default: { images: [{ name: "example.com/a:1" }, { name: "example.com/a:2" }] } };

Deno.test("fixtures become complete images that survive a garbage collection", async () => {
  const containerd = new InMemoryContainerd({
    namespaces: {
      build: {
        labels: { team: "deck" },
        images: [
          { name: "example.com/one:1", layers: ["base", "one"], labels: { l: "1" } },
          { name: "example.com/two:1", layers: ["base", "two"], createdAt: "2026-01-02T03:04:05Z" },
          { name: "example.com/index:1", platforms: ["linux/amd64", "linux/arm64/v8"] },
        ],
        leases: [{ id: "somebody's", labels: { owner: "a" }, content: [`sha256:${"a".repeat(64)}`] }],
      },
    },
  });
  await using client = containerd.client();
  const { images, leases, content, ...build } = client.namespace("build");
  await leases.collectGarbage();
  assertEquals(await client.namespaces.get("build"), { name: "build", labels: { team: "deck" } });
  const blobs: Record<string, number> = {};
  for await (const image of images.list()) {
    const check = await checkImage(client.namespace("build"), image, { platforms: ["linux/amd64"] });
    assertEquals([check.status, check.missing], ["complete", []], image.name);
    blobs[image.name] = check.present;
  }
  assertEquals(Object.keys(blobs), ["example.com/index:1", "example.com/one:1", "example.com/two:1"]);
  assertEquals((await images.get("example.com/one:1")).labels, { l: "1" });
  assertEquals((await images.get("example.com/two:1")).createdAt, new Date("2026-01-02T03:04:05Z"));
  // Three layers, one of them shared, two manifests and configs; an index, two manifests and configs, one layer.
  assertEquals((await Array.fromAsync(content.list())).length, 3 + 4 + 6);
  const [lease] = await Array.fromAsync(leases.list());
  assertEquals([lease?.id, lease?.labels, build.name], ["somebody's", { owner: "a" }, "build"]);
  assertEquals((await Array.fromAsync(leases.listResources("somebody's"))).length, 1);
});

Deno.test("fixtures with a name that containerd does not take are refused", () => {
  let message = "";
  try {
    new InMemoryContainerd({ namespaces: { "no..good": {} } });
  } catch (error) {
    message = String(error);
  }
  assertStringIncludes(message, 'identifier "no..good" must match');
});

Deno.test("fail() loses the answer of the nth call, with or without its effect", async () => {
  for (const applied of [false, true]) {
    const containerd = new InMemoryContainerd();
    await using client = containerd.client();
    const { images } = client.namespace("default");
    containerd.fail({ method: "Images/Create", nth: 2, applied });
    await images.create(someImage("a"));
    const error = await assertRejects(() => images.create(someImage("b")), OutcomeUnknownError);
    assertStringIncludes(error.message, 'Cannot create image "b" in namespace "default": outcome unknown');
    await images.create(someImage("c"));
    const names = await Array.fromAsync(images.list(), ({ name }) => name);
    assertEquals(names, applied ? ["a", "b", "c"] : ["a", "c"]);
  }
});

Deno.test("fail() answers with a status of choice, to any method without one", async () => {
  const containerd = new InMemoryContainerd({ namespaces });
  await using client = containerd.client();
  const error = { code: "invalid_argument", message: "not today" } as const;
  containerd.fail({ error });
  await assertRejects(() => client.introspection.version(), InvalidArgumentError, "not today");
  await client.introspection.version();
});

Deno.test("fail() cuts a stream that reads and one that writes", async () => {
  const containerd = new InMemoryContainerd({ namespaces });
  await using client = containerd.client();
  const { content, images } = client.namespace("default");
  const { target } = await images.get("example.com/a:1");
  for (const applied of [false, true]) {
    containerd.fail({ method: "Content/Read", applied });
    await assertRejects(() => content.readSmall(target), UnavailableError, "connection lost");
  }
  containerd.fail({ method: "Content/Write", applied: true });
  const other = client.namespace("other");
  await assertRejects(() => other.content.share(target), OutcomeUnknownError);
  assert(await other.content.find(target.digest));
});

Deno.test("copyImages() settles what a lost answer leaves open, wherever it is lost", async () => {
  const methods = ["Leases/Create", "Content/Write", "Images/Create", "Leases/Delete"];
  for (const method of methods) {
    for (const applied of [true, false]) {
      const containerd = new InMemoryContainerd({ namespaces });
      await using client = containerd.client();
      containerd.fail({ method, applied });
      const request = { from: "default", to: ["k8s.io"] };
      await Array.fromAsync(copyImages(client, request)).catch(() => {});
      await Array.fromAsync(copyImages(client, request));
      const target = client.namespace("k8s.io");
      const images = await Array.fromAsync(target.images.list());
      assertEquals(images.map(({ name }) => name), ["example.com/a:1", "example.com/a:2"], method);
      for (const image of images) {
        assertEquals((await checkImage(target, image)).status, "complete", `${method}, ${applied}`);
      }
    }
  }
});

Deno.test("a call ends with its deadline or its signal, and late ones with the client", async () => {
  const containerd = new InMemoryContainerd({ delayMs: 60_000 });
  const client = containerd.client();
  await assertRejects(() => client.introspection.version({ timeoutMs: 5 }), DeadlineExceededError, "5 ms");
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  assertEquals(await assertRejects(() => client.introspection.version({ signal })), reason);
  const waiting = client.introspection.version();
  await containerd[Symbol.asyncDispose]();
  await assertRejects(() => waiting, DOMException, "closed");
});

Deno.test("answers are copies: what a caller does to them changes nothing", async () => {
  const containerd = new InMemoryContainerd({ namespaces: { default: { labels: { a: "1" } } } });
  await using client = containerd.client();
  const labels = { b: "1" };
  const { images } = client.namespace("default");
  await images.create({ ...someImage("a"), labels });
  labels.b = "changed";
  (await client.namespaces.get("default")).labels.a = "changed";
  (await images.get("a")).labels.b = "changed";
  assertEquals((await client.namespaces.get("default")).labels, { a: "1" });
  assertEquals((await images.get("a")).labels, { b: "1" });
});

Deno.test("filters that it does not know are refused and never ignored", async () => {
  const containerd = new InMemoryContainerd({ namespaces });
  await using client = containerd.client();
  const { images } = client.namespace("default");
  const matching = (...filters: string[]) => Array.fromAsync(images.list({ filters }), ({ name }) => name);
  assertEquals(await matching("name!=example.com/a:1"), ["example.com/a:2"]);
  assertEquals(await matching("name==example.com/a:1,labels.x"), []);
  await assertRejects(() => matching("name~=a"), UnimplementedError, "is not supported here");
  await assertRejects(() => matching("name="), InvalidArgumentError);
  await assertRejects(() => matching("name==a,,name==b"), InvalidArgumentError);
});

Deno.test("reading makes no namespace, and one that cannot be is refused", async () => {
  const containerd = new InMemoryContainerd();
  await using client = containerd.client();
  const { images, content, containers, tasks, ...rest } = client.namespace("new");
  for (const { list } of [{ list: images.list() }, { list: content.list() }]) {
    assertEquals(await Array.fromAsync<unknown>(list), []);
  }
  assertEquals(await Array.fromAsync(containers.list()), []);
  assertEquals(await Array.fromAsync(tasks.list()), []);
  await assertRejects(() => images.get("a"), NotFoundError);
  assertEquals([await client.namespaces.exists("new"), rest.name], [false, "new"]);
  const bad = client.namespace("no..good").images;
  await assertRejects(() => Array.fromAsync(bad.list()), InvalidArgumentError, "namespace validation");
  const snapshots = client.namespace("new").snapshots("overlayfs");
  assertEquals(await Array.fromAsync(snapshots.list()), []);
  const none = client.namespace("new").snapshots("bogus");
  await assertRejects(() => Array.fromAsync(none.list()), InvalidArgumentError, "bogus");
});

Deno.test("a lease that is flat holds no more than it names", async () => {
  const containerd = new InMemoryContainerd({ namespaces });
  await using client = containerd.client();
  const { images, content, leases } = client.namespace("default");
  for (
    const [name, labels, left] of [["example.com/a:1", {}, 3], ["example.com/a:2", {
      "containerd.io/gc.flat": "1",
    }, 1]] as const
  ) {
    const { target } = await images.get(name);
    await leases.create({ id: "l", labels });
    await leases.addResource("l", { type: "content", id: target.digest });
    for await (const image of images.list()) if (image.name === name) await images.delete(name);
    await leases.collectGarbage();
    const rest = (await Array.fromAsync(images.list())).length * 3;
    assertEquals((await Array.fromAsync(content.list())).length - rest, left, name);
    await leases.delete("l", { sync: true });
  }
});
