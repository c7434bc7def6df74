import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { connect } from "davit";
import type { RunRecord } from "../../../cli/unattended/record.ts";
import { busyboxImage, checkWithCtr, importWithCtr, manyImages, ociArchive } from "../../real/images.ts";
import type { Containerd } from "../../real/containerd.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit as program } from "../plugin/program.ts";
import { davit } from "./davit.ts";

async function importVersions(
  containerd: Containerd,
  namespace: string,
  tags: string[],
  seed: number,
): Promise<void> {
  const images = await manyImages({ count: tags.length, seed });
  const named = images.map((image, at) => ({ ...image, name: `example.com/app:${tags[at]}` }));
  await importWithCtr(containerd, namespace, ociArchive(named));
}

async function namesIn(containerd: Containerd, namespace: string): Promise<string[]> {
  return [...(await checkWithCtr(containerd, namespace)).keys()].map((name) =>
    name.replace("example.com/", "")
  ).sort();
}

realTest(
  "images copy --rules copies, mirrors, pins and unpacks what rules say",
  async (_t, containerd) => {
    const [build, other, staging, prod] = ["build", "other", "staging", "prod"].map(uniqueNamespace) as [
      string,
      string,
      string,
      string,
    ];
    await importVersions(containerd, build, ["1.9.0", "1.10.0", "1.11.0", "2.0.0", "dev"], 51);
    const busybox = await busyboxImage("example.com/tools/busybox:1");
    await importWithCtr(containerd, other, ociArchive([busybox]));
    await importVersions(containerd, staging, ["old"], 52);
    const rules = await Deno.makeTempFile({ suffix: ".yaml" });
    await Deno.writeTextFile(
      rules,
      `
- from: [${build}]
  to: [${staging}, ${prod}]
  include: example.com/app:*
  versions: "<2"
  newest: 2
  order: semver
  mirror: true
- from: ${other}
  to: ${prod}
  rename: { example.com/tools/: example.com/mirrored/ }
  pin: true
  unpack: true
`,
    );
    const report = await Deno.makeTempFile();
    try {
      const copy = ["images", "copy", "--rules", rules, "--report", report];
      const unasked = await davit(containerd, copy);
      assertEquals(unasked.code, 2);
      assertMatch(unasked.stderr, /Remove from "staging-.*", "prod-.*" what the copy does not put there\?/);
      const plan = await davit(containerd, [...copy, "--dry-run"]);
      assertMatch(plan.stdout, /example.com\/app:old +- +staging-\S+ +would be removed .* no source has it/);
      assertEquals(await namesIn(containerd, staging), ["app:old"]);

      const { code, stderr } = await davit(containerd, [...copy, "--yes"]);
      assertEquals(code, 0, stderr);
      assertEquals(await namesIn(containerd, staging), ["app:1.10.0", "app:1.11.0"]);
      assertEquals(await namesIn(containerd, prod), ["app:1.10.0", "app:1.11.0", "mirrored/busybox:1"]);
      await using client = await connect({ address: containerd.address });
      const mirrored = await client.namespace(prod).images.get("example.com/mirrored/busybox:1");
      assertEquals(mirrored.labels["io.cri-containerd.pinned"], "pinned");
      const { stdout } = await containerd.ctr(["run", "--rm", mirrored.name, "x", "echo", "runs"], {
        namespace: prod,
      });
      assertEquals(stdout.trim(), "runs");
    } finally {
      await Promise.all([rules, report].map((path) => Deno.remove(path)));
    }
  },
);

