import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
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
import { parseJson } from "../../real/image_builder.ts";
import type { Descriptor } from "../../real/layers.ts";
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
