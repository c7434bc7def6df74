import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { connect, ContainerdError, exportImages, type ExportOptions, type Progress } from "davit";
import { restricted } from "../../../lib/host.ts";
import { Client } from "../../../lib/client.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import type { Containerd } from "../../real/containerd.ts";
import { debianPackage } from "../../real/debian.ts";
import { blobPath, type Image, parseJson } from "../../real/image_builder.ts";
import {
  busyboxImage,
  checkWithCtr,
  importWithCtr,
  manyImages,
  multiPlatformImage,
  nestedImage,
  ociArchive,
  randomImage,
  sparseImage,
} from "../../real/images.ts";
import type { Bytes, Descriptor } from "../../real/layers.ts";
import { run } from "../../real/process.ts";
import { skopeo } from "../../real/skopeo.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { assertNothingOpen, imported, stateOf } from "./imported.ts";

/** Exports through a connection of its own. */
async function exported(
  { address }: Containerd,
  namespace: string,
  names: string[],
  options: ExportOptions = {},
) {
  await using client = await connect({ address });
  const archive = await exportImages(client.namespace(namespace), names, options);
  const bytes = await new Response(ReadableStream.from(archive)).bytes();
  assertEquals(bytes.length, archive.size);
  return { bytes, images: archive.images };
}

/** Writes bytes to a file for the time of `work`. */
async function withFile(bytes: Bytes, work: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-export-" });
  try {
    await Deno.writeFile(join(folder, "image.tar"), bytes);
    await work(join(folder, "image.tar"), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function contentsOf(path: string): Promise<{ list: string; bytes: Bytes }> {
  const { stdout: list } = await run("tar", ["-tvf", path]);
  const { stdout: bytes } = await new Deno.Command("tar", { args: ["-xOf", path] }).output();
  return { list, bytes };
}

realTest("exportImages() puts into an archive what ctr puts there", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const multi = await multiPlatformImage({ seed: 500, name: "docker.io/library/multi:v1" });
  const [sparse, single] = [await sparseImage({ seed: 501 }), await randomImage({ seed: 502 })];
  await imported(containerd, namespace, ociArchive([multi, sparse, single]));
  const local = containerd.release.series === "1.6" ? [] : ["--local"];
  const cases: [name: string, flags: string[], options: ExportOptions][] = [
    [multi.name, ["--all-platforms"], {}],
    [multi.name, ["--all-platforms"], { allPlatforms: true }],
    [multi.name, ["--platform", "linux/arm64"], { platforms: ["arm64"] }],
    [sparse.name, [], {}],
    [single.name, [], {}],
  ];
  for (const [name, flags, options] of cases) {
    const { bytes } = await exported(containerd, namespace, [name], options);
    await withFile(bytes, async (path, folder) => {
      const theirs = join(folder, "ctr.tar");
      await containerd.ctr(["images", "export", ...local, ...flags, theirs, name], { namespace });
      const [our, their] = [await contentsOf(path), await contentsOf(theirs)];
      // Before 1.7 an index did not say what it is.
      const isOld = containerd.release.series === "1.6";
      const comparable = (list: string) => isOld ? list.replace(/^.* index\.json\n/m, "") : list;
      assertEquals(comparable(our.list), comparable(their.list));
      if (!isOld) assertEquals(our.bytes, their.bytes);
    });
  }
  await assertNothingOpen(containerd, namespace);
});

realTest(
  "exportImages() gives the same bytes for the same images, each blob once",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const images = await manyImages({ count: 5, seed: 510 });
    await imported(containerd, namespace, ociArchive(images));
    const names = images.map(({ name }) => name);
    const first = await exported(containerd, namespace, names);
    assertEquals(first.images.map(({ image }) => image), names);
    assertEquals((await exported(containerd, namespace, ["example.com/many/**"])).bytes, first.bytes);
    assertEquals((await exported(containerd, namespace, names.toReversed())).bytes, first.bytes);
    await withFile(first.bytes, async (path) => {
      const files = (await run("tar", ["-tf", path])).stdout.split("\n").filter((name) =>
        /blobs\/.*\//.test(name)
      );
      const blobs = new Set(images.flatMap(({ blobs }) => [...blobs.keys()]));
      assertEquals(files.slice(1).toSorted(), [...blobs].map(blobPath).toSorted());
    });
  },
);

realTest("exportImages() makes archives that ctr imports, checks and runs", async (_t, containerd) => {
  const [from, to] = [uniqueNamespace(), uniqueNamespace()];
  const [busybox, sparse, nested] = [
    await busyboxImage(),
    await sparseImage({ seed: 520 }),
    await nestedImage({ seed: 521 }),
  ];
  await imported(containerd, from, ociArchive([busybox, sparse, nested]));
  const { bytes } = await exported(containerd, from, ["busybox", sparse.name, nested.name]);
  await importWithCtr(containerd, to, bytes, { allPlatforms: false });
  const states = await checkWithCtr(containerd, to);
  assertEquals([...states.values()], ["complete (2/2)", "complete (3/3)", "complete (3/3)"]);
  const { stdout } = await containerd.ctr(
    ["run", "--rm", busybox.name, uniqueNamespace("id"), "echo", "ahoy"],
    { namespace: to },
  );
  assertEquals(stdout, "ahoy\n");

  const again = uniqueNamespace();
  await imported(containerd, again, bytes);
  assertEquals(await stateOf(containerd, again), await stateOf(containerd, from));
  assertEquals((await exported(containerd, again, [])).bytes, bytes);
});

realTest("exportImages() makes archives that skopeo and umoci read", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await multiPlatformImage({ seed: 530, name: "docker.io/library/multi:v1" });
  await imported(containerd, namespace, ociArchive([image]));
  const { bytes } = await exported(containerd, namespace, [image.name]);
  await withFile(bytes, async (path, folder) => {
    const inspect = ["--override-os", "linux", "--override-arch", "arm64", "inspect"];
    const oci = JSON.parse((await skopeo([...inspect, `oci-archive:${path}:v1`])).stdout);
    assertEquals([oci.Digest, oci.Architecture], [image.target.digest, "arm64"]);
    const docker = JSON.parse((await skopeo(["inspect", `docker-archive:${path}:multi:v1`])).stdout);
    assertEquals(docker.Architecture, "amd64");

    const copy = ["copy", "--insecure-policy", "--all", `oci-archive:${path}:v1`, `oci:${folder}/copy:v1`];
    await skopeo(copy);
    for (const [digest, blob] of image.blobs) {
      assertEquals(await Deno.readFile(`${folder}/copy/${blobPath(digest)}`), blob);
    }
    await skopeo(["copy", "--insecure-policy", `docker-archive:${path}`, `dir:${folder}/dir`]);

    const single = await exported(containerd, namespace, [image.name], { platforms: ["linux/arm64"] });
    const layout = join(folder, "layout");
    await Deno.mkdir(layout);
    await Deno.writeFile(path, single.bytes);
    await run("tar", ["-xf", path, "-C", layout]);
    const umoci = join(await debianPackage("umoci"), "usr/bin/umoci");
    assertEquals((await run(umoci, ["ls", "--layout", layout])).stdout, "v1\n");
  });
}, { series: ["2"] });