realTest(
  "a second copy of 200 images makes a handful of calls, whatever the rules say",
  async (t, containerd) => {
    const [from, to, mirror] = ["from", "to", "mirror"].map(uniqueNamespace) as [string, string, string];
    const images = await manyImages({ count: 200, sharedLayers: 1, layerBytes: 100 });
    await importWithCtr(containerd, from, ociArchive(images));
    await importVersions(containerd, mirror, ["old"], 53);
    const folder = await Deno.makeTempDir();
    const [report, rules, synced] = ["report.json", "rules.yaml", "synced.yaml"].map((name) =>
      join(folder, name)
    ) as [
      string,
      string,
      string,
    ];
    const rule = `
- from: ${from}
  to: ${mirror}
  rename: { example.com/many/: example.com/mirrored/ }
  mirror: true
  pin: true
`;
    await Deno.writeTextFile(rules, `${rule}  unpack: true\n`);
    await Deno.writeTextFile(synced, rule);
    /** Runs it, and resolves to its record. */
    const copied = async (argv: string[]): Promise<RunRecord> => {
      const { code, stderr } = await davit(containerd, [...argv, "--report", report, "--yes", "-q"]);
      assertEquals(code, 0, stderr);
      return JSON.parse(await Deno.readTextFile(report));
    };
    try {
      const byFlags = ["images", "copy", "**", "--from", from, "--to", to];
      const byRules = ["images", "copy", "--rules", rules];
      await t.step("by flags", async () => {
        assertEquals((await copied(byFlags)).counts, { copied: 200 });
        const { counts, calls } = await copied(byFlags);
        assertEquals(counts, { exists: 200 });
        assert(calls.number <= 8, `${calls.number} calls`);
      });
      await t.step("by rules that rename, mirror, pin and unpack", async () => {
        assertEquals((await copied(byRules)).counts, { copied: 200, removed: 1 });
        const { counts, items, calls } = await copied(byRules);
        assertEquals(counts, { exists: 200 });
        assert((items as { unpacked: boolean }[]).every(({ unpacked }) => unpacked));
        assert(calls.number <= 12, `${calls.number} calls`);
      });
      await t.step("by the plugin image-sync", async () => {
        const argv = ["image-sync", "--rules", synced, "--report", report, "--yes"];
        const { code, stderr } = await program(["-a", containerd.address, ...argv]);
        assertEquals(code, 0, stderr);
        const { counts, calls }: RunRecord = JSON.parse(await Deno.readTextFile(report));
        assertEquals(counts, { exists: 200 });
        await using client = await connect({ address: containerd.address });
        // The host looks for leases of dead runs of plugins in each of them first.
        const namespaces = await Array.fromAsync(client.namespaces.list());
        assert(calls.number <= namespaces.length + 9, `${calls.number} calls`);
      });
      await t.step("which still sees what somebody changed", async () => {
        const label = ["images", "label", "example.com/mirrored/app-007:latest", "io.cri-containerd.pinned="];
        await containerd.ctr(label, { namespace: mirror });
        await using client = await connect({ address: containerd.address });
        const inside = client.namespace(mirror);
        const manifest = await inside.content.info(images[9]!.target.digest);
        const config = manifest.labels["containerd.io/gc.ref.content.config"]!;
        await inside.content.update(config, { labels: { "containerd.io/gc.ref.snapshot.overlayfs": "" } });
        await inside.leases.collectGarbage();
        const snapshots = async () => (await Array.fromAsync(inside.snapshots("overlayfs").list())).length;
        const before = await snapshots();
        assertEquals((await copied(byRules)).counts, { exists: 199, repaired: 1 });
        assertEquals(await snapshots(), before + 1);
        const { labels } = await inside.images.get("example.com/mirrored/app-007:latest");
        assertEquals(labels["io.cri-containerd.pinned"], "pinned");
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  { series: ["2"] },
);

realTest(
  "images copy --delete-extra keeps what is pinned or used, and all where a copy failed",
  async (_t, containerd) => {
    const [from, to] = [uniqueNamespace(), uniqueNamespace()];
    await importVersions(containerd, from, ["1"], 61);
    await importVersions(containerd, to, ["2", "3"], 62);
    await using client = await connect({ address: containerd.address });
    const { images } = client.namespace(to);
    await images.update({ name: "example.com/app:2", labels: { "io.cri-containerd.pinned": "pinned" } });
    const copy = ["images", "copy", "example.com/**", "--from", from, "--to", to, "--delete-extra", "--yes"];
    const broken = client.namespace(from);
    const target = {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: `sha256:${"0".repeat(64)}`,
      size: 9,
    };
    await broken.images.create({ name: "example.com/broken:1", target });
    const partial = await davit(containerd, copy);
    assertEquals(partial.code, 3);
    assertEquals(
      await Array.fromAsync(images.list(), ({ name }) => name),
      [1, 2, 3].map((tag) => `example.com/app:${tag}`),
    );

    await broken.images.delete("example.com/broken:1");
    const done = await davit(containerd, copy);
    assertEquals(done.code, 0, done.stderr);
    assertMatch(done.stdout, /app:2 .* kept .* pinned/);
    assertEquals(
      await Array.fromAsync(images.list(), ({ name }) => name),
      [1, 2].map((tag) => `example.com/app:${tag}`),
    );
  },
  { series: ["2"] },
);

realTest(
  "images copy --rules gives a name that two sources have to the first one",
  async (_t, containerd) => {
    const [one, other, to] = ["one", "other", "to"].map(uniqueNamespace) as [string, string, string];
    await importVersions(containerd, one, ["1", "2"], 71);
    await importVersions(containerd, other, ["1", "3"], 75);
    await importVersions(containerd, to, ["extra"], 79);
    const rules = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(rules, `- from: [${one}, ${other}]\n  to: ${to}\n  mirror: true\n`);
      const copy = ["images", "copy", "--rules", rules, "--yes", "-o", "json"];
      for (const status of ["copied", "exists"]) {
        const { code, stdout, stderr } = await davit(containerd, copy);
        const rows: Record<string, string>[] = JSON.parse(stdout);
        assertEquals(rows.map(({ image, from, status }) => [image, from, status]), [
          ["example.com/app:1", one, status],
          ["example.com/app:2", one, status],
          ["example.com/app:1", other, "failed"],
          ["example.com/app:3", other, status],
        ]);
        assertEquals(code, 3);
        assertMatch(stderr, /"example.com\/app:1\\" of \\"one-.*\\" is copied to the name/);
      }
      assertEquals(
        await namesIn(containerd, to),
        ["app:1", "app:2", "app:3", "app:extra"],
        "no mirror of a failure",
      );
    } finally {
      await Deno.remove(rules);
    }
  },
  { series: ["2"] },
);

realTest(
  "images copy --rules refuses what it cannot follow, before anything is done",
  async (_t, containerd) => {
    const rules = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(rules, "- from: a\n  to: b\n  exlude: x\n");
      const wrong = await davit(containerd, ["images", "copy", "--rules", rules]);
      assertEquals(wrong.code, 2);
      assertMatch(wrong.stderr, /Cannot read rules: .*:3: unknown key "exlude"; did you mean exclude\?/);
      const both = await davit(containerd, ["images", "copy", "x", "--to", "b", "--rules", rules]);
      assertEquals(both.code, 2);
    } finally {
      await Deno.remove(rules);
    }
    assertEquals((await davit(containerd, ["images", "copy", "--rules", "/nowhere.yaml"])).code, 4);
    assertEquals((await davit(containerd, ["images", "copy", "--to", "b"])).code, 2);
    assertEquals((await davit(containerd, ["images", "copy", "x"])).code, 2);
  },
  { series: ["2"] },
);
