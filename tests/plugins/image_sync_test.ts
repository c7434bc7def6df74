import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Containerd } from "../real/containerd.ts";
import { checkWithCtr, importWithCtr, multiPlatformImage, ociArchive, randomImage } from "../real/images.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";
import { davit } from "../cli/plugin/program.ts";

interface Row {
  image: string;
  from: string;
  to: string;
  status: string;
  blobs: number;
  bytesMoved: number;
}

/** Two namespaces with images, and two names for their copies. */
async function prepared(containerd: Containerd): Promise<Record<"app" | "base" | "one" | "two", string>> {
  const [app, base, one, two] = [
    uniqueNamespace("app"),
    uniqueNamespace("base"),
    uniqueNamespace("one"),
    uniqueNamespace("two"),
  ];
  await importWithCtr(
    containerd,
    app,
    ociArchive([
      await randomImage({ name: "example.com/app/web:1", seed: 1 }),
      await randomImage({ name: "example.com/app/web:dirty", seed: 2 }),
      await randomImage({ name: "example.com/tools/lint:1", seed: 3 }),
    ]),
  );
  await importWithCtr(
    containerd,
    base,
    ociArchive([
      await multiPlatformImage({ name: "docker.io/library/base:1", seed: 4 }),
    ]),
  );
  return { app, base, one, two };
}

async function sync(containerd: Containerd, ...argv: string[]) {
  const { code, stdout, stderr } = await davit([
    "image-sync",
    "-a",
    containerd.address,
    "-o",
    "json",
    ...argv,
  ]);
  const rows: Row[] = stdout === "" ? [] : JSON.parse(stdout);
  return { code, rows, stderr };
}

async function names(containerd: Containerd, namespace: string): Promise<string[]> {
  const { stdout } = await containerd.ctr(["images", "ls", "-q"], { namespace });
  return stdout.split("\n").filter(Boolean);
}

realTest(
  "image-sync copies images of several namespaces to several others, whole and without moving a byte",
  async (_t, containerd) => {
    const { app, base, one, two } = await prepared(containerd);
    const flags = ["--from", `${app},${base}`, "--to", `${one},${two}`];
    const { code, rows } = await sync(containerd, ...flags);
    assertEquals(code, 0);
    assertEquals(rows.length, 8);
    assertEquals(
      new Set(rows.map(({ status, bytesMoved }) => `${status} ${bytesMoved}`)),
      new Set(["copied 0"]),
    );
    for (const namespace of [one, two]) {
      assertEquals([...await checkWithCtr(containerd, namespace)], [
        ["docker.io/library/base:1", "complete (3/3)"],
        ["example.com/app/web:1", "complete (3/3)"],
        ["example.com/app/web:dirty", "complete (3/3)"],
        ["example.com/tools/lint:1", "complete (3/3)"],
      ]);
      assertEquals((await containerd.ctr(["leases", "ls", "-q"], { namespace })).stdout, "");
    }
    const again = await sync(containerd, ...flags);
    assertEquals([again.code, new Set(again.rows.map(({ status }) => status))], [0, new Set(["exists"])]);
  },
);

realTest(
  "image-sync includes, excludes and renames, and does nothing in a dry run",
  async (_t, containerd) => {
    const { app, base, one } = await prepared(containerd);
    const flags = [
      ...["--from", `${app},${base}`, "--to", one],
      ...["--include", "example.com/app/**", "--include", "docker.io/**", "--exclude", "**:dirty"],
      ...["--rename", "example.com/app/=mirror.example.com/", "--platform", "linux/amd64"],
    ];
    const wanted = ["mirror.example.com/web:1", "docker.io/library/base:1"];
    const dry = await sync(containerd, ...flags, "--dry-run");
    assertEquals([dry.code, dry.rows.map(({ image }) => image)], [0, wanted]);
    assertEquals((await containerd.ctr(["namespaces", "ls", "-q"])).stdout.split("\n").includes(one), false);
    const { code, rows } = await sync(containerd, ...flags);
    assertEquals([code, rows.map(({ image }) => image)], [0, wanted]);
    assertEquals(await names(containerd, one), wanted.toSorted());
  },
);

realTest(
  "image-sync does not copy a namespace to itself, and warns of a pattern that matches nothing",
  async (_t, containerd) => {
    const { app, base } = await prepared(containerd);
    const { code, rows, stderr } = await sync(
      containerd,
      ...["--from", `${base},${app}`, "--to", base, "--include", "example.com/tools/*"],
    );
    assertEquals([code, rows.map(({ image, from, to }) => [image, from, to])], [
      0,
      [["example.com/tools/lint:1", app, base]],
    ]);
    assertStringIncludes(stderr, `"No image in namespace \\"${base}\\" matches \\"example.com/tools/*\\""`);
  },
);

realTest(
  "image-sync fails for a source that does not exist, and for rules that make no sense",
  async (_t, containerd) => {
    const [none, one] = [uniqueNamespace(), uniqueNamespace()];
    const missing = await sync(containerd, "--from", none, "--to", one);
    assertEquals([missing.code, missing.rows], [4, []]);
    assertStringIncludes(missing.stderr, none);
    const rule = await sync(containerd, "--from", none, "--to", one, "--rename", "x");
    assertEquals([rule.code, rule.rows], [10, []]);
    assertStringIncludes(rule.stderr, 'Cannot rename by \\"x\\"');
    assertEquals((await containerd.ctr(["namespaces", "ls", "-q"])).stdout.includes(one), false);
  },
);

realTest(
  "image-sync follows rules from a file that it has no right to read, and from stdin",
  async (_t, containerd) => {
    const { app, one } = await prepared(containerd);
    const folder = await Deno.makeTempDir({ prefix: "davit-rules-" });
    try {
      const file = `${folder}/copy.yaml`;
      await Deno.writeTextFile(file, `- from: ${app}\n  to: ${one}\n  include: example.com/tools/*\n`);
      const { code, rows, stderr } = await sync(containerd, "--rules", file);
      assertEquals([code, rows.map(({ image, status }) => [image, status])], [0, [
        ["example.com/tools/lint:1", "copied"],
      ]], stderr);
      await Deno.writeTextFile(file, "- form: x\n");
      const wrong = await sync(containerd, "--rules", file);
      assertEquals(wrong.code, 2);
      assertStringIncludes(wrong.stderr, `"Cannot read rules: ${file}:1: `);
      await Deno.writeTextFile(file, `- from: ${app}\n  to: ${one}\n  unpack: true\n`);
      const unpacking = await sync(containerd, "--rules", file);
      assertEquals(unpacking.code, 2);
      assertStringIncludes(unpacking.stderr, `davit images copy --rules ${file} can`);
      const none = await sync(containerd, "--rules", `${folder}/none.yaml`);
      assertEquals(none.code, 4);
      assertStringIncludes(none.stderr, "no such file");
      const both = await sync(containerd, "--rules", file, "--from", app, "--to", one);
      assertStringIncludes(both.stderr, "Cannot copy images: name --from and --to, or --rules");
      assertEquals((await sync(containerd, "--rules", "-")).code, 2); // stdin is empty
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  { series: ["2"] },
);