realTest(
  "exportImages() leaves out platforms that are not complete, unless they are wanted",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const namespaced = client.namespace(uniqueNamespace());
    const image = await multiPlatformImage({ seed: 540 });
    await imported(containerd, namespaced.name, ociArchive([image]));
    const run = (options: ExportOptions = {}) => exported(containerd, namespaced.name, [image.name], options);
    const lost = await layerOf(image, "arm64");
    await namespaced.content.delete(lost.digest);

    const { images: [result] } = await run();
    assertEquals([result!.platforms, result!.missing], [["linux/amd64"], ["linux/arm64"]]);
    assertEquals((await run({ platforms: ["linux/amd64"] })).images[0]!.missing, []);
    const lacks = `Cannot export image "${image.name}" in namespace "${namespaced.name}": ` +
      `its linux/arm64 lacks content ${lost.digest}`;
    for (const options of [{ platforms: ["linux/arm64"] }, { allPlatforms: true }]) {
      await assertRejects(() => run(options), ContainerdError, lacks);
    }
    await assertRejects(
      () => run({ platforms: ["linux/s390x"] }),
      ContainerdError,
      `"${image.name}" in namespace "${namespaced.name}": it has no linux/s390x, only linux/amd64, linux/arm64`,
    );
    await assertRejects(() => run({ platforms: ["nonsense"] }), SyntaxError, "Cannot parse platform");

    await namespaced.content.delete((await layerOf(image, "amd64")).digest);
    await assertRejects(() => run(), ContainerdError, `its linux/amd64 lacks content sha256:`);
    await namespaced.content.delete(image.target.digest);
    await assertRejects(() => run(), ContainerdError, `its content ${image.target.digest} (`);
    await assertRejects(
      () => exported(containerd, namespaced.name, ["example.com/none:1"]),
      ContainerdError,
      'Cannot export image "example.com/none:1"',
    );
    await assertNothingOpen(containerd, namespaced.name);
  },
);

