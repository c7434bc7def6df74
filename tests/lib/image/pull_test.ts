import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  connect,
  type NamespacedClient,
  openRegistry,
  pullImages,
  type PullOptions,
  type PullResult,
} from "davit";
import { buildImage, buildIndex, type Image, parseJson } from "../../real/image_builder.ts";
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
import { assertNothingOpen } from "./imported.ts";

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
