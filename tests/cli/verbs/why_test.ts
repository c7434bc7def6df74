import { assertEquals, assertMatch } from "@std/assert";
import { connect, digestOf } from "davit";
import { busyboxImage, importWithCtr, multiPlatformImage, ociArchive } from "../../real/images.ts";
import type { Containerd } from "../../real/containerd.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { someImage } from "../../lib/some_image.ts";
import { davit } from "./davit.ts";

interface Row {
  namespace: string;
  keeper: string;
  way: string[];
}

async function why(containerd: Containerd, what: string): Promise<Row[]> {
  const { code, stdout, stderr } = await davit(containerd, ["why", what, "-o", "json"]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

realTest("why names every keeper of a blob in every namespace, and the way to it", async (_t, containerd) => {
  const [one, two] = [uniqueNamespace("a"), uniqueNamespace("b")];
  const image = await multiPlatformImage({ seed: 41 });
  for (const namespace of [one, two]) await importWithCtr(containerd, namespace, ociArchive([image]));
  await using client = await connect({ address: containerd.address });
  const leaf = [...image.blobs.keys()].find((digest) => digest !== image.target.digest)!;
  await client.namespace(two).leases.create({ id: "mine" });
  await client.namespace(two).leases.addResource("mine", { id: leaf, type: "content" });
  const rows = await why(containerd, leaf);
  const keepers = rows.map(({ namespace, keeper }) => [namespace, keeper]);
  assertEquals(keepers, [[one, `image ${image.name}`], [two, `image ${image.name}`], [two, "lease mine"]]);
  assertEquals(rows[0]!.way[0], `content ${image.target.digest}`);
  assertEquals(rows[2]!.way, []);
  assertEquals((await why(containerd, image.name)).map(({ keeper }) => keeper), [
    `image ${image.name}`,
    `image ${image.name}`,
  ]);
});

realTest("why follows snapshots to the image and the container that need them", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await busyboxImage();
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  await containerd.ctr(["containers", "create", image.name, "uses-it", "true"], { namespace });
  await using client = await connect({ address: containerd.address });
  const snapshots = await Array.fromAsync(client.namespace(namespace).snapshots("overlayfs").list());
  const base = snapshots.find(({ kind }) => kind === "committed")!;
  const keepers = (await why(containerd, base.key)).filter((row) => row.namespace === namespace);
  assertEquals(keepers.map(({ keeper }) => keeper).sort(), ["container uses-it", `image ${image.name}`]);
  await containerd.ctr(["containers", "rm", "uses-it"], { namespace });
});

realTest(
  "why says that nothing keeps what waits to be collected, and fails for what is not there",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let answer = { code: 4, stdout: "" };
    for (let attempt = 0; attempt < 10 && answer.code === 4; attempt++) { // the collector may be faster
      const stdin = new TextEncoder().encode("hello");
      await containerd.ctr(["content", "ingest", "--expected-digest", digest, "x"], { namespace, stdin });
      answer = await davit(containerd, ["why", digest, "-o", "json"]);
    }
    assertEquals(JSON.parse(answer.stdout).map(({ keeper }: Row) => keeper), ["nothing"]);
    const missing = await davit(containerd, ["why", `sha256:${"0".repeat(64)}`]);
    assertEquals(missing.code, 4);
    assertMatch(missing.stderr, /no namespace has it\nhint: /);
  },
  { series: ["2"] },
);

realTest("why takes the beginning of a digest that is the only one to begin so", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await multiPlatformImage({ seed: 42 });
  await importWithCtr(containerd, namespace, ociArchive([image]));
  const { digest } = image.target;
  for (const short of [digest.slice(0, 20), digest.slice(7, 20)]) {
    assertEquals((await why(containerd, short)).map(({ keeper }) => keeper), [`image ${image.name}`]);
  }
  await using client = await connect({ address: containerd.address });
  const { content } = client.namespace(namespace);
  const texts = await textsWithEqualDigests();
  for (const text of texts) {
    const labels = { "containerd.io/gc.root": "x" };
    await content.ingest({ ref: text, labels }, ReadableStream.from([new TextEncoder().encode(text)]));
  }
  const digests = await Promise.all(texts.map((text) => digestOf(new TextEncoder().encode(text))));
  const { code, stderr } = await davit(containerd, ["why", digests[0]!.slice(7, 11)]);
  assertEquals(code, 2);
  for (const digest of digests) assertMatch(stderr, new RegExp(`digests begin so\nhint: .*${digest}`));
  assertEquals((await davit(containerd, ["why", digest.slice(7, 10)])).code, 4, "too short");
}, { series: ["2"] });

realTest(
  "why says what keeps containers, images without content, and half a blob",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const namespace = uniqueNamespace();
    const { containers, content, images, leases } = client.namespace(namespace);
    await containers.create({ id: "web", runtime: "io.containerd.runc.v2", spec: { ociVersion: "1.0.2" } });
    assertEquals((await why(containerd, "web")).map(({ keeper }) => keeper), ["itself, until it is deleted"]);
    await images.create(someImage("example.com/bare:1"));
    assertEquals((await why(containerd, "example.com/bare:1")).map(({ keeper }) => keeper), [
      "itself, until it is deleted",
    ]);
    const leave = async (ref: string, lease?: string) => {
      const stdin = new TextEncoder().encode("half");
      await containerd.ctr(["content", "ingest", "--expected-size", "8", ref], {
        namespace,
        stdin,
        check: false,
      });
      if (lease) await leases.addResource(lease, { id: ref, type: "ingests" });
    };
    await leases.create({ id: "upload" });
    await leave("free");
    await leave("held", "upload");
    assertEquals((await Array.fromAsync(content.listStatuses())).length, 2);
    assertMatch((await why(containerd, "free"))[0]!.keeper, /^itself, until a day /);
    assertEquals((await why(containerd, "held")).map(({ keeper }) => keeper), ["lease upload"]);
  },
  { series: ["2"], collecting: "on request" },
);

realTest("why says how long a lease lives", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await using client = await connect({ address: containerd.address });
  const { leases } = client.namespace(namespace);
  await leases.create({ id: "for-a-while", expiresInMs: 3_600_000 });
  await leases.create({ id: "for-ever" });
  const [row] = await why(containerd, "for-a-while");
  assertMatch(row!.keeper, /^itself, until 20\d\d-\d\d-\d\dT/);
  assertEquals((await why(containerd, "for-ever")).map(({ keeper }) => keeper), [
    "itself, until it is deleted",
  ]);
}, { series: ["2"] });

/** Two texts whose digests have the same first four digits. */
async function textsWithEqualDigests(): Promise<[string, string]> {
  const seen = new Map<string, string>();
  for (let at = 0;; at++) {
    const text = `text ${at}`;
    const begin = (await digestOf(new TextEncoder().encode(text))).slice(7, 11);
    const other = seen.get(begin);
    if (other !== undefined) return [other, text];
    seen.set(begin, text);
  }
}
