import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from "../../lib/errors.ts";
import { equals } from "../../lib/filters.ts";
import { quoted } from "../../lib/oci/quoted.ts";
import { digestOf } from "../../lib/oci/descriptor.ts";
import { serviceTest } from "./both_transports.ts";
import { hostileNames } from "./hostile.ts";
import { someImage, someTarget } from "./some_image.ts";

serviceTest("images.create() makes what list(), get() and ctr show", async ({ namespaced, containerd }) => {
  const { images, name: namespace } = namespaced;
  const target = { ...someTarget, annotations: { "org.example/note": "é %41 \n" } };
  const began = Date.now();
  const created = await images.create({ name: "example.com/a:1", target, labels: { team: "deck" } });
  assertEquals(created.target, target);
  assertEquals(created.labels, { team: "deck" });
  for (const instant of [created.createdAt, created.updatedAt]) {
    assert(instant.getTime() >= began && instant.getTime() <= Date.now(), instant.toISOString());
  }
  await images.create(someImage("example.com/0:1"));
  assertEquals(await images.get("example.com/a:1"), created);
  const listed = await Array.fromAsync(images.list());
  assertEquals(listed.map(({ name }) => name), ["example.com/0:1", "example.com/a:1"]);
  assertEquals(listed[1], created);
  assertEquals(listed[0]?.target, someTarget);
  const inCtr = await containerd?.ctr(["images", "list", "--quiet"], { namespace });
  if (inCtr) assertEquals(inCtr.stdout, "example.com/0:1\nexample.com/a:1\n");
});

serviceTest("images.list() shows what matches any of the filters", async ({ namespaced: { images } }) => {
  for (const name of ["a", "b", "c"]) await images.create({ ...someImage(name), labels: { l: name } });
  const filters = ["name==a", "labels.l==c"];
  assertEquals((await Array.fromAsync(images.list({ filters }))).map(({ name }) => name), ["a", "c"]);
  const broken = images.list({ filters: ["name=="] });
  const error = await assertRejects(() => Array.fromAsync(broken), InvalidArgumentError);
  assertStringIncludes(error.message, "Cannot list images in namespace");
});

serviceTest("images.update() changes what is named and nothing else", async ({ namespaced: { images } }) => {
  const other = { ...someTarget, digest: `sha256:${"6".repeat(64)}` };
  const image = { ...someImage("a"), labels: { kept: "1", changed: "1", removed: "1" } };
  const { createdAt } = await images.create(image);
  const labels = { kept: "1", changed: "2", added: "1" };
  const labelled = await images.update({ name: "a", labels: { changed: "2", removed: "", added: "1" } });
  assertEquals([labelled.target, labelled.labels], [someTarget, labels]);
  const moved = await images.update({ name: "a", target: other });
  assertEquals([moved.target, moved.labels], [other, labels]);
  const both = await images.update({ name: "a", target: someTarget, labels: { added: "" } });
  assertEquals([both.target, both.labels], [someTarget, { kept: "1", changed: "2" }]);
  assertEquals(both.createdAt, createdAt);
  assertEquals(await images.update({ name: "a" }), both);
  assertEquals(await images.get("a"), both);
});

serviceTest("images.delete() with sync waits until the content is gone", async ({ namespaced }) => {
  const bytes = new TextEncoder().encode(`{"namespace":"${namespaced.name}"}`);
  const target = { ...someTarget, digest: await digestOf(bytes), size: bytes.length };
  await using lease = await namespaced.leases.acquire({ prefix: "test" });
  await namespaced.withLease(lease.id).content.write(target, () => one(bytes));
  await namespaced.images.create({ name: "a", target });
  await lease[Symbol.asyncDispose]();
  await namespaced.leases.collectGarbage();
  assert(await namespaced.content.find(target.digest));
  await namespaced.images.delete("a", { sync: true });
  assertEquals(await namespaced.content.find(target.digest), undefined);
});

serviceTest(
  "images.delete() with a target spares an image that points elsewhere",
  async ({ namespaced: { images } }) => {
    await images.create(someImage("a"));
    const target = { ...someTarget, digest: `sha256:${"6".repeat(64)}` };
    await assertRejects(() => images.delete("a", { target }), NotFoundError);
    await images.get("a");
    await images.delete("a", { target: someTarget });
    await assertRejects(() => images.get("a"), NotFoundError);
  },
  { series: ["2"] },
);

serviceTest("images: what is missing or there already is an error of its own", async ({ namespaced }) => {
  const { images, name: namespace } = namespaced;
  await images.create(someImage("there"));
  const there = await assertRejects(() => images.create(someImage("there")), AlreadyExistsError);
  assertEquals(there.message, `Cannot create image "there" in namespace "${namespace}": already exists`);
  assertEquals([there.code, there.outcome], ["already_exists", "refused"]);
  const calls = {
    get: () => images.get("x"),
    delete: () => images.delete("x"),
    update: () => images.update(someImage("x")),
  };
  for (const [action, call] of Object.entries(calls)) {
    const { message, details } = await assertRejects(call, NotFoundError);
    assertEquals(message, `Cannot ${action} image "x" in namespace "${namespace}": not found`);
    const method = `containerd.services.images.v1.Images/${action[0]!.toUpperCase()}${action.slice(1)}`;
    assertEquals(details, {
      code: "not_found",
      reason: "not found",
      outcome: "refused",
      action,
      resource: 'image "x"',
      namespace,
      method,
    });
  }
});

serviceTest(
  "images.create() gives containerd's reason for what it refuses",
  async ({ namespaced: { images } }) => {
    await assertRejects(() => images.create(someImage("")), InvalidArgumentError, "Image.Name required");
    const target = { ...someTarget, digest: "zz" };
    await assertRejects(
      () => images.create({ name: "a", target }),
      InvalidArgumentError,
      'Target.Digest "zz" invalid',
    );
    // The reason comes percent-encoded in a header.
    const labels = { "kłucz%41\n\x1b": "x".repeat(4096) };
    const error = await assertRejects(
      () => images.create({ ...someImage("a"), labels }),
      InvalidArgumentError,
    );
    assertStringIncludes(error.message, "kłucz%");
    // deno-lint-ignore no-control-regex -- that is the point
    assert(!/[\x00-\x1f]/.test(error.message), JSON.stringify(error.message));
    assertEquals(await Array.fromAsync(images.list()), []);
  },
);

serviceTest("images: names are taken as they are, and escaped in messages", async ({ namespaced }) => {
  const { images, name: namespace } = namespaced;
  for (const name of hostileNames) {
    await images.create(someImage(name));
    assertEquals((await images.get(name)).name, name);
    const filtered = await Array.fromAsync(images.list({ filters: [equals("name", name)] }));
    assertEquals(filtered.map(({ name }) => name), [name]);
  }
  assertEquals(
    (await Array.fromAsync(images.list())).map(({ name }) => name).sort(),
    [...hostileNames].sort(),
  );
  for (const name of hostileNames) {
    await images.delete(name);
    const error = await assertRejects(() => images.delete(name), NotFoundError);
    assertEquals(error.message, `Cannot delete image ${quoted(name)} in namespace "${namespace}": not found`);
  }
  assertEquals(await Array.fromAsync(images.list()), []);
});

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
