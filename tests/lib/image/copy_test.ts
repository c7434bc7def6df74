import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import {
  Client,
  connect,
  copyImages,
  type CopyRequest,
  type CopyResult,
  foreseenResults,
  InvalidArgumentError,
  type NamespaceAccess,
  NotFoundError,
  planCopy,
  renamePrefixes,
} from "davit";
import { guarded, openSocket, type Transport } from "../../../lib/host.ts";
import { type ImageIndex, parseDocument } from "../../../lib/oci/document.ts";
import {
  checkWithCtr,
  importWithCtr,
  manyImages,
  multiPlatformImage,
  nestedImage,
  ociArchive,
  oneBigImage,
  randomImage,
  sparseImage,
} from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

realTest("copyImages() makes an image complete elsewhere without storing a byte", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  const image = await randomImage({ seed: 11, layers: 3 });
  await importWithCtr(containerd, from, ociArchive([image]));
  const before = await bytesIn(containerd.contentDir);

  assertEquals(await copied(client, { from, to: [to] }), [{
    image: image.name,
    source: image.name,
    from,
    to,
    digest: image.target.digest,
    status: "copied",
    blobs: 5,
    bytesMoved: 0,
    calls: 6,
  }]);

  assertEquals(await bytesIn(containerd.contentDir), before);
  await assertSound(client, to);
  assertEquals((await checkWithCtr(containerd, to)).get(image.name), "complete (4/4)");
  const [original] = await Array.fromAsync(client.namespace(from).content.list());
  const copy = await client.namespace(to).content.info(original!.digest);
  assertEquals(copy.labels, original!.labels, "ctr's own garbage collection labels are what davit computes");
});

realTest("copyImages() copies every platform of indexes, however nested", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  for (const image of [await multiPlatformImage({ seed: 21 }), await nestedImage({ seed: 22 })]) {
    const [from, to] = namespaces();
    await importWithCtr(containerd, from, ociArchive([image]));
    const [result] = await copied(client, { from, to: [to] });
    assertEquals([result!.status, result!.blobs, result!.reason], ["copied", image.blobs.size, undefined]);
    await assertSound(client, to);
    const digests = await Array.fromAsync(client.namespace(to).content.list(), ({ digest }) => digest);
    assertEquals(digests.sort(), [...image.blobs.keys()].sort());
  }
});

realTest("copyImages() copies what a sparse index has and counts what it lacks", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  const image = await sparseImage({ seed: 31 });
  await importWithCtr(containerd, from, ociArchive([image]), { allPlatforms: false });
  const [result] = await copied(client, { from, to: [to] });
  assertEquals([result!.status, result!.blobs], ["copied", image.blobs.size]);
  assertStringIncludes(result!.reason!, "1 of its platforms not complete");
  assertStringIncludes((await checkWithCtr(containerd, to)).get(image.name)!, "complete");
  await assertSound(client, to);
});

realTest("copyImages() with platforms copies only these", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  const image = await multiPlatformImage({ seed: 41 });
  await importWithCtr(containerd, from, ociArchive([image]));
  const [result] = await copied(client, { from, to: [to], platforms: ["linux/arm64"] });
  assertEquals([result!.status, result!.blobs], ["copied", 5]);
  const { images, content } = client.namespace(to);
  const index = parseDocument(await content.readSmall(image.target), image.target) as ImageIndex;
  const present = index.manifests.map(async ({ digest }) => await content.find(digest) !== undefined);
  assertEquals(index.manifests.map(({ platform }) => platform!.architecture), ["amd64", "arm64"]);
  assertEquals(await Promise.all(present), [false, true]);
  assertEquals((await images.get(image.name)).target.digest, image.target.digest);
  await assertSound(client, to);
});

realTest("copyImages() fails an image whose selected platform is not there", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  const [sparse, single] = [await sparseImage({ seed: 51 }), await randomImage({ seed: 52 })];
  await importWithCtr(containerd, from, ociArchive([sparse, single]), { allPlatforms: false });
  const arm = await copied(client, { from, to: [to], platforms: ["linux/arm64"] });
  assertEquals(arm.map(({ status }) => status), ["failed", "failed"]);
  for (const { error } of arm) assertInstanceOf(error, NotFoundError);
  const riscv = await copied(client, { from, to: [to], platforms: ["linux/riscv64"], match: [sparse.name] });
  assertStringIncludes(riscv[0]!.reason!, "has no linux/riscv64, only linux/amd64, linux/arm64");
  assertEquals(await client.namespaces.exists(to), false, "a copy of nothing creates nothing");
});

