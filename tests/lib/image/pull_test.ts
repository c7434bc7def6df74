import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  checkImage,
  connect,
  type NamespacedClient,
  NoSuchPlatformError,
  openRegistry,
  pullImages,
  type PullOptions,
  type PullResult,
} from "davit";
import { type HttpProxy, stalled, truncated } from "../../fault/http_proxy.ts";
import { buildImage, parseJson } from "../../real/image_builder.ts";
import {
  busyboxImage,
  checkWithCtr,
  collectGarbage,
  multiPlatformImage,
  nestedImage,
  randomImage,
} from "../../real/images.ts";
import { type Descriptor, randomLayer } from "../../real/layers.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { pushImage } from "../registry/images.ts";
import { assertNothingLeft, assertNothingOpen } from "./imported.ts";

/** Pulls, and resolves to all results. */
async function pulled(
  client: NamespacedClient,
  references: string[],
  options: Partial<PullOptions> = {},
): Promise<PullResult[]> {
  await using registry = openRegistry({ plainHttp: true, retry: { attempts: 3, firstWaitMs: 1 } });
  return await Array.fromAsync(pullImages(client, references, { registry, ...options }));
}

realTest(
  "pullImages() pulls what ctr runs, and into another namespace without a byte",
  async (_t, containerd) => {
    const [one, other] = [uniqueNamespace("one"), uniqueNamespace("other")];
    const image = await busyboxImage();
    await using stock = await StockedRegistry.start({ "box:1": image });
    const name = stock.reference("box:1");
    await using connection = await connect({ address: containerd.address });
    const [first] = await pulled(connection.namespace(one), [name]);
    const { status, digest, downloaded, bytesMoved, size, chainIds, snapshotter } = first!;
    assertEquals([status, digest, downloaded], ["pulled", image.target.digest, 3]);
    assertEquals([bytesMoved, chainIds.length, snapshotter], [size, 1, "overlayfs"]);
    const run = ["run", "--rm", name, uniqueNamespace("id"), "echo", "it runs"];
    assertEquals((await containerd.ctr(run, { namespace: one })).stdout, "it runs\n");

    stock.proxy.requests.length = 0;
    const [second] = await pulled(connection.namespace(other), [name]);
    assertEquals([second!.status, second!.shared, second!.bytesMoved], ["pulled", 3, 0]);
    assertEquals(stock.downloads(), 0);
    for (const namespace of [one, other]) {
      await collectGarbage(containerd, namespace);
      assertEquals(await checkWithCtr(containerd, namespace), new Map([[name, "complete (2/2)"]]));
      await assertNothingOpen(containerd, namespace);
    }
    const [again] = await pulled(connection.namespace(other), [name]);
    assertEquals([again!.status, again!.existing, again!.bytesMoved], ["exists", 3, 0]);
  },
);

realTest(
  "pullImages() takes the best there is for each platform, and says which there are",
  async (_t, containerd) => {
    const image = await multiPlatformImage({ seed: 7200 });
    const [amd64, arm64] = parseJson<{ manifests: Descriptor[] }>(image.blobs, image.target).manifests;
    const nested = await nestedImage({ seed: 7210 });
    const only = await randomImage({ seed: 7220, platform: { os: "linux", architecture: "s390x" } });
    await using stock = await StockedRegistry.start({ "multi:1": image, "nested:1": nested, "only:1": only });
    const name = stock.reference("multi:1");
    await using connection = await connect({ address: containerd.address });
    const fresh = () => connection.namespace(uniqueNamespace());
    const manifests = async ({ content }: NamespacedClient) =>
      [await content.find(amd64!.digest), await content.find(arm64!.digest)].map((found) =>
        found !== undefined
      );

    const host = fresh();
    const [ofHost] = await pulled(host, [name]);
    assertEquals([ofHost!.digest, ofHost!.chainIds.length], [image.target.digest, 1]);
    assertEquals(await manifests(host), [true, false]);
    assertEquals(await checkWithCtr(containerd, host.name), new Map([[name, "complete (3/3)"]]));

    const other = fresh();
    const [ofOther] = await pulled(other, [name], { platforms: ["arm64"] });
    assertEquals([ofOther!.status, ofOther!.chainIds.length], ["pulled", 1]);
    assertEquals(await manifests(other), [false, true]);

    const all = fresh();
    const [ofAll] = await pulled(all, [name], { allPlatforms: true });
    assertEquals([ofAll!.downloaded + ofAll!.shared, ofAll!.chainIds.length], [image.blobs.size, 1]);
    assertEquals(
      (await checkImage(all, await all.images.get(name), { allPlatforms: true })).status,
      "complete",
    );

    const inner = fresh();
    const [ofInner] = await pulled(inner, [stock.reference("nested:1")]);
    assertEquals([ofInner!.status, ofInner!.chainIds.length], ["pulled", 1]);
    const [ofOuter] = await pulled(inner, [stock.reference("nested:1")], { platforms: ["linux/riscv64"] });
    assertEquals([ofOuter!.status, ofOuter!.error], ["repaired", undefined]);

    const none = fresh();
    const results = await pulled(none, [name, stock.reference("only:1")], { platforms: ["windows/amd64"] });
    assertEquals(results.map(({ reason }) => reason), [
      `Cannot pull image "${name}": it has no windows/amd64, only linux/amd64, linux/arm64`,
      `Cannot pull image "${stock.reference("only:1")}": it has no windows/amd64, only linux/s390x`,
    ]);
    assertEquals(results.every(({ error }) => error instanceof NoSuchPlatformError), true);
    await assertNothingLeft(containerd, none.name);
    const [asItIs] = await pulled(none, [stock.reference("only:1")]); // nothing else is to be had
    assertEquals([asItIs!.status, asItIs!.chainIds.length], ["pulled", 1]);
  },
  { series: ["2"] },
);

