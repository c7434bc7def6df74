import { assertEquals, assertRejects } from "@std/assert";
import { connect, InvalidArgumentError, type NamespacedClient, selectImages } from "davit";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const target = {
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: `sha256:${"0".repeat(64)}`,
  size: 1,
};

const names = ["app:1", "app:2", "example.com/a/b:1", "example.com/a:1", "odd\nname \"'"];

realTest(
  "selectImages() selects by name, glob and filter, and names what selects nothing",
  async (_t, containerd) => {
    await using connection = await connect({ address: containerd.address });
    const client = connection.namespace(uniqueNamespace());
    for (const name of names) {
      await client.images.create({
        name,
        target,
        labels: { name: name.slice(0, 3) },
      });
    }
    for (
      const [patterns, expected, unmatched] of [
        [[], names, []],
        [["app:1"], ["app:1"], []],
        [["app:2", "app:1", "app:1"], ["app:1", "app:2"], []],
        [["app"], [], ["app"]],
        [["app:*", "nothing:*"], ["app:1", "app:2"], ["nothing:*"]],
        [["example.com/*"], ["example.com/a:1"], []],
        [["example.com/**"], ["example.com/a/b:1", "example.com/a:1"], []],
        [["app:*", "app:1", "app:3"], ["app:1", "app:2"], ["app:3"]],
        [[names[4]], [names[4]], []],
        [["labels.name==app"], ["app:1", "app:2"], []],
        [["labels.name==none"], [], []],
        [["name~=^app", "example.com/a:1"], ["app:1", "app:2", "example.com/a:1"], []],
      ] as [string[], string[], string[]][]
    ) {
      assertEquals(await selected(client, patterns), { images: expected, unmatched });
    }
    await assertRejects(() => selectImages(client, ["name=="]), InvalidArgumentError);
  },
);

async function selected(client: NamespacedClient, patterns: string[]): Promise<unknown> {
  const { images, unmatched } = await selectImages(client, patterns);
  return { images: images.map(({ name }) => name), unmatched };
}
