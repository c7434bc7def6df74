import { assertEquals, assertRejects } from "@std/assert";
import { type Image, type NamespacedClient, type Progress, verifyContent } from "davit";
import { importWithCtr, multiPlatformImage, ociArchive, sparseImage } from "../real/images.ts";
import type { Containerd } from "../real/containerd.ts";
import { daemonTest, serviceTest } from "./both_transports.ts";
import { leased, MiB, pieces, randomBlob } from "./some_blob.ts";

const absent = `sha256:${"0".repeat(64)}`;

serviceTest("verifyContent() reads every blob once, whoever shares it", async ({ client, namespaced }) => {
  await using one = await leased(namespaced);
  await using two = await leased(client.namespace(`${namespaced.name}-2`));
  const blobs = await Promise.all([0, 10, 9 * MiB, 10].map((size) => randomBlob(size)));
  for (const { bytes, ...blob } of blobs) await one.content.write(blob, () => pieces(bytes));
  for (const { bytes, ...blob } of blobs.slice(2)) await two.content.write(blob, () => pieces(bytes));
  const states: Progress[] = [];
  const rows = await Array.fromAsync(
    verifyContent([one, two], { onProgress: (state) => states.push(state) }),
  );
  assertEquals(
    rows.map(({ namespace, digest, size, status }) => [namespace, digest, size, status]),
    [
      ...sorted(blobs).map(({ digest, size }) => [one.name, digest, size, "ok"]),
      ...sorted(blobs.slice(2)).map(({ digest, size }) => [two.name, digest, size, "ok"]),
    ],
  );
  const total = 9 * MiB + 20;
  assertEquals(states.at(-1), { task: "verifying", done: total, total });
  const { digest } = blobs[0]!;
  assertEquals(await Array.fromAsync(verifyContent([two], { digests: [digest, absent] })), [
    { namespace: two.name, digest, status: "missing", reason: "the namespace does not know it" },
    { namespace: two.name, digest: absent, status: "missing", reason: "the namespace does not know it" },
  ]);
  await assertRejects(() => Array.fromAsync(verifyContent([one], { digests: ["sha256:0"] })), SyntaxError);
});

daemonTest("verifyContent() tells damaged, cut and lost blobs", async ({ containerd, namespaced }) => {
  await using held = await leased(namespaced);
  const expected = new Map<string, string>();
  for (const size of [1_000, 9 * MiB]) {
    for (const [expectation, damage] of damages) {
      const { bytes, ...blob } = await randomBlob(size);
      await held.content.write(blob, () => pieces(bytes));
      const file = fileOf(containerd, blob.digest);
      await Deno.chmod(file, 0o600);
      await damage(file, bytes);
      expected.set(blob.digest, expectation);
    }
  }
  const found = new Map<string, string>();
  for await (const { digest, status, reason } of verifyContent([held])) {
    found.set(digest, `${status}: ${reason}`.replace(/\d+ bytes instead of \d+/, "cut"));
  }
  assertEquals(Object.fromEntries(found), Object.fromEntries(expected));
});

daemonTest("verifyContent() passes over what is deleted while it reads", async ({ namespaced }) => {
  await using held = await leased(namespaced);
  const blobs = await Promise.all(Array.from({ length: 12 }, () => randomBlob(9 * MiB)));
  for (const { bytes, ...blob } of blobs) await held.content.write(blob, () => pieces(bytes));
  const last = sorted(blobs).at(-1)!;
  let deletion: Promise<void> | undefined;
  const onProgress = () => void (deletion ??= held.content.delete(last.digest));
  const rows = await Array.fromAsync(verifyContent([held], { onProgress }));
  await deletion;
  assertEquals(rows.map(({ status }) => status), Array.from({ length: 11 }, () => "ok"));
}, { series: ["2"] });

daemonTest("verifyContent() reads what there is of an image", async ({ containerd, namespaced }) => {
  const [whole, sparse] = [await multiPlatformImage({ seed: 31 }), await sparseImage({ seed: 32 })];
  await importWithCtr(containerd, namespaced.name, ociArchive([whole]));
  await importWithCtr(containerd, namespaced.name, ociArchive([sparse]), { allPlatforms: false });
  const image = (name: string) => namespaced.images.get(name);
  assertEquals(await verified(namespaced, [await image(whole.name)]), [...whole.blobs.keys()].sort());
  const here = (await Array.fromAsync(namespaced.content.list(), ({ digest }) => digest)).sort();
  assertEquals(await verified(namespaced, [await image(whole.name), await image(sparse.name)]), here);
}, { series: ["2"] });

async function verified(client: NamespacedClient, images: Image[]): Promise<string[]> {
  const rows = await Array.fromAsync(verifyContent([client], { images }));
  assertEquals(rows.filter(({ status }) => status !== "ok"), []);
  return rows.map(({ digest }) => digest).sort();
}

const damages: readonly [string, (file: string, bytes: Uint8Array) => Promise<void>][] = [
  ["damaged: the bytes have another digest", async (file, bytes) => {
    await Deno.writeFile(file, bytes.map((byte, at) => (at === 700 ? byte ^ 1 : byte)));
  }],
  ["damaged: cut", async (file, bytes) => await Deno.writeFile(file, bytes.subarray(0, 600))],
  ["missing: containerd has lost its bytes", async (file) => await Deno.remove(file)],
];

function fileOf({ contentDir }: Containerd, digest: string): string {
  return `${contentDir}/${digest.replace(":", "/")}`;
}

function sorted<Blob extends { digest: string }>(blobs: readonly Blob[]): Blob[] {
  return blobs.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}