realTest("copyImages() does nothing the second time", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  await importWithCtr(containerd, from, ociArchive(await manyImages({ count: 20, seed: 60 })));
  await copied(client, { from, to: [to] });
  const again = await copied(client, { from, to: [to] });
  assertEquals(again.length, 20);
  for (const { status, calls } of again) assertEquals([status, calls], ["exists", 0]);
});

realTest("copyImages() points a name that is taken to the new target", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  const name = "example.com/moving:latest";
  const [before, now] = [await randomImage({ seed: 71, name }), await randomImage({ seed: 72, name })];
  await importWithCtr(containerd, from, ociArchive([now]));
  await importWithCtr(containerd, to, ociArchive([before]));
  const [result] = await copied(client, { from, to: [to] });
  assertEquals(result!.status, "updated");
  assertEquals((await client.namespace(to).images.get(name)).target.digest, now.target.digest);
  await assertSound(client, to);
});

realTest("copyImages() repairs blobs and labels that went missing in the target", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  const image = await randomImage({ seed: 81 });
  await importWithCtr(containerd, from, ociArchive([image]));
  await copied(client, { from, to: [to] });
  const { content } = client.namespace(to);
  const { labels } = await content.info(image.target.digest);
  await content.update(image.target.digest, {
    labels: Object.fromEntries(Object.keys(labels).map((key) => [key, ""])),
  });
  const layer = Object.entries(labels).find(([key]) => key.includes("gc.ref.content.l."))![1];
  await content.delete(layer);

  const [result] = await copied(client, { from, to: [to] });
  assertEquals(result!.status, "repaired");
  assert(result!.blobs >= 1, "one was deleted, and a collection may have taken what lost its labels");
  assertEquals((await content.info(image.target.digest)).labels, labels);
  await assertSound(client, to);
});

realTest("copyImages() joins the lists of repositories that a blob came from", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  const image = await randomImage({ seed: 91 });
  const key = "containerd.io/distribution.source.example.com";
  for (const [namespace, source] of [[from, "a,b"], [to, "b,c"]] as const) {
    await importWithCtr(containerd, namespace, ociArchive([image]));
    await client.namespace(namespace).content.update(image.target.digest, { labels: { [key]: source } });
  }
  await copied(client, { from, to: [to] });
  assertEquals((await client.namespace(to).content.info(image.target.digest)).labels[key], "b,c,a");
});

realTest("copyImages() sends the bytes where containerd does not share them", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  const image = await multiPlatformImage({ seed: 101, layerBytes: 3_000_000 });
  await importWithCtr(containerd, from, ociArchive([image]));
  const before = await bytesIn(containerd.contentDir);
  const plan = await planCopy(client, { from, to: [to] });
  const size = [...image.blobs.values()].reduce((sum, { length }) => sum + length, 0);
  assertEquals(foreseenResults(plan)[0]!.bytesMoved, size);
  const [result] = await copied(client, { from, to: [to] });
  assertEquals([result!.status, result!.bytesMoved], ["copied", size]);
  assertEquals(await bytesIn(containerd.contentDir), before, "containerd stores a blob once all the same");
  await assertSound(client, to);
}, { policy: "isolated" });

realTest("copyImages() shares from a namespace that is labelled shareable", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  await client.namespaces.create(from, { labels: { "containerd.io/namespace.shareable": "true" } });
  const image = await randomImage({ seed: 111 });
  await importWithCtr(containerd, from, ociArchive([image]));
  const [result] = await copied(client, { from, to: [to] });
  assertEquals(result!.status, "copied");
  assertEquals(result!.bytesMoved === 0, containerd.release.series !== "1.6", "1.6 does not know the label");
  await assertSound(client, to);
}, { policy: "isolated" });

