import { assertEquals } from "@std/assert";
import { type Image, ReferenceGraph } from "davit";
import { InMemoryContainerd } from "davit/testing";
import { findBrokenImages } from "../../../lib/doctor/images.ts";
import { someImage } from "../some_image.ts";

Deno.test("findBrokenImages() finds what lacks blobs, and not what was removed after the list", async () => {
  await using client = new InMemoryContainerd().client();
  const inside = client.namespace("n");
  const images: Image[] = [];
  for (const name of ["example.com/stays:1", "example.com/goes:1", "just a name"]) {
    images.push(await inside.images.create(someImage(name)));
  }
  await inside.images.delete("example.com/goes:1");
  const scene = {
    client,
    namespaces: [{
      name: "n",
      inside,
      labels: {},
      graph: new ReferenceGraph("n", { nodes: new Map(), roots: [] }),
      images,
      containers: [],
      tasks: [],
      sandboxes: [],
      leases: [],
      ingests: 0,
      stale: [],
    }],
    snapshotters: [],
    address: "",
    youngMs: 0,
    processes: "",
    groups: "",
    options: {},
  };
  const findings = await Array.fromAsync(findBrokenImages(scene));
  assertEquals(findings.map(({ what, commands }) => [what, commands]), [
    ['image "example.com/stays:1"', [["davit", "-n", "n", "images", "pull", "example.com/stays:1"]]],
    ['image "just a name"', [["davit", "-n", "n", "images", "remove", "just a name"]]],
  ]);
});
