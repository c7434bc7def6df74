/** Operations over several services, which the in-memory containerd must carry through as daemons do. */
import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import {
  checkImage,
  copyImages,
  type CopyRequest,
  type CopyResult,
  FailedPreconditionError,
  foreseenResults,
  importImages,
  type NamespaceAccess,
  NotFoundError,
  planCopy,
  removeNamespace,
  tagImage,
} from "davit";
import {
  dockerArchive,
  type Image,
  manyImages,
  multiPlatformImage,
  nestedImage,
  ociArchive,
  randomImage,
  sparseImage,
} from "../../real/images.ts";
import { uniqueNamespace } from "../../real/test.ts";
import { serviceTest } from "../both_transports.ts";

serviceTest("importImages() imports both kinds of archives", async ({ namespaced }) => {
  const images = [await multiPlatformImage({ seed: 301 }), await randomImage({ seed: 302 })];
  const oci = await importImages(namespaced, ociArchive(images));
  assertEquals(
    oci.map(({ image, digest, status }) => [image, digest, status]).sort(),
    [
      ...images.map(({ name, target }) => [name, target.digest, "created"]),
    ].sort(),
  );
  const [docker] = await importImages(
    namespaced,
    dockerArchive([await randomImage({ seed: 303, name: "docker.io/library/a:1" })]),
  );
  assertEquals([docker?.image, docker?.status], ["docker.io/library/a:1", "created"]);
  await namespaced.leases.collectGarbage();
  for await (const image of namespaced.images.list()) {
    assertEquals((await checkImage(namespaced, image)).status, "complete", image.name);
  }
  assertEquals(await Array.fromAsync(namespaced.leases.list()), []);
  assertEquals(await Array.fromAsync(namespaced.content.listStatuses()), []);
});

serviceTest("copyImages() copies every platform without moving a byte", async ({ client, namespaced }) => {
  const images = [await multiPlatformImage({ seed: 311 }), await nestedImage({ seed: 312 })];
  await importImages(namespaced, ociArchive(images));
  const request = { from: namespaced.name, to: [uniqueNamespace("to"), uniqueNamespace("too")] };
  const foreseen = foreseenResults(await planCopy(client, request));
  const results = await copied(client, request);
  const facts = ({ image, to, status, bytesMoved }: CopyResult) => [image, to, status, bytesMoved];
  assertEquals(results.map(facts), foreseen.map(facts));
  for (const to of request.to) {
    await assertSame(client, { from: namespaced.name, to });
    assertEquals(await digestsIn(client, to), digestsOf(images));
  }
});

serviceTest("copyImages() sends the bytes where the policy is isolated", async ({ client, namespaced }) => {
  const image = await randomImage({ seed: 321, layerBytes: 3_000_000 });
  await importImages(namespaced, ociArchive([image]));
  const to = uniqueNamespace("to");
  const [result] = await copied(client, { from: namespaced.name, to: [to] });
  const size = [...image.blobs.values()].reduce((sum, { length }) => sum + length, 0);
  assertEquals([result?.status, result?.bytesMoved], ["copied", size]);
  await assertSame(client, { from: namespaced.name, to });
}, { policy: "isolated" });

serviceTest(
  "copyImages() copies what a sparse index has, and fails for what it lacks",
  async ({ client, namespaced }) => {
    const image = await sparseImage({ seed: 331 });
    await importImages(namespaced, ociArchive([image]));
    const to = uniqueNamespace("to");
    const [failed] = await copied(client, { from: namespaced.name, to: [to], platforms: ["linux/arm64"] });
    assertInstanceOf(failed?.error, NotFoundError);
    assertEquals(await client.namespaces.exists(to), false);
    const [result] = await copied(client, { from: namespaced.name, to: [to] });
    assertEquals([result?.status, result?.blobs], ["copied", image.blobs.size]);
    assertStringIncludes(result!.reason!, "1 of its platforms not complete");
  },
);

