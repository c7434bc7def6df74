import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  connect,
  type ContainerdError,
  InvalidArgumentError,
  type NamespacedClient,
  NoSuchPlatformError,
  NotFoundError,
  type Progress,
  unpackImage,
} from "davit";
import { Client } from "../../../lib/client.ts";
import { guarded, openSocket, type Transport } from "../../../lib/host.ts";
import { buildImage, parseJson } from "../../real/image_builder.ts";
import {
  busyboxImage,
  collectGarbage,
  type Image,
  importWithCtr,
  manyImages,
  multiPlatformImage,
  ociArchive,
  randomImage,
} from "../../real/images.ts";
import { buildLayer, type Descriptor, type Layer, randomLayer } from "../../real/layers.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { gzip, rawArchive, type RawMember } from "./archives.ts";

for (const snapshotter of ["overlayfs", "native"]) {
  realTest(`unpackImage() makes what ctr unpacks and runs, with ${snapshotter}`, async (_t, containerd) => {
    const [namespace, byCtr] = [uniqueNamespace(), uniqueNamespace()];
    const image = await busyboxImage();
    for (const name of [namespace, byCtr]) await importWithCtr(containerd, name, ociArchive([image]));
    await using connection = await connect({ address: containerd.address });
    const client = connection.namespace(namespace);
    const result = await unpackImage(client, image, { snapshotter });
    const [layer] = result.layers;
    assertEquals(result, {
      chainId: layer!.chainId,
      snapshotter,
      layers: [{ chainId: layer!.chainId, state: "unpacked" }],
    });

    await collectGarbage(containerd, namespace);
    const flag = ["--snapshotter", snapshotter];
    await containerd.ctr(["snapshots", "unpack", ...flag, image.target.digest], { namespace: byCtr });
    assertEquals(
      await stateOf(client, snapshotter),
      await stateOf(connection.namespace(byCtr), snapshotter),
    );
    const check = await containerd.ctr(["images", "check", ...flag], { namespace });
    assertStringIncludes(check.stdout, "complete (2/2)");
    assert(/ true *$/m.test(check.stdout), check.stdout);
    const command = ["run", "--rm", ...flag, image.name, "c1", "sh", "-c", "echo hello; exit 3"];
    const { code, stdout } = await containerd.ctr(command, { namespace, check: false });
    assertEquals([code, stdout], [3, "hello\n"]);
    await assertNothingOpen(client, snapshotter);
  });
}

realTest("unpackImage() finds what ctr unpacked, and what it unpacked before", async (_t, containerd) => {
  const [namespace, other] = [uniqueNamespace(), uniqueNamespace()];
  const image = await randomImage({ seed: 3100, layers: 3 });
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  await importWithCtr(containerd, other, ociArchive([image]));
  await using connection = await connect({ address: containerd.address });
  const statesIn = async (name: string) => {
    const reports: Progress[] = [];
    const onProgress = (state: Progress) => reports.push(state);
    const { layers } = await unpackImage(connection.namespace(name), image, { onProgress });
    assertEquals(reports.at(-1)?.total, reports.at(-1)?.done);
    return layers.map(({ state }) => state);
  };
  assertEquals(await statesIn(namespace), ["exists", "exists", "exists"]);
  assertEquals(await statesIn(other), ["unpacked", "unpacked", "unpacked"]);
  assertEquals(await statesIn(other), ["exists", "exists", "exists"]);
  // With the base alone there, the rest is built on it.
  const { snapshots } = await stateOf(connection.namespace(other), "overlayfs");
  const base = snapshots.find(({ parent }) => parent === "")!.key;
  const { leases } = connection.namespace(other);
  await leases.create({ id: "keeps-the-base" }); // the collector may come at any moment
  await leases.addResource("keeps-the-base", { id: base, type: "snapshots/overlayfs" });
  for (const { key } of snapshots.toSorted((a, b) => (a.parent === b.key ? -1 : 1))) {
    if (key !== base) await connection.namespace(other).snapshots("overlayfs").remove(key);
  }
  assertEquals(await statesIn(other), ["exists", "unpacked", "unpacked"]);
});

