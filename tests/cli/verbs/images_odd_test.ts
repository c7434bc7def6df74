/** Images that are valid and odd, and what is wrong with others, from one registry to the next. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { assertNothingLeft } from "../../lib/image/imported.ts";
import {
  artifacts,
  changedImage,
  type OddImage,
  runnableImages,
  serving,
} from "../../lib/image/odd_images.ts";
import type { Containerd } from "../../real/containerd.ts";
import { checkWithCtr, collectGarbage } from "../../real/images.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

const journey = "images that are odd go from registry to registry, byte for byte";
realTest(journey, testJourney, { series: ["2"] });
realTest(journey, testJourney, { series: ["1.6", "1.7"], full: true });

async function testJourney(_t: Deno.TestContext, containerd: Containerd): Promise<void> {
  const runnable = await runnableImages();
  const all = { ...runnable, ...artifacts() };
  const [pulled, imported, copied] = [
    uniqueNamespace("pull"),
    uniqueNamespace("import"),
    uniqueNamespace("copy"),
  ];
  const folder = await Deno.makeTempDir({ prefix: "davit-odd-" });
  await using stock = await StockedRegistry.start({});
  const successfully = async (namespace: string, ...argv: string[]) => {
    const { code, stdout, stderr } = await davit(containerd, ["-n", namespace, "-o", "json", ...argv]);
    assertEquals(code, 0, `${argv.join(" ")}: ${stderr}${stdout}`);
    return stdout;
  };
  const digestsIn = async (namespace: string) => {
    const images: { name: string; digest: string }[] = JSON.parse(
      await successfully(namespace, "images", "list"),
    );
    return Object.fromEntries(images.map(({ name, digest }) => [name, digest]));
  };
  try {
    stock.proxy.fault = serving(all);
    const names = Object.keys(all);
    const reference = (name: string) => stock.reference(`${name}:V1.0_odd`);
    const expected = Object.fromEntries(names.map((name) => [reference(name), all[name]!.target.digest]));
    const archive = join(folder, "all.tar");

    await successfully(pulled, "images", "pull", "--plain-http", "--all-platforms", ...names.map(reference));
    assertEquals(await digestsIn(pulled), expected);
    await successfully(pulled, "images", "check", "--all-platforms", ...Object.keys(runnable).map(reference));
    const statuses = await checkWithCtr(containerd, pulled);
    for (const name of Object.keys(runnable)) {
      assertStringIncludes(statuses.get(reference(name)) ?? name, "complete");
    }
    await successfully(pulled, "images", "export", "--all-platforms", archive, ...names.map(reference));
    await successfully(imported, "images", "import", archive);
    assertEquals(await digestsIn(imported), expected);
    await successfully(imported, "images", "copy", "--to", copied, ...names.map(reference));
    assertEquals(await digestsIn(copied), expected);

    for (const name of Object.keys(runnable)) {
      const command = [reference(name), uniqueNamespace("id"), "cat", "/odd"];
      const { stdout } = await davit(containerd, ["-n", imported, "run", "--rm", ...command]);
      assertEquals(stdout, "odd", name);
    }
    const byCtr = ["run", "--rm", reference("names"), uniqueNamespace("id"), "cat", "/odd"];
    assertEquals((await containerd.ctr(byCtr, { namespace: imported })).stdout, "odd");

    for (const name of names) {
      const place = `${stock.server.host}/again/${name}`;
      await successfully(copied, "images", "push", "--plain-http", `${place}:1`, reference(name));
      const { mediaType, digest } = all[name]!.target;
      const answer = await fetch(`http://${place.replace("/", "/v2/")}/manifests/1`, {
        headers: { accept: mediaType },
      });
      assertEquals(await answer.bytes(), all[name]!.blobs.get(digest), name);
    }
    for (const namespace of [pulled, imported, copied]) {
      await successfully(namespace, "images", "remove", ...names.map(reference));
      await collectGarbage(containerd, namespace);
      await assertNothingLeft(containerd, namespace);
      assertEquals(JSON.parse(await successfully(namespace, "snapshots", "list")), []);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Refused {
  image: OddImage;
  exit: number;
  says: string;
}

realTest(
  "images pull says of which content an image is wrong, and leaves nothing",
  async (_t, containerd) => {
    const right = await changedImage({});
    const nowhere = `sha256:${"0".repeat(64)}`;
    const wrong: Record<string, Refused> = {
      sha512: {
        image: await changedImage({ algorithm: "sha512" }),
        exit: 9,
        says: "this containerd takes content by its sha256 alone",
      },
      // Of which another namespace has the bytes, so that containerd need not be sent any.
      size: {
        image: await changedImage({
          change: ({ layers: [layer], ...manifest }) => ({ ...manifest, layers: [{ ...layer, size: 0 }] }),
        }),
        exit: 1,
        says: "bytes, not 0 as said",
      },
      absent: {
        image: await changedImage({
          change: ({ layers: [layer], ...manifest }) => ({
            ...manifest,
            layers: [{ ...layer, digest: nowhere }],
          }),
        }),
        exit: 4,
        says: `its content ${nowhere} is not found in registry`,
      },
    };
    const namespace = uniqueNamespace();
    await using stock = await StockedRegistry.start({});
    const images = Object.entries(wrong).map(([name, { image }]) => [name, image] as const);
    stock.proxy.fault = serving({ right, ...Object.fromEntries(images) });
    const pull = (to: string, name: string) =>
      davit(containerd, ["-n", to, "images", "pull", "--plain-http", stock.reference(`${name}:1`)]);
    assertEquals((await pull(uniqueNamespace(), "right")).code, 0);
    for (const [name, { exit, says }] of Object.entries(wrong)) {
      const { code, stderr } = await pull(namespace, name);
      assertStringIncludes(stderr, `Cannot pull image "${stock.reference(`${name}:1`)}"`);
      assertStringIncludes(stderr, says);
      assertEquals(code, exit, stderr);
      await assertNothingLeft(containerd, namespace);
    }
  },
  { series: ["2"] },
);
