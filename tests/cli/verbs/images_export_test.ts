import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { run } from "../../../cli/app.ts";
import { assertNothingOpen, imported } from "../../lib/image/imported.ts";
import type { Containerd } from "../../real/containerd.ts";
import { parseJson } from "../../real/image_builder.ts";
import { importWithCtr, ociArchive, oneBigImage, randomImage, sparseImage } from "../../real/images.ts";
import type { Bytes, Descriptor } from "../../real/layers.ts";
import { peakMemory, run as runProgram } from "../../real/process.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { CapturedIo } from "../captured_io.ts";
import { davit } from "./davit.ts";

const main = new URL("../../../cli/main.ts", import.meta.url).pathname;

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-export-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function filesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).toSorted();
}

realTest("images export FILE shows what it wrote and warns of what it could not", async (_t, containerd) => {
  const [namespace, to] = [uniqueNamespace(), uniqueNamespace()];
  const [sparse, image] = [await sparseImage({ seed: 600 }), await randomImage({ seed: 601 })];
  await imported(containerd, namespace, ociArchive([sparse, image]));
  await inFolder(async (folder) => {
    const file = join(folder, "images.tar");
    const { code, stdout, stderr } = await davit(containerd, [
      ...["images", "export", file, "example.com/**", "-n", namespace],
    ]);
    assertEquals([code, stderr], [
      0,
      `warning: Image ${JSON.stringify(sparse.name)} lacks linux/arm64: not exported\n`,
    ]);
    const rows = stdout.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
    assertEquals(rows[0], ["REF", "DIGEST", "PLATFORMS", "SIZE"]);
    assertEquals(
      rows.slice(1).map(([ref, digest, platforms]) => [ref, digest, platforms]),
      [image, sparse].map(({ name, target }) => [name, target.digest, "linux/amd64"]),
    );
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o644 & ~Deno.umask());
    assertEquals(await filesIn(folder), ["images.tar"]);
    await importWithCtr(containerd, to, file, { allPlatforms: false });
    const again = await davit(containerd, ["images", "export", file, image.name, "-n", to, "-q"]);
    assertEquals(again.stdout, `${image.name}\n`);
    const strict = await davit(containerd, [
      "images",
      "export",
      file,
      sparse.name,
      "--all-platforms",
      "-n",
      to,
    ]);
    assertEquals(strict.code, 4);
    assertStringIncludes(strict.stderr, "its linux/arm64 lacks content");
  });
});

realTest("images export - writes the archive to stdout, but not to a terminal", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 602 });
  await imported(containerd, namespace, ociArchive([image]));
  const argv = ["-a", containerd.address, "-n", namespace, "images", "export"];
  const parts: Bytes[] = [];
  const io = new (class extends CapturedIo {
    override writeOut(bytes: Uint8Array): Promise<void> {
      parts.push(bytes.slice());
      return Promise.resolve();
    }
  })();
  assertEquals([await run([...argv, "-", image.name], io), io.stderr], [0, ""]);
  await inFolder(async (folder) => {
    const file = join(folder, "image.tar");
    assertEquals(await run([...argv, file, image.name], new CapturedIo()), 0);
    assertEquals(await new Blob(parts).bytes(), await Deno.readFile(file));
  });
  const terminal = new CapturedIo({ terminal: { columns: 80, colour: false, showsOutput: true } });
  assertEquals(await run([...argv, "-", image.name], terminal), 2);
  assertStringIncludes(terminal.stderr, "Cannot write an archive to a terminal\nhint: name a file");
  assertEquals(terminal.stdout, "");
  const rows = new CapturedIo();
  assertEquals(await run([...argv, "-", image.name, "-o", "json"], rows), 2);
  assertStringIncludes(rows.stderr, "it prints bytes as they are");
}, { series: ["2"] });

realTest("images export ends silently when its reader does", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 603, layerBytes: 3 << 20 });
  await imported(containerd, namespace, ociArchive([image]));
  const script = `"$0" run -A "$1" -a "$2" -n "$3" images export - "$4"; echo "exit $?" >&2`;
  const { stderr } = await runProgram("sh", [
    "-c",
    `{ ${script}; } | head -c 1000 > /dev/null`,
    Deno.execPath(),
    main,
    containerd.address,
    namespace,
    image.name,
  ]);
  assertEquals(stderr, "exit 0\n");
  await assertNothingOpen(containerd, namespace);
}, { series: ["2"] });