realTest("unpackImage() unpacks what many unpack at once, while others collect", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const images = await manyImages({
    count: 4,
    sharedLayers: 3,
    ownLayers: 2,
    layerBytes: 100_000,
    seed: 3200,
  });
  await importWithCtr(containerd, namespace, ociArchive(images));
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(namespace);
  let over = false;
  const collecting = (async () => {
    while (!over) await client.leases.collectGarbage();
  })();
  const work = [...images, ...images].map((image) => unpackImage(client, image));
  const results = await Promise.all(work).finally(() => over = true);
  await collecting;
  await client.leases.collectGarbage();
  const { snapshots } = await stateOf(client, "overlayfs");
  assertEquals(snapshots.length, 3 + 4 * 2);
  assertEquals(results.map(({ layers }) => layers.length), Array(8).fill(5));
  const keys = new Set(snapshots.map(({ key }) => key));
  for (const { layers } of results) for (const { chainId } of layers) assert(keys.has(chainId), chainId);
  await assertNothingOpen(client, "overlayfs");
});

realTest("unpackImage() would fail without its lease while others collect", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 3250, layers: 8 });
  await importWithCtr(containerd, namespace, ociArchive([image]));
  await using connection = await connect({ address: containerd.address });
  const socket = await openSocket({ path: containerd.address });
  await using unleased = new Client(guarded({
    unary: (method, request, call) => socket.unary(method, request, { ...call, lease: undefined }),
    stream: (method, requests, call) => socket.stream(method, requests, call),
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  }));
  let over = false;
  const collecting = (async () => {
    while (!over) await connection.namespace(namespace).leases.collectGarbage();
  })();
  const unpacking = unpackImage(unleased.namespace(namespace), image).finally(() => over = true);
  await assertRejects(() => unpacking);
  await collecting;
}, { series: ["2"] });

realTest("unpackImage() begins again when a snapshot vanishes below it", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 3300, layers: 3 });
  await importWithCtr(containerd, namespace, ociArchive([image]));
  for (const times of [1, 3]) {
    let left = times;
    const socket = await openSocket({ path: containerd.address });
    await using connection = new Client(guarded(meddled(socket, async (method, request) => {
      const { parent = "" } = request as { parent?: string };
      if (!method.endsWith("Snapshots/Prepare") || parent === "" || left-- <= 0) return;
      await connection.namespace(namespace).snapshots("overlayfs").remove(parent);
    })));
    const client = connection.namespace(namespace);
    const unpacking = unpackImage(client, image);
    if (times < 3) {
      assertEquals((await unpacking).layers.map(({ state }) => state), ["unpacked", "unpacked", "unpacked"]);
      await removeAll(client);
    } else {
      await assertRejects(() => unpacking, NotFoundError, "does not exist");
      await assertNothingOpen(client, "overlayfs");
    }
  }
});

realTest("unpackImage() leaves nothing of a layer that is not what it should be", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const good = await randomLayer(50_000, 3400);
  const other = await randomLayer(50_000, 3401);
  const cut = { ...other, bytes: other.bytes.slice(0, -20_000) };
  const outside: RawMember[] = [{
    name: "inside",
    type: "hardLink",
    linkname: "/../../../../../../etc/hostname",
  }];
  const cases: { layers: Layer[]; reason: string; retyped?: string }[] = [
    {
      layers: [good, { ...other, diffId: good.diffId }],
      reason: `not ${good.diffId} as the image's config says`,
    },
    { layers: [good, await described(cut)], reason: "unexpected EOF" },
    { layers: [good, await layerOf(rawArchive(outside))], reason: "inside: no such file" },
    {
      layers: [good, await layerOf(new TextEncoder().encode("no archive".repeat(500)))],
      reason: "invalid tar header",
    },
    { layers: [good, retyped(other, "application/vnd.oci.image.layer.v1.tar+lz4")], reason: "v1.tar+lz4" },
  ];
  for (const [i, { layers, reason }] of cases.entries()) {
    const client = connection.namespace(uniqueNamespace());
    const image = await buildImage({ name: `example.com/bad/${i}:1`, layers });
    await write(client, image);
    const error = await assertRejects<ContainerdError>(() => unpackImage(client, image));
    const what = `layer ${layers[1]!.descriptor.digest} of image "${image.name}"`;
    assertStringIncludes(error.message, `Cannot unpack ${what} in namespace`);
    assertStringIncludes(error.message, reason);
    await assertNothingOpen(client, "overlayfs");
    await client.leases.collectGarbage();
    assertEquals((await stateOf(client, "overlayfs")).snapshots, []);
  }
});