realTest("exportImages() breaks off at a blob that is damaged or too short", async (_t, containerd) => {
  for (const [seed, layerBytes] of [[550, 10_000], [551, 9 << 20], [552, 10_000], [553, 9 << 20]] as const) {
    const namespace = uniqueNamespace();
    const image = await randomImage({ seed, layerBytes, layers: 1 });
    await imported(containerd, namespace, ociArchive([image]));
    const { digest, size } = await layerOf(image);
    const file = join(containerd.contentDir, digest.replace(":", "/"));
    const bytes = await Deno.readFile(file);
    bytes[size - 1]! ^= 1;
    await Deno.remove(file);
    await Deno.writeFile(file, seed < 552 ? bytes : bytes.subarray(0, size - 1));
    await assertRejects(() => exported(containerd, namespace, [image.name]), ContainerdError, digest);
    await assertNothingOpen(containerd, namespace);
  }
}, { fresh: true });

realTest("exportImages() keeps what it reads from being collected", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespaced = client.namespace(uniqueNamespace());
  const image = await randomImage({ seed: 560, layers: 3, layerBytes: 5 << 20 });
  await imported(containerd, namespaced.name, ociArchive([image]));
  await using archive = await exportImages(namespaced, [image.name]);
  await namespaced.images.delete(image.name);
  await namespaced.leases.collectGarbage();
  let length = 0;
  for await (const bytes of archive) length += bytes.length;
  assertEquals(length, archive.size);
  await namespaced.leases.collectGarbage();
  assertEquals(await stateOf(containerd, namespaced.name), { images: [], blobs: {} });
  await assertNothingOpen(containerd, namespaced.name);
});

realTest("exportImages() does without a lease where nothing may be written", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 570 });
  await imported(containerd, namespace, ociArchive([image]));
  const transport = await openSocket({ path: containerd.address });
  await using client = new Client(restricted(transport, { namespaces: "any", write: false }));
  const archive = await exportImages(client.namespace(namespace), [image.name]);
  assertEquals(
    await new Response(ReadableStream.from(archive)).bytes(),
    (await exported(containerd, namespace, [])).bytes,
  );
}, { series: ["2"] });

realTest(
  "exportImages() ends with the reason of its signal, and when nobody reads on",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const image = await randomImage({ seed: 580, layers: 2, layerBytes: 20 << 20 });
    await imported(containerd, namespace, ociArchive([image]));
    const controller = new AbortController();
    const reason = new Error("enough");
    const onProgress = ({ done }: Progress) => done > 10 << 20 && controller.abort(reason);
    const { signal } = controller;
    const failure = await assertRejects(() =>
      exported(containerd, namespace, [image.name], { signal, onProgress })
    );
    assertEquals(failure, reason);
    await assertNothingOpen(containerd, namespace);

    await using client = await connect({ address: containerd.address });
    for await (const _bytes of await exportImages(client.namespace(namespace), [image.name])) break;
    await using _unread = await exportImages(client.namespace(namespace), [image.name]);
    assertEquals((await Array.fromAsync(client.namespace(namespace).leases.list())).length, 1);
  },
  { series: ["2"] },
);

realTest("exportImages() reports each blob, and their bytes", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const images = await manyImages({ count: 2, seed: 590, sharedLayers: 1 });
  await imported(containerd, namespace, ociArchive(images));
  const states: Progress[] = [];
  await exported(containerd, namespace, [], { onProgress: (state) => states.push(state) });
  const last = states.at(-1)!;
  const blobs = new Map(images.flatMap(({ blobs }) => [...blobs]));
  const bytes = [...blobs.values()].reduce((sum, { length }) => sum + length, 0);
  assertEquals([last.task, last.unit, last.done, last.total], ["exporting", "bytes", bytes, bytes]);
  const items = new Map(states.flatMap(({ items = [] }) => items).map((item) => [item.name, item]));
  assertEquals(states[0]!.items!.map(({ state }) => state), Array(blobs.size).fill("waiting"));
  assert(
    items.size === blobs.size &&
      items.values().every(({ state, done, total }) => state === "done" && done === total),
  );
}, { series: ["2"] });

/** The first layer of an image, or of its platform. */
function layerOf({ blobs, target }: Image, architecture?: string): Descriptor {
  const document = parseJson<{ layers?: Descriptor[]; manifests?: Descriptor[] }>(blobs, target);
  const { manifests = [] } = document;
  const manifest = manifests.find(({ platform }) => platform?.architecture === architecture);
  return (manifest ? parseJson<{ layers: Descriptor[] }>(blobs, manifest) : document).layers![0]!;
}
