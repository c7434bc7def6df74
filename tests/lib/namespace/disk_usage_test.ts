import { assertEquals, assertRejects } from "@std/assert";
import { copyImages, diskUsage, NotFoundError } from "davit";
import { InMemoryContainerd } from "../../../lib/testing.ts";

Deno.test("diskUsage() tells what a namespace has alone from what others have too, also for one namespace", async () => {
  const images = [{ name: "example.com/app:1" }, { name: "example.com/app:2" }];
  const containerd = new InMemoryContainerd({ namespaces: { a: { images }, b: {}, c: {} } });
  await using client = containerd.client();
  const alone = await diskUsage(client);
  const [a] = alone.namespaces;
  assertEquals(alone.namespaces.map(({ namespace }) => namespace), ["a", "b", "c"]);
  assertEquals([a!.images, a!.sharedBytes, a!.bytes], [2, 0, a!.uniqueBytes]);
  assertEquals({ namespace: "a", ...alone.total }, a);

  await Array.fromAsync(copyImages(client, { from: "a", to: ["b"], match: ["example.com/app:1"] }));
  const { namespaces, total } = await diskUsage(client);
  const [from, to, empty] = namespaces;
  assertEquals([to!.images, to!.uniqueBytes, to!.bytes], [1, 0, from!.sharedBytes]);
  assertEquals(from!.uniqueBytes + from!.sharedBytes, a!.uniqueBytes);
  assertEquals([total.images, total.blobs, total.bytes, empty!.bytes], [3, a!.blobs, a!.bytes, 0]);

  const only = await diskUsage(client, { only: "b" });
  const { namespace: _, ...usage } = to!;
  assertEquals(only, { namespaces: [to!], total: usage });
  await assertRejects(() => diskUsage(client, { only: "none" }), NotFoundError);
});