realTest("unpackImage() says what of an image are no layers", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(uniqueNamespace());
  const layer = await randomLayer(1_000, 3500);
  const chart = await buildImage({ name: "example.com/chart:1", layers: [retyped(layer, "text/x-chart")] });
  await write(client, chart);
  await assertRejects(
    () => unpackImage(client, chart),
    SyntaxError,
    'type "text/x-chart", which is no layer',
  );
  const twice = await buildImage({ name: "example.com/twice:1", layers: [layer] });
  const short = await withManifest(twice, (manifest) => ({ ...manifest, layers: [] }));
  await write(client, short);
  const message = "its manifest has 0 layers, its config diff ids for 1";
  await assertRejects(() => unpackImage(client, short), SyntaxError, message);
  const empty = await buildImage({ name: "example.com/empty:1", layers: [] });
  await write(client, empty);
  assertEquals(await unpackImage(client, empty), { chainId: "", snapshotter: "overlayfs", layers: [] });
  await assertNothingOpen(client, "overlayfs");
}, { series: ["2"] });

realTest("unpackImage() names the snapshotters that there are", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(uniqueNamespace());
  const image = await randomImage({ seed: 3600 });
  await write(client, image);
  const attempt = () => unpackImage(client, image, { snapshotter: "bogus" });
  const { message } = await assertRejects(attempt, InvalidArgumentError);
  assertStringIncludes(message, `Cannot use snapshotter "bogus" in namespace "${client.name}": `);
  assertStringIncludes(message, "snapshotter not loaded: bogus");
  assert(/; containerd has .*\bnative\b.*\boverlayfs\b/.test(message), message);
  assertEquals(await Array.fromAsync(client.leases.list()), []);
  await client.namespaces.update(client.name, {
    labels: { "containerd.io/defaults/snapshotter": "native" },
  });
  assertEquals((await unpackImage(client, image)).snapshotter, "native");
});

realTest("unpackImage() unpacks the platform that it is asked for", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(uniqueNamespace());
  const both = await multiPlatformImage({ seed: 3700 });
  await write(client, both);
  const amd64 = await unpackImage(client, both);
  const arm64 = await unpackImage(client, both, { platform: "linux/arm64" });
  assert(amd64.chainId !== arm64.chainId);
  await client.leases.collectGarbage();
  assertEquals((await stateOf(client, "overlayfs")).snapshots.length, 4);
  const riscv = () => unpackImage(client, both, { platform: "linux/riscv64" });
  await assertRejects(riscv, NoSuchPlatformError, "no manifest for linux/riscv64");
  const foreign = await randomImage({ seed: 3701, platform: { os: "linux", architecture: "arm64" } });
  await write(client, foreign);
  const here = () => unpackImage(client, foreign, { platform: "linux/amd64" });
  await assertRejects(here, NoSuchPlatformError, "it is for linux/arm64, not for linux/amd64");
  assertEquals((await unpackImage(client, foreign)).layers.length, 2);
  await client.content.delete(parseJson<{ config: Descriptor }>(foreign.blobs, foreign.target).config.digest);
  await assertRejects(() => unpackImage(client, foreign), NotFoundError, "is not there");
}, { series: ["2"] });

