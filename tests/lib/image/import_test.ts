import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect } from "davit";
import type { Containerd } from "../../real/containerd.ts";
import { buildImage, buildIndex, parseJson } from "../../real/image_builder.ts";
import {
  busyboxImage,
  checkWithCtr,
  collect,
  dockerArchive,
  importWithCtr,
  manyImages,
  multiPlatformImage,
  nestedImage,
  ociArchive,
  randomImage,
  sparseImage,
} from "../../real/images.ts";
import { buildLayer, type Bytes, randomLayer, type TarEntry } from "../../real/layers.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { archiveOf, dockerFiles, gzip, layoutFiles, streamOf } from "./archives.ts";
import { assertNothingLeft, assertNothingOpen, imported, stateOf } from "./imported.ts";

const refAnnotation = "org.opencontainers.image.ref.name";

realTest(
  "importImages() leaves what ctr leaves: names, targets, blobs and labels",
  async (_t, containerd) => {
    const mixed = await buildImage({
      name: "",
      layers: [await randomLayer(5_000, 31), await buildLayer({ entries: [], compression: "none" })],
    });
    const archives: Record<string, Bytes> = {
      "several platforms, and indexes in indexes": await collect(
        ociArchive([await multiPlatformImage({ seed: 1 }), await nestedImage({ seed: 2 })]),
      ),
      "of docker": await archiveOf(dockerFiles(mixed, ["short", "example.com/other:v2"])),
      "of docker, with links": await linked(await randomImage({ seed: 3, layers: 1 })),
      "of docker, with an OCI layout": await archiveOf({
        ...layoutFiles(mixed, { annotations: { "io.containerd.image.name": "example.com/both:v1" } }),
        "manifest.json": [{ Config: "nowhere", RepoTags: ["ignored:v1"], Layers: [] }],
      }),
      "with a tag for a name": await archiveOf(
        layoutFiles(await randomImage({ seed: 4 }), { annotations: { [refAnnotation]: "v7" } }),
      ),
      "with a whole name for a tag": await archiveOf(
        layoutFiles(await randomImage({ seed: 5 }), {
          annotations: { [refAnnotation]: "example.com/whole:v1" },
        }),
      ),
    };
    for (const [kind, archive] of Object.entries(archives)) {
      const [ours, ctrs] = [uniqueNamespace(), uniqueNamespace()];
      await imported(containerd, ours, archive);
      await importWithCtr(containerd, ctrs, archive);
      const state = await stateOf(containerd, ours);
      assert(state.images.length > 0 && Object.keys(state.blobs).length >= 3, kind);
      assertEquals(state, await stateOf(containerd, ctrs), kind);
    }
  },
);

realTest("importImages() imports images that run, from either kind of archive", async (_t, containerd) => {
  const image = await busyboxImage();
  for (const archive of [ociArchive([image]), dockerArchive([image])]) {
    const namespace = uniqueNamespace();
    const [result] = await imported(containerd, namespace, archive);
    assertEquals([result!.image, result!.status], [image.name, "created"]);
    assertEquals(await checkWithCtr(containerd, namespace), new Map([[image.name, "complete (2/2)"]]));
    const { stdout } = await containerd.ctr(
      ["run", "--rm", image.name, uniqueNamespace("id"), "echo", "ahoy"],
      { namespace },
    );
    assertEquals(stdout, "ahoy\n");
    await containerd.ctr(["images", "export", "/dev/null", image.name], { namespace });
  }
});

realTest("importImages() reads gzip, and archives that come byte by byte", async (_t, containerd) => {
  const image = await randomImage({ seed: 10, layers: 1, layerBytes: 500 });
  const archive = await collect(ociArchive([image]));
  for (const source of [streamOf(await gzip(archive)), streamOf(archive, 1)]) {
    const namespace = uniqueNamespace();
    await imported(containerd, namespace, source);
    assertEquals((await checkWithCtr(containerd, namespace)).get(image.name), "complete (2/2)");
  }
});

realTest("importImages() names images without a name by their digest", async (_t, containerd) => {
  const [image, other] = [await randomImage({ seed: 11 }), await randomImage({ seed: 12 })];
  const archives = [
    await archiveOf(layoutFiles(image)),
    await archiveOf({ ...dockerFiles(other, null) }),
  ];
  for (const archive of archives) {
    const [result] = await imported(containerd, uniqueNamespace(), archive);
    assertMatch(result!.image, /^import-\d{4}-\d\d-\d\d@sha256:[0-9a-f]{64}$/);
    assert(result!.image.endsWith(result!.digest));
  }
});