realTest(
  "pullImages() downloads once what images share, and labels it with both repositories",
  async (_t, containerd) => {
    const base = await randomLayer(300_000, 7300);
    const [one, two] = await Promise.all(
      [7301, 7302].map(async (seed) =>
        await buildImage({ name: "x", layers: [base, await randomLayer(1000, seed)] })
      ),
    );
    await using stock = await StockedRegistry.start({ "one:1": one!, "two:1": two! });
    const names = ["one:1", "two:1"].map((name) => stock.reference(name));
    await using connection = await connect({ address: containerd.address });
    const client = connection.namespace(uniqueNamespace());
    const results = await pulled(client, [...names, names[0]!], { labels: { team: "a" } });
    assertEquals(results.map(({ image, status }) => [image, status]), names.map((name) => [name, "pulled"]));
    assertEquals(stock.downloads(new RegExp(base.descriptor.digest)), 1);
    assertEquals(results.map(({ downloaded, existing }) => downloaded + existing), [4, 4]);
    const total = results.reduce((sum, { bytesMoved }) => sum + bytesMoved, 0);
    const all = new Map([...one!.blobs, ...two!.blobs]);
    assertEquals(total, [...all.values()].reduce((sum, { length }) => sum + length, 0));
    const { labels } = await client.content.info(base.descriptor.digest);
    const source = "containerd.io/distribution.source.127.0.0.1";
    assertEquals(labels[source]?.split(",").sort(), ["one", "two"]);
    assertEquals((await client.images.get(names[1]!)).labels, { team: "a" });
    await collectGarbage(containerd, client.name);
    for (const digest of all.keys()) await client.content.info(digest);
  },
  { series: ["2"] },
);

realTest(
  "pullImages() moves a name that means another image now, and repairs what is not whole",
  async (_t, containerd) => {
    const [old, now] = [await randomImage({ seed: 7400 }), await randomImage({ seed: 7401 })];
    await using stock = await StockedRegistry.start({ "app:1": old });
    const name = stock.reference("app:1");
    await using connection = await connect({ address: containerd.address });
    const client = connection.namespace(uniqueNamespace());
    await pulled(client, [name], { labels: { keep: "me" } });
    await using registry = openRegistry({ plainHttp: true });
    await pushImage(registry, name, now);
    const [moved] = await pulled(client, [name]);
    assertEquals([moved!.status, moved!.digest], ["updated", now.target.digest]);
    const { target, labels } = await client.images.get(name);
    assertEquals([target.digest, labels], [now.target.digest, { keep: "me" }]);
    const [layer] = parseJson<{ layers: Descriptor[] }>(now.blobs, now.target).layers;
    await client.content.delete(layer!.digest);
    await client.leases.collectGarbage(); // until then, another namespace could still share it
    const [repaired] = await pulled(client, [name]);
    assertEquals([repaired!.status, repaired!.downloaded, repaired!.existing], ["repaired", 1, 3]);
    const { labels: ofManifest } = await client.content.info(now.target.digest);
    await client.content.update(now.target.digest, {
      labels: Object.fromEntries(Object.keys(ofManifest).map((label) => [label, ""])),
    });
    await pulled(client, [name]);
    assertEquals((await client.content.info(now.target.digest)).labels, ofManifest);
  },
  { series: ["2"] },
);