realTest(
  "images export leaves no file when a blob is damaged or an image not there",
  async (_t, containerd) => {
    const [namespace, other] = [uniqueNamespace(), uniqueNamespace()];
    const image = await randomImage({ seed: 604, layerBytes: 9 << 20 });
    await imported(containerd, namespace, ociArchive([image]));
    await imported(containerd, other, ociArchive([await randomImage({ seed: 605 })]));
    const { layers } = parseJson<{ layers: Descriptor[] }>(image.blobs, image.target);
    const path = join(containerd.contentDir, layers[0]!.digest.replace(":", "/"));
    const bytes = await Deno.readFile(path);
    bytes[5_000_000]! ^= 1;
    await Deno.remove(path);
    await Deno.writeFile(path, bytes);
    await inFolder(async (folder) => {
      const file = join(folder, "image.tar");
      await Deno.writeTextFile(file, "as it was");
      const argv = ["images", "export", file, "-n", namespace];
      const damaged = await davit(containerd, [...argv, image.name]);
      assertEquals([damaged.code, damaged.stdout], [1, ""]);
      assertStringIncludes(damaged.stderr, `content ${layers[0]!.digest}`);
      assertStringIncludes(damaged.stderr, "another digest");
      const missing = await davit(containerd, [...argv, "example.com/random/605:latest"]);
      assertEquals(missing.code, 4);
      assertStringIncludes(missing.stderr, `hint: it is in namespace "${other}"`);
      assertEquals([await filesIn(folder), await Deno.readTextFile(file)], [["image.tar"], "as it was"]);
      const both = await davit(containerd, [...argv, image.name, "--platform", "arm64", "--all-platforms"]);
      assertEquals(both.code, 2);
    });
  },
  { fresh: true },
);

realTest("images export leaves nothing on a disk that is full", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 606, layerBytes: 2 << 20 });
  await imported(containerd, namespace, ociArchive([image]));
  await inFolder(async (folder) => {
    await runProgram("mount", ["-t", "tmpfs", "-o", "size=1m", "davit-export", folder]);
    try {
      const file = join(folder, "image.tar");
      const { code, stderr } = await davit(containerd, [
        "images",
        "export",
        file,
        image.name,
        "-n",
        namespace,
      ]);
      assertEquals([code, stderr], [
        1,
        `davit: Cannot write to ${JSON.stringify(file)}: no space left on device\n`,
      ]);
      assertEquals(await filesIn(folder), []);
    } finally {
      await runProgram("umount", [folder]);
    }
  });
  await assertNothingOpen(containerd, namespace);
}, { series: ["2"] });

realTest("images export leaves nothing when it is interrupted, once or twice", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 607, layerBytes: 64 << 20 });
  await imported(containerd, namespace, ociArchive([image]));
  for (const times of [1, 2]) {
    await inFolder(async (folder) => {
      const process = interruptible(
        containerd,
        ["images", "export", join(folder, "image.tar"), image.name],
        namespace,
      );
      while (!await hasBytes(folder)) await new Promise((resolve) => setTimeout(resolve, 1));
      for (let i = 0; i < times; i++) process.kill("SIGINT");
      const { code, stderr } = await process.output();
      assertEquals(code, 130);
      if (times === 1) assertMatch(new TextDecoder().decode(stderr), /^davit: Interrupted\n$/);
      assertEquals(await filesIn(folder), []);
    });
  }
}, { fresh: true, series: ["2"] });

realTest("images export needs no more memory for a larger image", async (_t, containerd) => {
  const peaks: number[] = [];
  for (const bytes of [64 << 20, 1 << 30]) {
    await inFolder(async (folder) => {
      const file = join(folder, "big.tar");
      const namespace = uniqueNamespace();
      const { name } = await oneBigImage(file, { bytes, seed: bytes });
      await importWithCtr(containerd, namespace, file);
      peaks.push(await peakOf(interruptible(containerd, ["images", "export", file, name], namespace)));
    });
  }
  const [small = 0, large = Infinity] = peaks;
  assert(large < small + (32 << 20), `${small} bytes for 64 MiB, ${large} for 1 GiB`);
}, { full: true });

/** The most memory that a process had in use, in bytes. */
async function peakOf(process: Deno.ChildProcess): Promise<number> {
  const peak = await peakMemory(process);
  assertEquals((await process.output()).code, 0);
  return peak;
}

function interruptible({ address }: Containerd, argv: string[], namespace: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, "-a", address, "-n", namespace, ...argv],
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function hasBytes(folder: string): Promise<boolean> {
  for (const name of await filesIn(folder)) {
    const { size } = await Deno.stat(join(folder, name)).catch(() => ({ size: 0 }));
    if (size > 0) return true;
  }
  return false;
}