realTest("importImages() moves no bytes that containerd has", async (_t, containerd) => {
  const image = await randomImage({ seed: 13 });
  const bytes = [...image.blobs.values()].reduce((sum, { length }) => sum + length, 0);
  const [first, second] = [uniqueNamespace(), uniqueNamespace()];
  const common = { image: image.name, digest: image.target.digest, size: bytes };
  const none = { written: 0, shared: 0, existing: 0, bytesMoved: 0 };
  const run = (namespace: string) => imported(containerd, namespace, ociArchive([image]));
  assertEquals(await run(first), [{ ...common, ...none, status: "created", written: 4, bytesMoved: bytes }]);
  assertEquals(await run(first), [{ ...common, ...none, status: "exists", existing: 4 }]);
  assertEquals(await run(second), [{ ...common, ...none, status: "created", shared: 4 }]);
  assertEquals((await checkWithCtr(containerd, second)).get(image.name), "complete (3/3)");
});

realTest(
  "importImages() sends what an isolated namespace may not have from others",
  async (_t, containerd) => {
    const image = await randomImage({ seed: 13 });
    await imported(containerd, uniqueNamespace(), ociArchive([image]));
    const [result] = await imported(containerd, uniqueNamespace(), ociArchive([image]));
    assertEquals([result!.written, result!.shared], [4, 0]);
  },
  { policy: "isolated" },
);

realTest("importImages() points a name that is taken to the new target", async (_t, containerd) => {
  const [namespace, name] = [uniqueNamespace(), "example.com/moving:latest"];
  const [before, now] = [await randomImage({ seed: 14, name }), await randomImage({ seed: 15, name })];
  await imported(containerd, namespace, ociArchive([before]));
  const [result] = await imported(containerd, namespace, ociArchive([now]));
  assertEquals([result!.status, result!.digest], ["updated", now.target.digest]);
  const { images, blobs } = await stateOf(containerd, namespace);
  assertEquals(images.map(({ target }) => target.digest), [now.target.digest]);
  assertEquals(Object.keys(blobs).length, now.blobs.size);
});

realTest("importImages() takes an index that lacks platforms, and says so", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await sparseImage({ seed: 16 });
  const inner = await buildIndex("example.com/deep:v1", [image, await sparseImage({ seed: 17 })]);
  for (const [sparse, lacks] of [[image, 1], [inner, 2]] as const) {
    const [result] = await imported(containerd, namespace, ociArchive([sparse]));
    assertEquals(result!.reason, `${lacks} of its platforms not complete in the archive`);
  }
  assertEquals((await checkWithCtr(containerd, namespace)).get(image.name), "complete (3/3)");
});

realTest(
  "importImages() completes an image from what the namespace has, and keeps that",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const image = await randomImage({ seed: 18 });
    await imported(containerd, namespace, ociArchive([{ ...image, name: "example.com/base:v1" }]));
    const { layers } = parseJson<{ layers: [{ digest: string }] }>(image.blobs, image.target);
    const without = new Map([...image.blobs].filter(([digest]) => digest !== layers[0].digest));
    const [result] = await imported(containerd, namespace, ociArchive([{ ...image, blobs: without }]));
    assertEquals([result!.written, result!.existing], [0, 4]);
    await containerd.ctr(["images", "rm", "--sync", "example.com/base:v1"], { namespace });
    assertEquals(await checkWithCtr(containerd, namespace), new Map([[image.name, "complete (3/3)"]]));
  },
);

realTest("importImages() restores labels that blobs have lost", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespaced = client.namespace(uniqueNamespace());
  const image = await multiPlatformImage({ seed: 19 });
  await imported(containerd, namespaced.name, ociArchive([image]));
  const before = await stateOf(containerd, namespaced.name);
  await using _lease = await holdingAll(namespaced.name);
  for await (const { digest, labels } of namespaced.content.list()) {
    await namespaced.content.update(digest, {
      labels: Object.fromEntries(Object.keys(labels).map((key) => [key, ""])),
    });
  }
  await imported(containerd, namespaced.name, ociArchive([image]));
  assertEquals(await stateOf(containerd, namespaced.name), before);

  async function holdingAll(name: string) {
    const lease = await client.namespace(name).leases.acquire({ prefix: "test" });
    for await (const { digest } of namespaced.content.list()) {
      await namespaced.leases.addResource(lease.id, { id: digest, type: "content" });
    }
    return lease;
  }
});