realTest(
  "pullImages() refuses what is not what its digest says, and leaves nothing",
  async (_t, containerd) => {
    const image = await randomImage({ seed: 7500, layerBytes: 400_000 });
    const { config, layers: [base, top] } = parseJson<{ config: Descriptor; layers: Descriptor[] }>(
      image.blobs,
      image.target,
    );
    const other = await randomLayer(1000, 7501);
    const wrongDiffId = await buildImage({ name: "x", layers: [{ ...other, diffId: base!.digest }] });
    await using stock = await StockedRegistry.start({ "app:1": image, "wrong:1": wrongDiffId });
    const [name, wrong] = [stock.reference("app:1"), stock.reference("wrong:1")];
    await using connection = await connect({ address: containerd.address });
    const client = connection.namespace(uniqueNamespace());
    const failureOf = async (name: string) => {
      const [{ status, error, reason = "" } = { status: "", error: undefined }] = await pulled(client, [
        name,
      ]);
      assertEquals(status, "failed", reason);
      await assertNothingLeft(containerd, client.name);
      return [(error as { code?: string }).code, reason] as const;
    };
    for (const { digest } of [config!, top!]) {
      stock.proxy.fault = changed(digest);
      const [code, reason] = await failureOf(name);
      assertEquals(code, "data_loss");
      assertStringIncludes(reason, `Cannot pull image "${name}"`);
      assertStringIncludes(reason, digest);
    }
    stock.proxy.fault = () => undefined;
    const [code, reason] = await failureOf(wrong);
    assertEquals(code, "data_loss");
    assertStringIncludes(reason, `not ${base!.digest} as the image's config says`);
    assertEquals((await Array.fromAsync(client.snapshots("overlayfs").list())).length, 0);
    const absent = stock.reference("app:none");
    const [, notFound] = await failureOf(absent);
    assertStringIncludes(notFound, absent);
  },
  { series: ["2"] },
);

realTest(
  "pullImages() keeps what came from a registry that was lost, and goes on with it",
  async (_t, containerd) => {
    const image = await buildImage({
      name: "x",
      layers: [
        await randomLayer(100_000, 7600),
        await randomLayer(6 << 20, 7601),
        await randomLayer(5 << 20, 7602),
      ],
    });
    const [small, large, slow] = parseJson<{ layers: Descriptor[] }>(image.blobs, image.target).layers;
    await using stock = await StockedRegistry.start({ "app:1": image });
    const name = stock.reference("app:1");
    await using connection = await connect({ address: containerd.address });
    const client = connection.namespace(uniqueNamespace());
    let hasBrokenOff = false;
    const { promise: isWritten, resolve: written } = Promise.withResolvers<void>();
    stock.proxy.fault = async ({ path }, forward) => {
      if (path.includes(`/blobs/${slow!.digest}`)) return stalled(await forward(), 3 << 20);
      if (!path.includes(`/blobs/${large!.digest}`)) return undefined;
      if (hasBrokenOff) {
        await isWritten;
        return new Response(null, { status: 503 });
      }
      hasBrokenOff = true;
      return truncated(await forward(), 4 << 20);
    };
    const losing = pulled(client, [name]);
    const ref = `davit-${slow!.digest}`;
    while (((await client.content.status(ref).catch(() => undefined))?.offset ?? 0) < 1 << 20) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    written();
    const [lost] = await losing;
    assertEquals([lost!.status, lost!.isKept], ["failed", true], lost!.reason);
    await collectGarbage(containerd, client.name);
    stock.proxy.fault = () => undefined;
    stock.proxy.requests.length = 0;
    const [again] = await pulled(client, [name]);
    assertEquals([again!.status, again!.error], ["pulled", undefined]);
    assertEquals(stock.downloads(new RegExp(small!.digest)), 0);
    for (const { digest } of [large!, slow!]) {
      const [asked] = stock.proxy.seen(new RegExp(`GET .*${digest}`));
      assertMatch(asked!.headers.get("range") ?? "", /^bytes=[1-4]\d{6}-$/);
    }
    await assertNothingOpen(containerd, client.name);
  },
  { series: ["2"] },
);

/** Answers with other bytes, as many as there should be. */
function changed(digest: string): HttpProxy["fault"] {
  return async ({ method, path }, forward) => {
    if (method !== "GET" || !path.endsWith(digest)) return undefined;
    const answer = await forward();
    const bytes = await answer.bytes();
    bytes[bytes.length >> 1]! ^= 1;
    return new Response(bytes, { headers: answer.headers });
  };
}
