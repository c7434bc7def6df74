import { assert, assertEquals, assertRejects } from "@std/assert";
import { NotFoundError } from "../../lib/errors.ts";
import { randomLayer } from "../real/layers.ts";
import { daemonTest } from "./both_transports.ts";

daemonTest("diff.apply() unpacks what diff.diff() packs", async ({ namespaced }) => {
  await namespaced.leases.create({ id: "l" });
  const { content, diff } = namespaced.withLease("l");
  const { descriptor, diffId, bytes } = await randomLayer(50_000, 5000);
  await content.write({ digest: descriptor.digest, size: bytes.length }, async function* (offset) {
    yield bytes.subarray(offset);
  });
  const overlayfs = namespaced.withLease("l").snapshots("overlayfs");
  const mounts = await overlayfs.prepare({ key: "a" });
  const applied = await diff.apply({ layer: descriptor, mounts }, { syncFs: true });
  assertEquals(applied.digest, diffId);
  assert(applied.size > 50_000);
  await overlayfs.commit({ name: "base", key: "a" });

  const right = await overlayfs.prepare({ key: "b", parent: "base" });
  const upper = right[0]!.options.find((option) => option.startsWith("upperdir="))!.slice("upperdir=".length);
  await Deno.writeTextFile(`${upper}/added`, "hello");
  const left = await overlayfs.view({ key: "v", parent: "base" });
  const mediaType = "application/vnd.oci.image.layer.v1.tar";
  const layer = await diff.diff({ left, right, mediaType, ref: "r", labels: { l: "1" } });
  assertEquals(layer.mediaType, mediaType);
  const info = await content.info(layer.digest);
  assertEquals([info.size, info.labels.l], [layer.size, "1"]);
  const text = new TextDecoder().decode(await content.readSmall(layer));
  assert(text.includes("added") && text.includes("hello") && !text.includes("data-5000"));

  const again = await overlayfs.prepare({ key: "c", parent: "base" });
  assertEquals((await diff.apply({ layer, mounts: again })).digest, layer.digest);
  const added = again[0]!.options.find((option) => option.startsWith("upperdir="))!.slice("upperdir=".length);
  assertEquals(await Deno.readTextFile(`${added}/added`), "hello");
  const absent = { ...layer, digest: `sha256:${"0".repeat(64)}` };
  await assertRejects(
    () => diff.apply({ layer: absent, mounts: again }),
    NotFoundError,
    `Cannot unpack layer ${absent.digest} in namespace "${namespaced.name}"`,
  );
});