realTest(
  "importImages() tells how far it is in bytes of the archive, and in blobs",
  async (_t, containerd) => {
    const archive = await collect(ociArchive([await randomImage({ seed: 20, layerBytes: 300_000 })]));
    const states: number[] = [];
    const items = new Map<string, string>();
    const run = () =>
      imported(containerd, uniqueNamespace(), archive, {
        size: archive.length,
        onProgress({ task, done, total, unit, items: changed = [] }) {
          assertEquals([task, total, unit], ["importing", archive.length, "bytes"]);
          states.push(done);
          for (const { name, state } of changed) items.set(name, state);
        },
      });
    await run();
    assert(states.length > 5);
    assertEquals(states, states.toSorted((a, b) => a - b));
    assertEquals(states.at(-1), archive.length);
    assertEquals([...items.values()], ["done", "done", "done", "done"]);
    await run();
    assertEquals([...items.values()], ["shared", "shared", "shared", "shared"]);
  },
);

realTest("importImages() loses nothing to garbage collections while it runs", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const images = await manyImages({ count: 20, seed: 300 });
  let collections = 0;
  let over = false;
  const collecting = async () => {
    for (; !over; collections++) await client.namespace(namespace).leases.collectGarbage();
  };
  const [results] = await Promise.all([
    imported(containerd, namespace, ociArchive(images)).finally(() => over = true),
    collecting(),
  ]);
  assert(collections > 10);
  assertEquals(results.length, 20);
  await assertNothingOpen(containerd, namespace);
  const complete = images.map(({ name }): [string, string] => [name, "complete (7/7)"]);
  assertEquals(await checkWithCtr(containerd, namespace), new Map(complete));
});

realTest("importImages() can import the same archive several times at once", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 21, layerBytes: 3 << 20 });
  const archive = await collect(ociArchive([image]));
  const runs = await Promise.all(Array.from({ length: 4 }, () => imported(containerd, namespace, archive)));
  assertEquals(runs.filter(([result]) => result!.status === "created").length, 1);
  await assertNothingOpen(containerd, namespace);
  assertEquals((await checkWithCtr(containerd, namespace)).get(image.name), "complete (3/3)");
});

realTest("importImages() ends with the reason of its signal and leaves nothing", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const archive = await collect(ociArchive([await randomImage({ seed: 22, layerBytes: 6 << 20 })]));
  for (const part of [0.1, 0.5, 0.9]) {
    const controller = new AbortController();
    const reason = new Error("enough");
    const source = ReadableStream.from(async function* () {
      yield archive.slice(0, archive.length * part);
      setTimeout(() => controller.abort(reason), 100);
      await new Promise(() => {});
    }());
    const { signal } = controller;
    assertEquals(await assertRejects(() => imported(containerd, namespace, source, { signal })), reason);
    await assertNothingLeft(containerd, namespace);
  }
});

realTest("importImages() passes a failure of its source on and leaves nothing", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const archive = await collect(ociArchive([await randomImage({ seed: 23 })]));
  const failure = new Deno.errors.BrokenPipe("the disk is gone");
  const source = ReadableStream.from(async function* () {
    yield archive.slice(0, archive.length / 2);
    await Promise.reject(failure);
  }());
  assertEquals(await assertRejects(() => imported(containerd, namespace, source)), failure);
  await assertNothingLeft(containerd, namespace);
});

realTest("importImages() fails when containerd dies, and the next run completes", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 24, layerBytes: 3 << 20 });
  const archive = await collect(ociArchive([image]));
  const source = ReadableStream.from(async function* () {
    yield archive.slice(0, archive.length / 2);
    await untilWriting(containerd, namespace);
    containerd.kill();
    await containerd.exited();
    yield archive.slice(archive.length / 2);
  }());
  await assertRejects(() => imported(containerd, namespace, source), Error, "Cannot write content");
  await containerd.restart();
  assertEquals((await imported(containerd, namespace, archive))[0]!.status, "created");
  assertEquals((await checkWithCtr(containerd, namespace)).get(image.name), "complete (3/3)");
}, { fresh: true });

async function untilWriting({ address }: Containerd, namespace: string): Promise<void> {
  await using client = await connect({ address });
  const { content } = client.namespace(namespace);
  while ((await Array.fromAsync(content.listStatuses())).length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A docker archive whose layers are links to files that lie elsewhere, as skopeo writes them. */
async function linked(image: Awaited<ReturnType<typeof randomImage>>): Promise<Bytes> {
  const { "manifest.json": list, ...files } = dockerFiles(image, ["linked:v1"]);
  const [saved] = list as [{ Layers: string[] }];
  const links = saved.Layers.map((name, i): TarEntry => ({
    header: { name: `${i}/layer.tar`, size: 0, type: "symlink", linkname: `../${name}` },
  }));
  return await archiveOf(
    { ...files, "manifest.json": [{ ...saved, Layers: links.map(({ header }) => header.name) }] },
    links,
  );
}
