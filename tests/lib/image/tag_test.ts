import { assertEquals, assertRejects } from "@std/assert";
import { AlreadyExistsError, connect, findImage, NotFoundError, tagImage } from "davit";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const mediaType = "application/vnd.oci.image.manifest.v1+json";
const targetOf = (digit: string) => ({ mediaType, digest: `sha256:${digit.repeat(64)}`, size: 1 });

realTest("tagImage() adds a name for the same target and labels", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(uniqueNamespace());
  const { images } = client;
  const source = await images.create({
    name: "example.com/a:1",
    target: targetOf("1"),
    labels: { owner: "ci" },
  });
  await tagImage(client, { source, name: "example.com/a:2" });
  const { target, labels } = await images.get("example.com/a:2");
  assertEquals([target, labels], [source.target, source.labels]);
});

realTest("tagImage() leaves a name that exists alone unless forced", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(uniqueNamespace());
  const { images } = client;
  const source = await images.create({
    name: "example.com/a:1",
    target: targetOf("1"),
    labels: { owner: "ci" },
  });
  const other = await images.create({
    name: "example.com/a:2",
    target: targetOf("2"),
    labels: { old: "yes" },
  });
  await assertRejects(() => tagImage(client, { source, name: other.name }), AlreadyExistsError);
  assertEquals(await images.get(other.name), other);

  await tagImage(client, { source, name: other.name, force: true });
  const { target, labels } = await images.get(other.name);
  assertEquals([target, labels], [source.target, source.labels]);
});

realTest("tagImage() refuses what is no reference unless told not to look", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(uniqueNamespace());
  const source = await client.images.create({ name: "example.com/a:1", target: targetOf("1") });
  for (const name of ["", "../../etc", "Upper", "a:b:c", "new\nline", "a@sha256:12"]) {
    await assertRejects(() => tagImage(client, { source, name }), SyntaxError);
  }
  await tagImage(client, { source, name: "../../etc", skipReferenceCheck: true });
  const names = (await Array.fromAsync(client.images.list())).map(({ name }) => name);
  assertEquals(names, ["../../etc", "example.com/a:1"]);
});

realTest("findImage() finds an image by its exact name first, then by docker's", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(uniqueNamespace());
  const full = "docker.io/library/busybox:latest";
  await client.images.create({ name: full, target: targetOf("1") });
  assertEquals((await findImage(client, "busybox")).name, full);
  await client.images.create({ name: "busybox", target: targetOf("2") });
  assertEquals((await findImage(client, "busybox")).name, "busybox");
  await assertRejects(() => findImage(client, "busybox:1"), NotFoundError, '"busybox:1"');
  await assertRejects(() => findImage(client, "../x"), NotFoundError);
});
