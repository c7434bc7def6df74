import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "davit";
import { importAssorted } from "../../lib/image/assorted.ts";
import {
  type Image,
  importWithCtr,
  multiPlatformImage,
  ociArchive,
  randomImage,
  sparseImage,
} from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("images list and check show ctr's columns and values", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await importAssorted(containerd, namespace);
  const inNamespace = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", ...argv]);

  const list = await inNamespace("ls");
  const listOfCtr = (await containerd.ctr(["images", "ls"], { namespace })).stdout;
  assertEquals(list.code, 0);
  // ctr shows a part of a size where the rest cannot be read.
  const sound = (line: string) => !/broken|arm64-index/.test(line);
  assertEquals(lines(list.stdout).filter(sound), lines(listOfCtr).filter(sound));
  assertEquals(lines(list.stdout).length, lines(listOfCtr).length);

  const check = await inNamespace("check");
  const checkOfCtr = (await containerd.ctr(["images", "check"], { namespace, check: false })).stdout;
  assertEquals(check.code, 3);
  assertEquals(lines(check.stdout), lines(checkOfCtr.replaceAll("0.0 B", "0 B")));
  const complete = lines(checkOfCtr).filter((line) => / complete /.test(line)).map((line) =>
    line.split(" ")[0]
  );
  const quiet = await inNamespace("check", "-q");
  assertEquals([quiet.code, quiet.stdout], [3, complete.map((name) => `${name}\n`).join("")]);
});

realTest("images list has a stable JSON form, and takes names, globs and filters", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const amd64 = await randomImage({ name: "example.com/a:1" });
  const multi = await multiPlatformImage({ name: "example.com/b:1" }); // of the same and one for arm64
  await importWithCtr(containerd, namespace, ociArchive([amd64, multi]));
  await containerd.ctr(["images", "label", "example.com/a:1", "owner=ci"], { namespace });
  const list = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", "list", ...argv]);

  const { stdout } = await list("-o", "json");
  assertEquals(Object.keys(JSON.parse(stdout)[0]), [
    ...["name", "mediaType", "digest", "size", "platforms", "labels", "createdAt", "updatedAt"],
  ]);
  assertEquals(
    JSON.parse(stdout).map(({ createdAt, updatedAt, ...row }: Record<string, string>) => {
      assert(new Date(createdAt!) <= new Date(updatedAt!));
      return row;
    }),
    [
      {
        name: "example.com/a:1",
        labels: { owner: "ci" },
        size: size(amd64),
        platforms: ["linux/amd64"],
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: amd64.target.digest,
      },
      {
        name: "example.com/b:1",
        labels: {},
        size: multi.target.size + size(amd64),
        platforms: ["linux/amd64", "linux/arm64"],
        mediaType: "application/vnd.oci.image.index.v1+json",
        digest: multi.target.digest,
      },
    ],
  );
  assertEquals((await list("-q", "example.com/b:1")).stdout, "example.com/b:1\n");
  assertEquals((await list("-q", "*.com/*")).stdout, "example.com/a:1\nexample.com/b:1\n");
  assertEquals((await list("-q", "labels.owner==ci")).stdout, "example.com/a:1\n");
  assertEquals((await list("name==")).code, 2);
});

realTest("images list says where there are images when there are none here", async (_t, containerd) => {
  const [here, there] = [uniqueNamespace("here"), uniqueNamespace("there")];
  const image = await randomImage({ name: `example.com/${there}:1` });
  await importWithCtr(containerd, there, ociArchive([image]));
  const list = (...argv: string[]) => davit(containerd, ["images", "ls", "-q", ...argv]);
  assertEquals(await list("-n", here, image.name), {
    code: 0,
    stdout: "",
    stderr: `No such images in namespace "${here}", but in "${there}"\n`,
  });
  assertEquals(await list("-n", here, "nowhere:1"), { code: 0, stdout: "", stderr: "" });
  assert(
    !(await containerd.ctr(["namespaces", "ls", "-q"])).stdout.includes(here),
    "reading creates nothing",
  );

  const all = await davit(containerd, ["images", "ls", "-A", image.name]);
  const [header, row] = lines(all.stdout).map((line) => line.split(" "));
  assertEquals(header?.slice(0, 2), ["NAMESPACE", "REF"]);
  assertEquals(row?.slice(0, 2), [there, image.name]);
});