realTest("copyImages() copies by globs under new names to several namespaces", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, a] = namespaces();
  const b = uniqueNamespace("also");
  const images = await manyImages({ count: 4, seed: 120 });
  await importWithCtr(containerd, from, ociArchive([...images, await randomImage({ seed: 121 })]));
  const request = {
    from,
    to: [a, b, a],
    match: ["example.com/many/*", "example.com/nothing/*"],
    exclude: ["**-002:latest"],
    rename: renamePrefixes(["example.com/=mirror.example/"]),
  };
  assertEquals((await planCopy(client, request)).unmatched, ["example.com/nothing/*"]);
  const results = await copied(client, request);
  const names = ["000", "001", "003"].map((n) => `mirror.example/many/app-${n}:latest`);
  assertEquals(
    results.map(({ to, image }) => [to, image]),
    [a, b].flatMap((to) => names.map((name) => [to, name])),
  );
  for (const to of [a, b]) {
    assertEquals(await Array.fromAsync(client.namespace(to).images.list(), ({ name }) => name), names);
    await assertSound(client, to);
  }
});

realTest("copyImages() copies only the first of two images for one name", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  await importWithCtr(containerd, from, ociArchive(await manyImages({ count: 2, seed: 130 })));
  const results = await copied(client, { from, to: [to], rename: () => "example.com/one:latest" });
  assertEquals(results.map(({ status }) => status), ["copied", "failed"]);
  assertStringIncludes(results[1]!.reason!, "copied to the name");
});

realTest(
  "copyImages() fails for a target that cannot be, and goes on with the next",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const [from, to] = namespaces();
    await importWithCtr(containerd, from, ociArchive([await randomImage({ seed: 141 })]));
    const results = await copied(client, { from, to: ["no..good", to] });
    assertEquals(results.map(({ status }) => status), ["failed", "copied"]);
    assertInstanceOf(results[0]!.error, InvalidArgumentError);
    await assertRejects(
      () => copied(client, { from: "absent", to: [to] }),
      NotFoundError,
      'namespace "absent"',
    );
    assertEquals(await client.namespaces.exists("absent"), false);
  },
);

realTest(
  "copyImages() fails an image whose blob is cut off on disk, and leaves nothing of it",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const [from, to] = namespaces();
    const [broken, whole] = [await randomImage({ seed: 151 }), await randomImage({ seed: 152 })];
    await importWithCtr(containerd, from, ociArchive([broken, whole]));
    const layer = [...broken.blobs.keys()][0]!;
    await Deno.truncate(`${containerd.contentDir}/${layer.replace(":", "/")}`, 100);
    const results = await copied(client, { from, to: [to] });
    assertEquals(results.map(({ status }) => status).sort(), ["copied", "failed"]);
    await client.namespace(to).leases.collectGarbage();
    await assertSound(client, to);
    assertEquals(
      (await Array.fromAsync(client.namespace(to).content.list(), ({ digest }) => digest)).sort(),
      [...whole.blobs.keys()].sort(),
    );
  },
);

realTest("copyImages() stops at an abort with all that is visible complete", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  await importWithCtr(containerd, from, ociArchive(await manyImages({ count: 30, seed: 160 })));
  const stop = new AbortController();
  const reason = new Error("that is enough");
  let results = 0;
  await assertRejects(
    async () => {
      for await (const _ of copyImages(client, { from, to: [to], signal: stop.signal })) {
        if (++results === 5) stop.abort(reason);
      }
    },
    Error,
    "that is enough",
  );
  const images = await Array.fromAsync(client.namespace(to).images.list());
  assert(images.length >= 5 && images.length < 30, `${images.length} images`);
  await assertSound(client, to);
});

realTest("copyImages() gives its lease back when its reader leaves early", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  await importWithCtr(containerd, from, ociArchive(await manyImages({ count: 20, seed: 170 })));
  for await (const { status } of copyImages(client, { from, to: [to] })) {
    assertEquals(status, "copied");
    break;
  }
  await assertSound(client, to);
});

realTest("copyImages() loses nothing to garbage collections while it runs", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  await importWithCtr(containerd, from, ociArchive(await manyImages({ count: 60, seed: 180 })));
  let running = true;
  const collecting = (async () => {
    while (running) await client.namespace(from).leases.collectGarbage();
  })();
  const results = await copied(client, { from, to: [to] });
  running = false;
  await collecting;
  for (const { status, reason } of results) assertEquals(status, "copied", reason);
  await assertSound(client, to);
});

