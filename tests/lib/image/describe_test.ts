import { assertEquals } from "@std/assert";
import { connect, type DescribedImage, describeImages } from "davit";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { importAssorted } from "./assorted.ts";

realTest(
  "describeImages() tells the size and platforms that ctr tells, and nothing of broken images",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    await importAssorted(containerd, namespace);
    await using connection = await connect({ address: containerd.address });
    const client = connection.namespace(namespace);
    const rows = (await Array.fromAsync(describeImages(client, client.images.list()))).map(row);

    const { stdout } = await containerd.ctr(["images", "ls"], { namespace });
    const lines = stdout.matchAll(/^(\S+) +\S+ +sha256:\w+ +([\d.]+ \S*B) +(\S+) /gm);
    const expected = [...lines].map(([, name = "", size = "", platforms = ""]) => {
      // ctr prints the size of what it could read until it failed.
      const isUnknown = /arm64-index|broken\/(child|index|manifest)/.test(name);
      return [name, isUnknown ? "-" : size, platforms].join(" ");
    });
    assertEquals(rows, expected);
    assertEquals(rows.length, 15);
  },
);

realTest("describeImages() reads a target that many names share once", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage();
  await importWithCtr(containerd, namespace, ociArchive([image]));
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(namespace);
  const original = await client.images.get(image.name);
  const images = ["a", "b", "c"].map((name) => ({ ...original, name }));
  let reads = 0;
  const readSmall = client.content.readSmall.bind(client.content);
  client.content.readSmall = (...args) => (reads++, readSmall(...args));
  const described = await Array.fromAsync(describeImages(client, images));
  assertEquals(described.map(({ name }) => name), ["a", "b", "c"]);
  assertEquals(new Set(described.map(({ size }) => size)).size, 1);
  assertEquals(reads, 2);
});

function row({ name, size, platforms }: DescribedImage): string {
  return [name, size === undefined ? "-" : iec(size), platforms.join(",") || "-"].join(" ");
}

/** As ctr writes sizes of less than a GiB. */
function iec(bytes: number): string {
  if (bytes < 1024) return `${bytes.toFixed(1)} B`;
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