realTest(
  "images tag copies a name with its labels, and overwrites only when forced",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const namespace = uniqueNamespace();
    const [app, other] = [
      await randomImage({ name: "docker.io/library/app:latest" }),
      await randomImage({ seed: 2 }),
    ];
    await importWithCtr(containerd, namespace, ociArchive([app, other]));
    await containerd.ctr(["images", "label", app.name, "owner=ci"], { namespace });
    const tag = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", "tag", ...argv]);
    const { images } = client.namespace(namespace);

    const { code, stdout, stderr } = await tag("app", "example.com/app:1", "app:live");
    assertEquals([code, stdout], [0, "example.com/app:1\napp:live\n"]);
    assertEquals(stderr, 'Tagging "docker.io/library/app:latest"\n');
    assertEquals((await images.get("app:live")).labels, { owner: "ci" });
    assertEquals((await images.get("app:live")).target.digest, app.target.digest);

    const refused = await tag(other.name, "app:live", "app:new");
    assertEquals([refused.code, refused.stdout], [3, "app:new\n"]);
    assertStringIncludes(
      refused.stderr,
      `Cannot create image "app:live" in namespace "${namespace}": already exists`,
    );
    assertEquals((await tag(other.name, "app:live")).code, 5);
    assertEquals((await tag(other.name, "app:live", "--force")).code, 0);
    assertEquals((await images.get("app:live")).target.digest, other.target.digest);
    assertEquals((await images.get("app:live")).labels, {});
  },
);

realTest("images tag, remove and check say where a missing image is", async (_t, containerd) => {
  const [here, there] = [uniqueNamespace("here"), uniqueNamespace("there")];
  const image = await randomImage({ name: `docker.io/library/${there}:latest` });
  await importWithCtr(containerd, there, ociArchive([image]));
  for (const verb of ["tag", "remove", "check"]) {
    const argv = ["-n", here, "images", verb, image.name, ...(verb === "tag" ? ["example.com/new:1"] : [])];
    const { code, stderr } = await davit(containerd, argv);
    assertEquals(code, 4);
    assertEquals(
      stderr,
      `davit: Cannot ${verb} image "${image.name}" in namespace "${here}": not found\n` +
        `hint: it is in namespace "${there}"\n`,
    );
  }
  const { stderr } = await davit(containerd, ["-n", there, "images", "rm", there]);
  assertStringIncludes(stderr, `hint: did you mean "${image.name}"?\n`);
  assert(!(await containerd.ctr(["namespaces", "ls", "-q"])).stdout.includes(here));
});

realTest(
  "images remove removes by name and glob, and with --sync also the content",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const namespace = uniqueNamespace();
    const images = await Promise.all(
      ["app:1", "app:2", "db:1"].map((name, seed) => randomImage({ name: `example.com/${name}`, seed })),
    );
    await importWithCtr(containerd, namespace, ociArchive(images));
    const remove = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", "rm", ...argv]);

    const { code, stdout } = await remove("example.com/app:*", "example.com/none:*", "--sync");
    assertEquals([code, stdout], [3, "example.com/app:1\nexample.com/app:2\n"]);
    const { content } = client.namespace(namespace);
    assertEquals((await Array.fromAsync(content.list())).length, images[2]!.blobs.size);

    assertEquals(await remove("example.com/app:1", "--ignore-missing"), { code: 0, stdout: "", stderr: "" });
    assertEquals((await remove("example.com/app:1")).code, 4);
    assertEquals((await containerd.ctr(["images", "ls", "-q"], { namespace })).stdout, "example.com/db:1\n");
  },
);

realTest("images check judges the platforms that it is given", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await sparseImage();
  await importWithCtr(containerd, namespace, ociArchive([image]), { allPlatforms: false });
  const check = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", "check", ...argv]);
  assertEquals((await check()).code, 0);
  const { code, stdout } = await check("--platform", "linux/amd64,linux/arm64", "-o", "json");
  const [row] = JSON.parse(stdout);
  assertEquals([code, row.status, row.present, row.required], [3, "incomplete", 3, undefined]);
  assertEquals(Object.keys(row), [
    ...["name", "mediaType", "digest", "status", "present", "presentSize", "missing", "unpacked"],
  ]);
  assertEquals((await check("--platform", "linux/arm64", "-q")).stdout, "");
  assertEquals((await check("--platform", "nonsense")).code, 2);
  assertEquals((await check("--snapshotter", "bogus")).code, 2);
  const argv = ["-n", namespace, "images", "check"];
  const env = { CONTAINERD_SNAPSHOTTER: "bogus" };
  assertEquals((await davit(containerd, argv, { env })).code, 2);
  assertEquals((await davit(containerd, [...argv, "--snapshotter", "overlayfs"], { env })).code, 0);
});

function size({ blobs }: Image): number {
  return [...blobs.values()].reduce((sum, { length }) => sum + length, 0);
}

/** The lines of a table with single blanks. */
function lines(table: string): string[] {
  return table.trimEnd().split("\n").map((line) => line.trimEnd().replace(/ +/g, " "));
}
