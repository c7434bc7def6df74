import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  connect,
  NotFoundError,
  openRegistry,
  pullImages,
  pushImage,
  type PushOptions,
  RegistryError,
} from "davit";
import {
  busyboxImage,
  checkWithCtr,
  importWithCtr,
  multiPlatformImage,
  nestedImage,
  ociArchive,
  randomImage,
  sparseImage,
} from "../../real/images.ts";
import { buildIndex, type Image, parseJson } from "../../real/image_builder.ts";
import { describe, type Descriptor } from "../../real/layers.ts";
import { skopeo } from "../../real/skopeo.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { assertNothingOpen } from "./imported.ts";

async function pushed(
  { address }: { address: string },
  { namespace, image, reference, ...options }:
    & { namespace: string; image: string; reference: string }
    & Partial<PushOptions>,
) {
  await using connection = await connect({ address });
  await using registry = openRegistry({ plainHttp: true, retry: { attempts: 3, firstWaitMs: 1 } });
  const client = connection.namespace(namespace);
  return await pushImage(client, { image: await client.images.get(image), reference }, {
    registry,
    ...options,
  });
}

realTest("pushImage() pushes what ctr pulls and runs, and what skopeo reads", async (_t, containerd) => {
  const [from, to] = [uniqueNamespace("from"), uniqueNamespace("to")];
  const image = await busyboxImage();
  await importWithCtr(containerd, from, ociArchive([image]));
  await using stock = await StockedRegistry.start({});
  const reference = stock.reference("mirror/busybox:1");
  const first = await pushed(containerd, { namespace: from, image: image.name, reference });
  assertEquals(first, {
    reference,
    image: image.name,
    digest: image.target.digest,
    size: first.size,
    ...{ uploaded: 3, mounted: 0, existing: 0, bytesMoved: first.size },
  });
  const flags = containerd.release.series === "1.6" ? [] : ["--local"];
  await containerd.ctr(["images", "pull", ...flags, "--plain-http", reference], { namespace: to });
  assertEquals(await checkWithCtr(containerd, to), new Map([[reference, "complete (2/2)"]]));
  const run = ["run", "--rm", reference, uniqueNamespace("id"), "echo", "it runs"];
  assertEquals((await containerd.ctr(run, { namespace: to })).stdout, "it runs\n");
  const inspect = ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", `docker://${reference}`];
  assertEquals((await skopeo(inspect)).stdout.trim(), image.target.digest);
  const again = await pushed(containerd, { namespace: from, image: image.name, reference });
  assertEquals([again.existing, again.uploaded], [2, 1]); // the tag is put anew
  await assertNothingOpen(containerd, from);
});

realTest("pushImage() pushes all platforms, or the manifest of one", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const [multi, nested, sparse] = [
    await multiPlatformImage({ seed: 7800 }),
    await nestedImage({ seed: 7810 }),
    await sparseImage({ seed: 7820 }),
  ];
  await importWithCtr(containerd, namespace, ociArchive([multi, nested]));
  await importWithCtr(containerd, namespace, ociArchive([sparse]), { allPlatforms: false });
  await using stock = await StockedRegistry.start({});
  const reference = stock.reference("app:1");
  for (const image of [multi, nested]) {
    const { uploaded, existing } = await pushed(containerd, { namespace, image: image.name, reference });
    assertEquals(uploaded + existing, image.blobs.size);
  }
  const [, arm64] = parseJson<{ manifests: Descriptor[] }>(multi.blobs, multi.target).manifests;
  const one = await pushed(containerd, { namespace, image: multi.name, reference, platform: "linux/arm64" });
  assertEquals(one.digest, arm64!.digest);
  const lacking = await assertRejects(
    () => pushed(containerd, { namespace, image: sparse.name, reference }),
    NotFoundError,
  );
  assertStringIncludes(lacking.message, `Cannot push image "${sparse.name}" in namespace "${namespace}"`);
  assertStringIncludes(lacking.message, "its linux/arm64 lacks content sha256:");
  const present = { namespace, image: sparse.name, reference, platform: "linux/amd64" };
  assertEquals((await pushed(containerd, present)).uploaded, 4);
  await assertRejects(
    () => pushed(containerd, { ...present, platform: "linux/s390x" }),
    NotFoundError,
    "no manifest for linux/s390x",
  );
  await assertRejects(
    () => pushed(containerd, { ...present, reference: `${reference}@${multi.target.digest}` }),
    SyntaxError,
    "its digest is",
  );
  await assertNothingOpen(containerd, namespace);
}, { series: ["2"] });

