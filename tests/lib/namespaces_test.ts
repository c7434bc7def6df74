import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  AlreadyExistsError,
  ContainerdError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from "../../lib/errors.ts";
import type { Containerd } from "../real/containerd.ts";
import { uniqueNamespace } from "../real/test.ts";
import { serviceTest } from "./both_transports.ts";
import { hostileNames } from "./hostile.ts";
import { someImage } from "./some_image.ts";

serviceTest("namespaces.create() makes what list(), get() and ctr show", async ({ client, containerd }) => {
  const { namespaces } = client;
  const name = uniqueNamespace();
  const created = await namespaces.create(name, { labels: { team: "deck", "a.b/c": "d" } });
  assertEquals(created, { name, labels: { team: "deck", "a.b/c": "d" } });
  assertEquals(await namespaces.get(name), created);
  assert(await namespaces.exists(name));
  const listed = await Array.fromAsync(namespaces.list());
  assertEquals(listed.find((namespace) => namespace.name === name), created);
  assertEquals(listed.map(({ name }) => name), listed.map(({ name }) => name).sort());
  if (containerd) assertEquals(await labelsInCtr(containerd, name), "a.b/c=d,team=deck");
});

serviceTest("namespaces.update() changes the labels named and no others", async ({ client, containerd }) => {
  const { namespaces } = client;
  const name = uniqueNamespace();
  await namespaces.create(name, { labels: { kept: "1", changed: "1", "re.mo/ved": "1" } });
  const updated = await namespaces.update(name, {
    labels: { changed: "2", "re.mo/ved": "", "ad.d/ed": "1" },
  });
  assertEquals(updated, { name, labels: { kept: "1", changed: "2", "ad.d/ed": "1" } });
  if (containerd) assertEquals(await labelsInCtr(containerd, name), "ad.d/ed=1,changed=2,kept=1");
  assertEquals(await namespaces.update(name, { labels: {} }), updated);
  assertEquals(await namespaces.get(name), updated);
});

serviceTest("namespaces.update() does not create a namespace", async ({ client }) => {
  const { namespaces } = client;
  const name = uniqueNamespace();
  await assertRejects(() => namespaces.update(name, { labels: { a: "b" } }), NotFoundError);
  assertEquals(await namespaces.exists(name), false);
});

serviceTest("namespaces.delete() removes an empty namespace", async ({ client, containerd }) => {
  const { namespaces } = client;
  const name = uniqueNamespace();
  await namespaces.create(name);
  await namespaces.delete(name);
  assertEquals(await namespaces.exists(name), false);
  if (containerd) assertEquals(await labelsInCtr(containerd, name), undefined);
});

serviceTest(
  "namespaces.delete() refuses one that holds something, and says what",
  async ({ client, namespaced }) => {
    const { name } = namespaced;
    await namespaced.images.create(someImage("example.com/a:1"));
    const error = await assertRejects(() => client.namespaces.delete(name), FailedPreconditionError);
    assertEquals(error.code, "failed_precondition");
    assertEquals(error.outcome, "refused");
    assertStringIncludes(error.message, `Cannot delete namespace "${name}": `);
    assertStringIncludes(error.message, "must be empty, but it still has images");
    assert(await client.namespaces.exists(name));
  },
);

serviceTest("namespaces: what is missing or there already is an error of its own", async ({ client }) => {
  const { namespaces } = client;
  const name = uniqueNamespace();
  for (const call of [() => namespaces.get(name), () => namespaces.delete(name)]) {
    const error = await assertRejects(call, NotFoundError);
    assertEquals([error.code, error.outcome, error.reason], ["not_found", "refused", "not found"]);
  }
  await namespaces.create(name);
  const error = await assertRejects(() => namespaces.create(name), AlreadyExistsError);
  assertEquals(error.message, `Cannot create namespace "${name}": already exists`);
  assertEquals(error.method, "containerd.services.namespaces.v1.Namespaces/Create");
  assertEquals(error.namespace, undefined);
});

serviceTest("namespaces.create() leaves nothing behind when containerd refuses", async ({ client }) => {
  const { namespaces } = client;
  const before = await Array.fromAsync(namespaces.list());
  const names = ["", "-a", "a..b", "a-", "a b", " a", "a ", ...hostileNames];
  for (const name of names) {
    const error = await assertRejects(() => namespaces.create(name), InvalidArgumentError);
    assertEquals(error.outcome, "refused", JSON.stringify(name));
    // deno-lint-ignore no-control-regex -- that is the point
    assert(!/[\x00-\x1f\x7f-\x9f\u202e]/.test(error.message), JSON.stringify(error.message));
  }
  const labels = { "too.long": "x".repeat(4096) };
  await assertRejects(
    () => namespaces.create(uniqueNamespace(), { labels }),
    InvalidArgumentError,
    "too.long",
  );
  const reserved = await assertRejects(
    () => namespaces.create("version"),
    InvalidArgumentError,
    "containerd keeps this name for itself",
  );
  assertEquals(reserved.outcome, "refused");
  // containerd gives no code for this, so that a change cannot be excluded.
  await assertRejects(
    () => namespaces.create(uniqueNamespace(), { labels: { "": "a" } }),
    ContainerdError,
    "key",
  );
  assertEquals(await Array.fromAsync(namespaces.list()), before);
});

/** The labels of a namespace as ctr prints them, sorted; `undefined` when it does not list the namespace. */
async function labelsInCtr(containerd: Containerd, name: string): Promise<string | undefined> {
  const { stdout } = await containerd.ctr(["namespaces", "list"]);
  const row = stdout.split("\n").map((line) => line.split(/\s+/)).find(([first]) => first === name);
  return row?.[1]?.split(",").sort().join(",");
}
