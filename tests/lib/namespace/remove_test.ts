import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Client, connect, FailedPreconditionError, NotFoundError, removeNamespace } from "davit";
import { busyboxImage, importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const dayMs = 24 * 60 * 60 * 1000;

realTest("removeNamespace() removes a namespace right after its last image", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const image = await busyboxImage();
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  await client.namespace(namespace).images.delete(image.name);
  await removeNamespace(client, namespace);
  assert(!(await client.namespaces.exists(namespace)));
});

realTest("removeNamespace() collects what an expired lease held", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  await leaveBlobs(client, namespace, { expiresInMs: -1000 });
  await removeNamespace(client, namespace);
  assert(!(await client.namespaces.exists(namespace)));
});

realTest("removeNamespace() gives containerd's reason for one that is not empty", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const image = await randomImage();
  await importWithCtr(containerd, namespace, ociArchive([image]));
  const { stderr } = await containerd.ctr(["namespaces", "rm", namespace], { check: false });
  const [reason = ""] = /must be empty, but it still has .*?: failed precondition/.exec(stderr) ?? [];
  assert(reason.includes("images, blobs"), stderr);
  await assertRejects(() => removeNamespace(client, namespace), FailedPreconditionError, reason);
  assertEquals((await Array.fromAsync(client.namespace(namespace).leases.list())).length, 0);
  assert(await client.namespace(namespace).content.find(image.target.digest));
});

realTest("removeNamespace() leaves a namespace that has sandboxes", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const { sandboxes } = client.namespace(namespace);
  await client.namespaces.create(namespace);
  await sandboxes.create({ id: "pod", runtime: "io.containerd.runc.v2" });
  const reason = "must be empty, but it still has sandboxes";
  await assertRejects(() => removeNamespace(client, namespace), FailedPreconditionError, reason);
  await sandboxes.delete("pod");
  await removeNamespace(client, namespace);
}, { series: ["1.7", "2"] });

realTest("removeNamespace() leaves a namespace in which somebody holds a lease", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const lease = await leaveBlobs(client, namespace, { expiresInMs: dayMs });
  const refused = () => removeNamespace(client, namespace);
  await assertRejects(refused, FailedPreconditionError, `somebody holds lease "${lease}"`);
  assertEquals((await Array.fromAsync(client.namespace(namespace).content.list())).length, 1);
  await removeNamespace(client, namespace, { deleteLeases: true });
  assert(!(await client.namespaces.exists(namespace)));
});

realTest(
  "removeNamespace() deletes no lease of a namespace that it cannot remove",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const namespace = uniqueNamespace();
    await importWithCtr(containerd, namespace, ociArchive([await randomImage()]));
    const { leases } = client.namespace(namespace);
    await leases.create({ id: "somebody's", expiresInMs: dayMs });
    const refused = () => removeNamespace(client, namespace, { deleteLeases: true });
    await assertRejects(refused, FailedPreconditionError, "images");
    assertEquals((await Array.fromAsync(leases.list())).map(({ id }) => id), ["somebody's"]);
  },
);

realTest("removeNamespace() says when the namespace is there again", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  await client.namespaces.create(namespace);
  const remove = client.namespaces.delete.bind(client.namespaces);
  client.namespaces.delete = async (name) => {
    await remove(name);
    await client.namespace(name).leases.create({ id: "somebody's" });
  };
  await assertRejects(() => removeNamespace(client, namespace), FailedPreconditionError, "it is there again");
});

realTest("removeNamespace() fails for a namespace that does not exist", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  await assertRejects(() => removeNamespace(client, namespace), NotFoundError);
  assert(!(await client.namespaces.exists(namespace)));
});

/** A namespace with one blob, which a lease holds, or held. */
async function leaveBlobs(
  client: Client,
  namespace: string,
  { expiresInMs }: { expiresInMs: number },
): Promise<string> {
  const id = "holder";
  const inside = client.namespace(namespace);
  await inside.leases.create({ id, expiresInMs: dayMs });
  const bytes = new TextEncoder().encode(namespace);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  const blob = { digest: `sha256:${hash}`, size: bytes.length };
  await inside.withLease(id).content.write(blob, async function* () {
    yield bytes;
  });
  if (expiresInMs > 0) return id;
  // The blob keeps its lease, which from now on counts for nothing.
  await inside.leases.create({ id: "expired", expiresInMs });
  await inside.leases.addResource("expired", { id: blob.digest, type: "content" });
  await inside.leases.delete(id);
  return "expired";
}