realTest(
  "unpackImage() leaves nothing when it is stopped in the middle of a layer",
  async (_t, containerd) => {
    await using connection = await connect({ address: containerd.address });
    const client = connection.namespace(uniqueNamespace());
    const layer = await buildLayer({
      entries: [{ header: { name: "zeros", size: 300 << 20 }, body: new Uint8Array(300 << 20) }],
    });
    const image = await buildImage({ name: "example.com/zeros:1", layers: [layer] });
    await write(client, image);
    const stop = new AbortController();
    const unpacking = unpackImage(client, image, {
      signal: stop.signal,
      onProgress({ items = [] }) {
        if (items.some(({ state }) => state === "unpacking")) {
          queueMicrotask(() => stop.abort(new Error("stop")));
        }
      },
    });
    await assertRejects(() => unpacking, Error, "stop");
    await assertNothingOpen(client, "overlayfs");
    assertEquals((await unpackImage(client, image)).layers.map(({ state }) => state), ["unpacked"]);
  },
  { series: ["2"] },
);

/** The snapshots of a namespace and the labels of its blobs. */
async function stateOf(client: NamespacedClient, snapshotter: string) {
  const snapshots = await Array.fromAsync(
    client.snapshots(snapshotter).list(),
    ({ key, parent, kind }) => ({ key, parent, kind }),
  );
  const blobs = await Array.fromAsync(
    client.content.list(),
    ({ digest, labels }) => [digest, labels] as const,
  );
  return { snapshots, blobs: Object.fromEntries(blobs) };
}

/** Neither leases nor snapshots that somebody writes to. */
async function assertNothingOpen(client: NamespacedClient, snapshotter: string): Promise<void> {
  assertEquals(await Array.fromAsync(client.leases.list(), ({ id }) => id), []);
  const open = client.snapshots(snapshotter).list({ filters: ["kind==active", "kind==view"] });
  assertEquals(await Array.fromAsync(open, ({ key }) => key), []);
}

async function removeAll(client: NamespacedClient): Promise<void> {
  for (let round = 0; round < 5; round++) {
    for await (const { key } of client.snapshots("overlayfs").list()) {
      await client.snapshots("overlayfs").remove(key).catch(() => {});
    }
  }
}

/** Writes an image as it is, whatever may be wrong with it. */
async function write(client: NamespacedClient, { name, target, blobs }: Image): Promise<void> {
  const children: Record<string, string> = {};
  for (const [digest, bytes] of blobs) {
    if (digest !== target.digest) children[`containerd.io/gc.ref.content.${digest.slice(7, 19)}`] = digest;
    await client.content.write(
      { digest, size: bytes.length, labels: { "containerd.io/gc.root": "1" } },
      async function* (at) {
        yield bytes.subarray(at);
      },
    );
  }
  await client.content.update(target.digest, { labels: children });
  await client.images.create({ name, target: { ...target, annotations: {} } });
  for (const digest of blobs.keys()) {
    await client.content.update(digest, { labels: { "containerd.io/gc.root": "" } });
  }
}

function retyped({ descriptor, ...layer }: Layer, mediaType: string): Layer {
  return { ...layer, descriptor: { ...descriptor, mediaType } };
}

/** The layer with the descriptor of the bytes that it has. */
async function described({ descriptor: { mediaType }, diffId, bytes }: Layer): Promise<Layer> {
  const digest = `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
  return { descriptor: { mediaType, digest, size: bytes.length }, diffId, bytes };
}

async function layerOf(tar: Uint8Array<ArrayBuffer>): Promise<Layer> {
  const { descriptor: { digest: diffId } } = await described({
    descriptor: { mediaType: "", digest: "", size: 0 },
    diffId: "",
    bytes: tar,
  });
  const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
  return await described({ descriptor: { mediaType, digest: "", size: 0 }, diffId, bytes: await gzip(tar) });
}

async function withManifest(image: Image, change: (manifest: object) => object): Promise<Image> {
  const bytes = new TextEncoder().encode(JSON.stringify(change(parseJson(image.blobs, image.target))));
  const { descriptor } = await described({ descriptor: image.target, diffId: "", bytes });
  return { ...image, target: descriptor, blobs: new Map([...image.blobs, [descriptor.digest, bytes]]) };
}

/** Does something before each call is sent. */
function meddled(inner: Transport, before: (method: string, request: unknown) => Promise<void>): Transport {
  return {
    async unary(method, request, call) {
      await before(method.name, request);
      return await inner.unary(method, request, call);
    },
    stream: (method, requests, call) => inner.stream(method, requests, call),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}
