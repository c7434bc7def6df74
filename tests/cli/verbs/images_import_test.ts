import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "davit";
import { run } from "../../../cli/app.ts";
import { archiveOf, layoutFiles, streamOf } from "../../lib/image/archives.ts";
import { assertNothingLeft } from "../../lib/image/imported.ts";
import { collect, ociArchive, oneBigImage, randomImage, sparseImage } from "../../real/images.ts";
import { buildImage } from "../../real/image_builder.ts";
import { type Bytes, randomLayer } from "../../real/layers.ts";
import { peakMemory } from "../../real/process.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { CapturedIo } from "../captured_io.ts";
import { spawnDavit } from "../spawn_davit.ts";
import { davit } from "./davit.ts";

realTest("images import FILE shows what it created, and what was there", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const images = [await randomImage({ seed: 2000 }), await randomImage({ seed: 2001 })];
  await withFile(await collect(ociArchive(images)), async (file) => {
    const { code, stdout } = await davit(containerd, ["images", "import", file, "-n", namespace]);
    assertEquals(code, 0);
    const [header, ...rows] = stdout.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
    assertEquals(header, ["REF", "DIGEST", "SIZE", "STATUS", "UNPACKED"]);
    assertEquals(
      rows.map(([ref, digest, , status, unpacked]) => [ref, digest, status, unpacked]),
      images.map(({ name, target }) => [name, target.digest, "created", "true"]),
    );
    const quiet = await davit(containerd, ["images", "import", file, "-n", namespace, "-q"]);
    assertEquals([quiet.code, quiet.stdout], [0, images.map(({ name }) => `${name}\n`).join("")]);
    const again = await davit(containerd, ["images", "import", file, "-n", namespace, "-o", "json"]);
    const [row] = JSON.parse(again.stdout);
    assertEquals(row, {
      image: images[0]!.name,
      digest: images[0]!.target.digest,
      size: [...images[0]!.blobs.values()].reduce((sum, { length }) => sum + length, 0),
      status: "exists",
      written: 0,
      shared: 0,
      existing: 4,
      bytesMoved: 0,
      unpacked: true,
    });
  });
});

realTest(
  "images import - reads stdin, shows progress in bytes and warns of missing platforms",
  async (_t, { address }) => {
    const namespace = uniqueNamespace();
    const archive = await collect(ociArchive([await sparseImage({ seed: 2002 })]));
    const io = new (class extends CapturedIo {
      override stdin() {
        return streamOf(archive);
      }
    })();
    const argv = ["-a", address, "-n", namespace, "images", "import", "-", "--progress", "plain"];
    assertEquals(await run(argv, io), 0);
    assertMatch(io.stderr, /^importing: \d+/m);
    assertStringIncludes(io.stderr, "1 of its platforms not complete in the archive");
    assertStringIncludes(io.stdout, "created");
  },
);

realTest(
  "images import says with one line and exit 2 what is wrong with an archive",
  async (_t, containerd) => {
    const image = await randomImage({ seed: 2003 });
    const whole = await archiveOf(layoutFiles(image));
    const archives: { archive: Bytes; message: string; creates: boolean }[] = [
      { archive: whole.slice(0, whole.length / 2), message: "tar archive is truncated", creates: true },
      { archive: await archiveOf({ "README.md": "" }), message: "neither an OCI layout", creates: true },
      { archive: new Uint8Array(3_000).fill(1), message: "damaged, or not a tar archive", creates: false },
      { archive: new Uint8Array(), message: "Cannot read archive: it is empty", creates: false },
    ];
    for (const { archive, message, creates } of archives) {
      const namespace = uniqueNamespace();
      await withFile(archive, async (file) => {
        const { code, stdout, stderr } = await davit(containerd, ["images", "import", file, "-n", namespace]);
        assertEquals([code, stdout], [2, ""]);
        assertStringIncludes(stderr, message);
        const lines = stderr.trimEnd().split("\n");
        assertEquals(lines.filter((line) => line.includes("does not exist yet")).length, creates ? 1 : 0);
        assertEquals(lines.length, creates ? 2 : 1);
      });
      await assertNothingLeft(containerd, namespace);
    }
  },
);

realTest("images import says which file it cannot read", async (_t, containerd) => {
  const missing = await davit(containerd, ["images", "import", "/nowhere.tar"]);
  assertEquals(missing.code, 4);
  assertStringIncludes(missing.stderr, 'Cannot read archive "/nowhere.tar": no such file');
  const folder = await davit(containerd, ["images", "import", "/tmp"]);
  assertEquals(folder.code, 2);
  assertStringIncludes(folder.stderr, 'Cannot read archive "/tmp": it is a folder');
  assertEquals((await davit(containerd, ["images", "import"])).code, 2);
  assertEquals((await davit(containerd, ["images", "import", "a", "b"])).code, 2);
  const dry = await davit(containerd, ["images", "import", "/nowhere.tar", "--dry-run"]);
  assertEquals(dry.code, 2);
});

realTest("images import ends when containerd dies, even if stdin is silent", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const archive = await archiveOf(
    layoutFiles(await buildImage({ name: "a", layers: [await randomLayer(4 << 20, 2004)] })),
  );
  const importing = spawnDavit(containerd, ["-n", namespace, "images", "import", "-"], { stdin: "piped" });
  const stdin = importing.stdin.getWriter();
  await stdin.write(archive.subarray(0, archive.length - (2 << 20)));
  await using client = await connect({ address: containerd.address });
  const { content } = client.namespace(namespace);
  while ((await Array.fromAsync(content.listStatuses(), ({ offset }) => offset))[0]! < 1 << 20) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  containerd.kill();
  await containerd.exited();
  const diedAt = performance.now();
  const { code, stderr } = await importing.output();
  const said = new TextDecoder().decode(stderr);
  assertEquals(code, 7, said);
  assertStringIncludes(said, "connection lost");
  assert(performance.now() - diedAt < 20_000);
  await stdin.abort().catch(() => {});
}, { fresh: true, series: ["2"] });

realTest("images import needs no more memory for a larger archive", async (_t, containerd) => {
  const peaks: number[] = [];
  for (const bytes of [64 << 20, 1 << 30]) {
    await withFile(new Uint8Array(), async (file) => {
      await oneBigImage(file, { bytes, seed: bytes });
      peaks.push(await peakOf(["-a", containerd.address, "-n", uniqueNamespace(), "images", "import", file]));
    });
  }
  const [small = 0, large = Infinity] = peaks;
  assert(large < small + (32 << 20), `${small} bytes for 64 MiB, ${large} for 1 GiB`);
}, { full: true });

/** The most memory that a run of davit had in use, in bytes. */
async function peakOf(argv: string[]): Promise<number> {
  const main = new URL("../../../cli/main.ts", import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, ...argv],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const peak = await peakMemory(process);
  assertEquals((await process.status).code, 0);
  return peak;
}

async function withFile(bytes: Bytes, work: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".tar" });
  try {
    await Deno.writeFile(path, bytes);
    await work(path);
  } finally {
    await Deno.remove(path);
  }
}
