import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../lib/client.ts";
import { UnavailableError } from "../../lib/errors.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";
import { someImage } from "./some_image.ts";

realTest(
  "connect() gives a client of every namespace, and of each from every other",
  async (_, containerd) => {
    await using client = await connect({ address: containerd.address });
    const [one, two] = [uniqueNamespace("one"), uniqueNamespace("two")];
    const first = client.namespace(one);
    await first.images.create(someImage("a"));
    const second = first.namespace(two);
    await second.images.create(someImage("b"));
    assertEquals([first.name, second.name], [one, two]);
    for (const access of [client, first, second]) {
      const names = (await Array.fromAsync(access.namespaces.list())).map(({ name }) => name);
      assertEquals([names.includes(one), names.includes(two)], [true, true]);
      const listed = await Array.fromAsync(access.namespace(one).images.list());
      assertEquals(listed.map(({ name }) => name), ["a"]);
    }
    assertEquals(await first.introspection.version(), await client.introspection.version());
  },
);

realTest("a client that is disposed does no more", async (_, containerd) => {
  const client = await connect({ address: containerd.address });
  await client.introspection.version();
  await client[Symbol.asyncDispose]();
  await assertRejects(() => client.introspection.version(), DOMException, "The client was closed");
});

Deno.test("connect() says where nothing is", async () => {
  const { message } = await assertRejects(
    () => connect({ address: "/nonexistent/x.sock" }),
    UnavailableError,
  );
  assertEquals(message, 'Cannot reach containerd at "/nonexistent/x.sock": no such file');
});