serviceTest("copyImages() repairs, updates, and then has nothing to do", async ({ client, namespaced }) => {
  const name = "example.com/moving:latest";
  const [before, now] = [await randomImage({ seed: 341, name }), await randomImage({ seed: 342, name })];
  const to = uniqueNamespace("to");
  const target = client.namespace(to);
  await importImages(target, ociArchive([before]));
  await importImages(namespaced, ociArchive([now]));
  const request = { from: namespaced.name, to: [to] };
  assertEquals((await copied(client, request)).map(({ status }) => status), ["updated"]);

  const { labels } = await target.content.info(now.target.digest);
  await target.content.update(now.target.digest, {
    labels: Object.fromEntries(Object.keys(labels).map((key) => [key, ""])),
  });
  await target.content.delete([...now.blobs.keys()][0]!);
  assertEquals((await copied(client, request)).map(({ status }) => status), ["repaired"]);
  await assertSame(client, { from: namespaced.name, to });
  assertEquals(await digestsIn(client, to), digestsOf([now]));
  const again = await copied(client, request);
  assertEquals(again.map(({ status, calls }) => [status, calls]), [["exists", 0]]);
});

serviceTest("copyImages() shares the layers of many images", async ({ client, namespaced }) => {
  const images = await manyImages({ count: 12, seed: 350 });
  await importImages(namespaced, ociArchive(images));
  const to = uniqueNamespace("to");
  const results = await copied(client, { from: namespaced.name, to: [to], exclude: ["**-00?:latest"] });
  assertEquals(results.map(({ image, status }) => [image, status]), [
    ["example.com/many/app-010:latest", "copied"],
    ["example.com/many/app-011:latest", "copied"],
  ]);
  assertEquals(await digestsIn(client, to), digestsOf(images.slice(10)));
});

serviceTest(
  "tagImage() and removeNamespace() find what containerd refuses",
  async ({ client, namespaced }) => {
    await importImages(namespaced, ociArchive([await randomImage({ seed: 361 })]));
    const [source] = await Array.fromAsync(namespaced.images.list());
    await tagImage(namespaced, { source: source!, name: "example.com/other:1" });
    await assertRejects(
      () => removeNamespace(client, namespaced.name),
      FailedPreconditionError,
      "must be empty, but it still has images, blobs",
    );
    for await (const { name } of namespaced.images.list()) await namespaced.images.delete(name);
    await removeNamespace(client, namespaced.name);
    assertEquals(await client.namespaces.exists(namespaced.name), false);
  },
);

async function copied(client: NamespaceAccess, request: CopyRequest): Promise<CopyResult[]> {
  return await Array.fromAsync(copyImages(client, request));
}

/** The same images and the same labels on the same blobs, once what nothing refers to is collected; nothing is open. */
async function assertSame(
  client: NamespaceAccess,
  { from, to }: { from: string; to: string },
): Promise<void> {
  await client.namespace(to).leases.collectGarbage();
  const [source, target] = await Promise.all([from, to].map(async (name) => {
    const { images, content } = client.namespace(name);
    const blobs = await Array.fromAsync(
      content.list(),
      ({ digest, size, labels }) => ({ digest, size, labels }),
    );
    return {
      images: await Array.fromAsync(images.list(), ({ name, target, labels }) => ({ name, target, labels })),
      blobs: blobs.sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    };
  }));
  assertEquals(target, source);
  const { leases, content } = client.namespace(to);
  assertEquals(await Array.fromAsync(leases.list()), []);
  assertEquals(await Array.fromAsync(content.listStatuses()), []);
}

async function digestsIn(client: NamespaceAccess, name: string): Promise<string[]> {
  const inside = client.namespace(name);
  await inside.leases.collectGarbage();
  return (await Array.fromAsync(inside.content.list(), ({ digest }) => digest)).sort();
}

function digestsOf(images: readonly Image[]): string[] {
  return [...new Set(images.flatMap(({ blobs }) => [...blobs.keys()]))].sort();
}