realTest("copyImages() has at most 8 writing calls under way in a target", async (_t, containerd) => {
  const most = { now: 0, ever: 0 };
  const transport = guarded(await openSocket({ path: containerd.address }));
  await using client = new Client(countingWrites(transport, most));
  const [from, to] = namespaces();
  await importWithCtr(containerd, from, ociArchive(await manyImages({ count: 30, seed: 190 })));
  await copied(client, { from, to: [to] });
  assertEquals([most.ever, most.now], [8, 0]);
});

realTest("planCopy() writes nothing and foresees what a copy then does", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  await importWithCtr(containerd, from, ociArchive(await manyImages({ count: 3, seed: 200 })));
  const plan = await planCopy(client, { from, to: [to] });
  assertEquals(plan.targets[0]!.creates, true);
  assertEquals(await client.namespaces.exists(to), false);
  const done = await copied(client, { from, to: [to] });
  assertEquals(
    foreseenResults(plan).map(({ image, status, bytesMoved }) => [image, status, bytesMoved]),
    done.map(({ image, status, bytesMoved }) => [image, status, bytesMoved]),
  );
});

realTest(
  "copyImages() copies 200 images of 6 layers, and ctr finds each complete",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const [from, to] = namespaces();
    const images = await manyImages({ count: 200, sharedLayers: 5, ownLayers: 1, seed: 210 });
    await importWithCtr(containerd, from, ociArchive(images));
    const before = await bytesIn(containerd.contentDir);
    const results = await copied(client, { from, to: [to] });
    assertEquals(results.reduce((sum, { blobs }) => sum + blobs, 0), 5 + 3 * images.length);
    assertEquals(await bytesIn(containerd.contentDir), before);
    const check = await checkWithCtr(containerd, to);
    assertEquals([...check], images.map(({ name }) => [name, "complete (7/7)"]));
  },
);

realTest("copyImages() copies an image of 1 GiB without storing a byte", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [from, to] = namespaces();
  const archive = await Deno.makeTempFile();
  try {
    const image = await oneBigImage(archive, { bytes: 1024 ** 3 });
    await importWithCtr(containerd, from, archive);
    const before = await bytesIn(containerd.contentDir);
    const [result] = await copied(client, { from, to: [to] });
    assertEquals([result!.status, result!.blobs, result!.bytesMoved], ["copied", 3, 0]);
    assertEquals(await bytesIn(containerd.contentDir), before);
    assertEquals(await checkWithCtr(containerd, to), new Map([[image.name, "complete (2/2)"]]));
  } finally {
    await Deno.remove(archive);
  }
}, { full: true });

Deno.test("renamePrefixes() takes the longest prefix that fits", () => {
  const rename = renamePrefixes(["a/=x/", "a/b/=y/"]);
  assertEquals(["a/c", "a/b/c", "c/a/b"].map(rename), ["x/c", "y/c", "c/a/b"]);
});

function namespaces(): [string, string] {
  return [uniqueNamespace("from"), uniqueNamespace("to")];
}

async function copied(client: NamespaceAccess, request: CopyRequest): Promise<CopyResult[]> {
  return await Array.fromAsync(copyImages(client, request));
}

/** Every image of the namespace has all it needs, also after a collection; no lease or ingest is left. */
async function assertSound(client: NamespaceAccess, name: string): Promise<void> {
  const namespace = client.namespace(name);
  await namespace.leases.collectGarbage();
  const mirror = uniqueNamespace("mirror");
  const plan = await planCopy(client, { from: name, to: [mirror] });
  for (const { source, error } of plan.targets[0]!.images) {
    assertEquals(error, undefined, `${source.name} is whole`);
  }
  assertEquals(await Array.fromAsync(namespace.leases.list(), ({ id }) => id), []);
  assertEquals(await Array.fromAsync(namespace.content.listStatuses(), ({ ref }) => ref), []);
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    bytes += isDirectory ? await bytesIn(path) : (await Deno.stat(path)).size;
  }
  return bytes;
}

function countingWrites(inner: Transport, most: { now: number; ever: number }): Transport {
  return {
    async unary(method, request, call) {
      if (method.writes === undefined) return await inner.unary(method, request, call);
      enter();
      return await inner.unary(method, request, call).finally(() => most.now--);
    },
    async *stream(method, requests, call) {
      if (method.writes === undefined) return yield* inner.stream(method, requests, call);
      enter();
      try {
        yield* inner.stream(method, requests, call);
      } finally {
        most.now--;
      }
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
  function enter(): void {
    most.ever = Math.max(most.ever, ++most.now);
  }
}
