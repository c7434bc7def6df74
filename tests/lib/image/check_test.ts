import { assert, assertEquals, assertRejects } from "@std/assert";
import { type CheckedImage, checkImage, checkImages, connect, InvalidArgumentError } from "davit";
import { parseJson } from "../../real/image_builder.ts";
import { importWithCtr, multiPlatformImage, ociArchive, sparseImage } from "../../real/images.ts";
import type { Descriptor } from "../../real/layers.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { importAssorted } from "./assorted.ts";

realTest("checkImages() says of every image what ctr says", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await importAssorted(containerd, namespace);
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(namespace);
  const checks = checkImages(client, client.images.list(), { snapshotter: "overlayfs" });
  const rows = (await Array.fromAsync(checks)).map(row);

  const { stdout } = await containerd.ctr(["images", "check"], { namespace, check: false });
  const lines = stdout.matchAll(/^(\S+) +\S+ +sha256:\w+ +(\w+ \(.*?\)) +.* (true|false) *$/gm);
  assertEquals(rows, [...lines].map((line) => line.slice(1).join(" ")));
  assertEquals(rows.length, 15);
});

realTest(
  "checkImage() names what is missing of the platforms that it is asked about",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const sparse = await sparseImage({ seed: 5 });
    await importWithCtr(containerd, namespace, ociArchive([sparse]), { allPlatforms: false });
    const whole = await multiPlatformImage({ seed: 6 });
    await importWithCtr(containerd, namespace, ociArchive([whole]));
    await using connection = await connect({ address: containerd.address });
    const client = connection.namespace(namespace);
    const platforms = ["linux/amd64", "linux/arm64"];

    const [, arm64] = parseJson<{ manifests: { digest: string }[] }>(sparse.blobs, sparse.target).manifests;
    const check = await checkImage(client, await client.images.get(sparse.name), { platforms });
    assertEquals(check.status, "incomplete");
    assertEquals([check.present, check.required], [3, undefined]);
    assertEquals(check.missing.map(({ digest }) => digest), [arm64!.digest]);

    const complete = await checkImage(client, await client.images.get(whole.name), { platforms });
    assertEquals(complete.status, "complete");
    assertEquals([complete.present, complete.required, complete.missing], [6, 6, []]);
    const [riscv] = await Array.fromAsync(
      checkImages(client, [await client.images.get(whole.name)], {
        platforms: ["linux/riscv64"],
      }),
    );
    assertEquals([riscv?.status, riscv?.reason], ["unavailable", "no manifest for linux/riscv64"]);
  },
);

realTest("checkImage() demands every platform on demand", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const [whole, sparse, layers] = [
    await multiPlatformImage({ seed: 8 }),
    await sparseImage({ seed: 9 }),
    await multiPlatformImage({ seed: 10 }),
  ];
  await importWithCtr(containerd, namespace, ociArchive([whole, layers]));
  await importWithCtr(containerd, namespace, ociArchive([sparse]), { allPlatforms: false });
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(namespace);
  const { manifests } = parseJson<{ manifests: Descriptor[] }>(layers.blobs, layers.target);
  const lost = parseJson<{ layers: Descriptor[] }>(layers.blobs, manifests.at(-1)!).layers[0]!;
  await client.content.delete(lost.digest);
  const absent = parseJson<{ manifests: Descriptor[] }>(sparse.blobs, sparse.target).manifests
    .filter(({ digest }) => !sparse.blobs.has(digest));

  const checks = async (allPlatforms: boolean) => {
    const images = client.images.list();
    const rows = await Array.fromAsync(
      checkImages(client, images, { allPlatforms, platforms: ["linux/amd64"] }),
    );
    return new Map(rows.map(({ image, ...check }) => [image.name, check]));
  };
  const one = await checks(false);
  assertEquals([...one.values()].map(({ status }) => status), ["complete", "complete", "complete"]);
  const all = await checks(true);
  const needed = manifests.flatMap((manifest) => {
    const { config, layers: own } = parseJson<{ config: Descriptor; layers: Descriptor[] }>(
      layers.blobs,
      manifest,
    );
    return [config, ...own];
  });
  const { status, required, present, requiredSize } = all.get(whole.name)!;
  assertEquals([status, required, present], ["complete", needed.length, needed.length]);
  assert(requiredSize! > one.get(whole.name)!.requiredSize!);
  assertEquals(all.get(layers.name)!.status, "incomplete");
  assertEquals(all.get(layers.name)!.missing.map(({ digest }) => digest), [lost.digest]);
  assertEquals([all.get(sparse.name)!.status, all.get(sparse.name)!.required], ["incomplete", undefined]);
  assertEquals(all.get(sparse.name)!.missing.map(({ digest }) => digest), absent.map(({ digest }) => digest));
}, { series: ["2"] });

realTest("checkImage() reports a document that is not what its type says", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(namespace);
  const text = '{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}';
  const digest = "sha256:" + new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)),
  ).toHex();
  await containerd.ctr(["content", "ingest", "--expected-digest", digest, "x"], {
    namespace,
    stdin: new TextEncoder().encode(text),
  });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const image = await client.images.create({
    name: "example.com/both:v1",
    target: { mediaType, digest, size: text.length },
  });
  const { status, reason } = await checkImage(client, image);
  assertEquals(status, "error");
  assertEquals(reason?.includes(digest), true);
});

realTest("checkImage() fails for a snapshotter that containerd does not have", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await multiPlatformImage({ seed: 7 });
  await importWithCtr(containerd, namespace, ociArchive([image]));
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(namespace);
  const check = checkImage(client, await client.images.get(image.name), { snapshotter: "bogus" });
  await assertRejects(() => check, InvalidArgumentError, "bogus");
});

/** As ctr prints it, without the sizes. */
function row({ image, status, present, required, unpacked }: CheckedImage): string {
  return `${image.name} ${status} (${present}/${required ?? "?"}) ${unpacked}`;
}