realTest("pushImage() says at once what registries would miss of an index", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const [app, provenance] = [await randomImage({ seed: 7850 }), await randomImage({ seed: 7851 })];
  const unknown = { os: "unknown", architecture: "unknown" };
  const attestation = { ...provenance, target: { ...provenance.target, platform: unknown } };
  const absent = Array.from({ length: 1000 }, (_, i) => ({
    ...app,
    target: {
      ...app.target,
      digest: `sha256:${i.toString(16).padStart(64, "0")}`,
      platform: { os: "linux", architecture: `machine${i}` },
    },
    blobs: new Map(),
  }));
  const built = await buildIndex("built", [app, attestation]);
  const vast = await buildIndex("vast", [app, ...absent]);
  await using stock = await StockedRegistry.start({ "built:1": built });
  const [builtHere, vastHere] = [stock.reference("built:1"), "example.com/vast:1"];
  await using connection = await connect({ address: containerd.address });
  await using registry = openRegistry({ plainHttp: true });
  // As most do: for this machine alone, without what is said about the image.
  await Array.fromAsync(
    pullImages(connection.namespace(namespace), [builtHere], { registry, unpack: false }),
  );
  await importWithCtr(containerd, namespace, ociArchive([{ ...vast, name: vastHere }]), {
    allPlatforms: false,
  });
  const reference = stock.reference("again:1");
  for (
    const [image, ...reasons] of [
      [builtHere, `its attestation lacks content ${provenance.target.digest}`],
      [vastHere, "its linux/machine0 lacks content sha256:0", "and 997 more are not complete"],
    ] as const
  ) {
    const { message } = await assertRejects(
      () => pushed(containerd, { namespace, image, reference }),
      NotFoundError,
    );
    for (const reason of reasons) assertStringIncludes(message, reason);
    assert(message.length < 1000, message);
  }
  assertEquals(stock.proxy.seen(/again/), []);
  await assertNothingOpen(containerd, namespace);
}, { series: ["2"] });

realTest("pushImage() sends layers that say of no other place where they are", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const bound = async (layers: number, urls?: string[]) => {
    const image = await randomImage({ seed: 7860, layers });
    return await withLayers(image, (layer) => ({
      ...layer,
      mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
      ...urls && { urls },
    }));
  };
  const here = { ...await bound(1), name: "example.com/here:1" };
  const elsewhere = { ...await bound(2, ["https://example.com/layer"]), name: "example.com/elsewhere:1" };
  await importWithCtr(containerd, namespace, ociArchive([here, elsewhere]));
  await using stock = await StockedRegistry.start({});
  const reference = stock.reference("app:1");
  assertEquals((await pushed(containerd, { namespace, image: here.name, reference })).uploaded, 3);
  assertEquals(stock.proxy.seen(/^POST .*\/blobs\/uploads\//).length, 2);
  await assertRejects(
    () => pushed(containerd, { namespace, image: elsewhere.name, reference: stock.reference("other:1") }),
    RegistryError, // docker's takes no foreign URLs unless told to
  );
  assertEquals(stock.proxy.seen(/^POST .*other\/blobs\/uploads\//).length, 1);
}, { series: ["2"] });

realTest(
  "pushImage() has the registry take over what it has in another repository",
  async (_t, containerd) => {
    const image = await randomImage({ seed: 7830 });
    await using stock = await StockedRegistry.start({ "one:1": image });
    const [one, two] = [stock.reference("one:1"), stock.reference("two:1")];
    const namespace = uniqueNamespace();
    await using connection = await connect({ address: containerd.address });
    await using registry = openRegistry({ plainHttp: true });
    await Array.fromAsync(pullImages(connection.namespace(namespace), [one], { registry, unpack: false }));
    const { mounted, uploaded } = await pushed(containerd, { namespace, image: one, reference: two });
    assertEquals([mounted, uploaded], [3, 1]);
    assertEquals(stock.proxy.seen(/^(PATCH|PUT) .*\/blobs\//).length, 0);
  },
  { series: ["2"] },
);

realTest("pushImage() knows from labels of ctr where a blob came from", async (_t, containerd) => {
  await using stock = await StockedRegistry.start({ "one:1": await randomImage({ seed: 7835 }) });
  const [one, two] = [stock.reference("one:1"), stock.reference("two:1")];
  const namespace = uniqueNamespace();
  await containerd.ctr(["images", "pull", "--plain-http", one], { namespace });
  const { mounted, uploaded } = await pushed(containerd, { namespace, image: one, reference: two });
  assertEquals([mounted, uploaded], [3, 1]);
});

realTest("pushImage() ends when the registry refuses, and puts no tag", async (_t, containerd) => {
  const image = await randomImage({ seed: 7840, layers: 4 });
  const namespace = uniqueNamespace();
  await importWithCtr(containerd, namespace, ociArchive([image]));
  await using stock = await StockedRegistry.start({});
  stock.proxy.fault = ({ method, path }) =>
    method !== "HEAD" && path.includes("/blobs/uploads/")
      ? Response.json({ errors: [{ code: "DENIED", message: "not for you" }] }, { status: 403 })
      : undefined;
  const reference = stock.reference("app:1");
  const error = await assertRejects(
    () => pushed(containerd, { namespace, image: image.name, reference }),
    RegistryError,
  );
  assertEquals(error.code, "permission_denied");
  assertStringIncludes(error.message, `Cannot push image "${reference}"`);
  assertEquals(stock.proxy.seen(/^PUT .*\/manifests\//).length, 0);
  await assertNothingOpen(containerd, namespace);
}, { series: ["2"] });

/** The image with other descriptors of its layers. */
async function withLayers(image: Image, change: (layer: Descriptor) => Descriptor): Promise<Image> {
  const manifest = parseJson<{ layers: Descriptor[] }>(image.blobs, image.target);
  const changed = { ...manifest, layers: manifest.layers.map(change) };
  const bytes = new TextEncoder().encode(JSON.stringify(changed));
  const target = await describe(image.target.mediaType, bytes);
  return { ...image, target, blobs: new Map([...image.blobs, [target.digest, bytes]]) };
}
