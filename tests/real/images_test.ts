import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Containerd } from "./containerd.ts";
import {
  busyboxImage,
  checkWithCtr,
  collect,
  dockerArchive,
  type Image,
  importWithCtr,
  manyImages,
  multiPlatformImage,
  nestedImage,
  ociArchive,
  oneBigImage,
  randomImage,
  sparseImage,
} from "./images.ts";
import { sha256 } from "./layers.ts";
import { realTest, uniqueNamespace } from "./test.ts";

realTest("busyboxImage() can be imported, is complete, and runs", async (_t, containerd) => {
  const image = await busyboxImage();
  const namespace = uniqueNamespace();
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  assertEquals(await checkWithCtr(containerd, namespace), new Map([[image.name, "complete (2/2)"]]));
  const command = ["run", "--rm", image.name, uniqueNamespace("id"), "sh", "-c", "echo $((40 + 2)) | tr 2 3"];
  assertEquals((await containerd.ctr(command, { namespace })).stdout, "43\n");
});

realTest("randomImage() keeps its digests when imported", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ layers: 3, seed: 7 });
  await importWithCtr(containerd, namespace, ociArchive([image]));
  assertEquals(await checkWithCtr(containerd, namespace), new Map([[image.name, "complete (4/4)"]]));
  assertEquals(await digestsIn(containerd, namespace), [...image.blobs.keys()].sort());
  for (const [digest, bytes] of image.blobs) assertEquals(await sha256(bytes), digest);
});

realTest("multiPlatformImage() brings both platforms", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await multiPlatformImage();
  await importWithCtr(containerd, namespace, ociArchive([image]));
  // ctr counts what the machine's own platform needs.
  assertEquals(await checkWithCtr(containerd, namespace), new Map([[image.name, "complete (3/3)"]]));
  assertEquals(await digestsIn(containerd, namespace), [...image.blobs.keys()].sort());
});

realTest(
  "sparseImage() is complete for linux/amd64 and has nothing of linux/arm64",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const image = await sparseImage();
    await importWithCtr(containerd, namespace, ociArchive([image]), { allPlatforms: false });
    assertEquals(await checkWithCtr(containerd, namespace), new Map([[image.name, "complete (3/3)"]]));
    assertEquals(await digestsIn(containerd, namespace), [...image.blobs.keys()].sort());
    const whole = await multiPlatformImage({ name: image.name });
    assertEquals(whole.target, image.target);
    assertEquals(whole.blobs.size - image.blobs.size, 4);
  },
);

realTest("nestedImage() brings an index inside an index", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await nestedImage();
  await importWithCtr(containerd, namespace, ociArchive([image]));
  assertEquals(await digestsIn(containerd, namespace), [...image.blobs.keys()].sort());
  assertEquals([...(await checkWithCtr(containerd, namespace)).keys()], [image.name]);
});

realTest("dockerArchive() can be imported under the short name that it holds", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ name: "docker.io/library/short:v1" });
  await importWithCtr(containerd, namespace, dockerArchive([image]));
  assertEquals(await checkWithCtr(containerd, namespace), new Map([[image.name, "complete (3/3)"]]));
});

realTest("manyImages() share their layers", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const images = await manyImages({ count: 20 });
  await importWithCtr(containerd, namespace, ociArchive(images));
  const complete = images.map(({ name }): [string, string] => [name, "complete (7/7)"]);
  assertEquals(await checkWithCtr(containerd, namespace), new Map(complete));
  assertEquals((await digestsIn(containerd, namespace)).length, 5 + 20 * 3);
});

realTest("oneBigImage() streams an archive that can be imported", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const folder = await Deno.makeTempDir();
  try {
    const archive = `${folder}/big.tar`;
    const image = await oneBigImage(archive, { bytes: 20 << 20 });
    assert((await Deno.stat(archive)).size > 20 << 20);
    await importWithCtr(containerd, namespace, archive);
    assertEquals(await checkWithCtr(containerd, namespace), new Map([[image.name, "complete (2/2)"]]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("images are the same for the same seed and differ for another", async () => {
  const archive = async (image: Promise<Image>) => await sha256(await collect(ociArchive([await image])));
  assertEquals(
    await archive(multiPlatformImage({ seed: 3 })),
    await archive(multiPlatformImage({ seed: 3 })),
  );
  assertNotEquals(await archive(randomImage({ seed: 3 })), await archive(randomImage({ seed: 4 })));
  const digests = (await manyImages({ count: 3 })).map(({ target }) => target.digest);
  assertEquals(new Set(digests).size, 3);
});

async function digestsIn(containerd: Containerd, namespace: string): Promise<string[]> {
  const { stdout } = await containerd.ctr(["content", "ls", "--quiet"], { namespace });
  return stdout.trim().split("\n").sort();
}
