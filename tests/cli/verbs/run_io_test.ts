/** What goes through davit in bulk: every byte, on its own way, in little memory. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { leftOf, type RunSetting, runTest } from "../../lib/run/setting.ts";
import { busyboxName } from "../../lib/some_container.ts";
import { peakMemory } from "../../real/process.ts";
import { spawnDavit } from "../spawn_davit.ts";

const mib = 1024 ** 2;

/** What any verb may use at most. */
const memoryLimit = 150 * mib;

for (const { size, full } of [{ size: 32 * mib, full: false }, { size: 1024 * mib, full: true }]) {
  runTest(`run keeps ${size / mib} MiB of stdout and stderr apart, byte for byte`, async (setting) => {
    await using folder = await Folder.make();
    const [out, err] = [noise(), noise()];
    await Promise.all([
      Deno.writeFile(join(folder.path, "out"), out),
      Deno.writeFile(join(folder.path, "err"), err),
    ]);
    const rounds = size / 2 / mib;
    const each = (name: string) => `for i in $(seq ${rounds}); do cat /data/${name}; done`;
    const davit = run(setting, {
      flags: ["--mount", `type=bind,src=${folder.path},dst=/data,options=rbind:ro`],
      script: `(${each("err")}) >&2 & ${each("out")}; wait; exit 3`,
    });
    const [peak, onStdout, onStderr] = await Promise.all([
      peakMemory(davit),
      repeats(out, davit.stdout),
      repeats(err, davit.stderr),
    ]);
    assertEquals([(await davit.status).code, onStdout, onStderr], [3, rounds, rounds]);
    assert(peak <= memoryLimit, `davit used ${peak / mib} MiB`);
    assertEquals(await leftOf(setting), []);
  }, { full });
}

for (const { size, full } of [{ size: 8 * mib, full: false }, { size: 100 * mib, full: true }]) {
  runTest(`run carries ${size / mib} MiB of stdin there and back, byte for byte`, async (setting) => {
    const block = noise();
    const rounds = size / mib;
    const davit = run(setting, { script: "cat; exit 4", stdin: "piped" });
    const input = ReadableStream.from(Array.from({ length: rounds }, () => block));
    const [peak, onStdout, errors] = await Promise.all([
      peakMemory(davit),
      repeats(block, davit.stdout),
      new Response(davit.stderr).text(),
      input.pipeTo(davit.stdin),
    ]);
    assertEquals([(await davit.status).code, onStdout, errors], [4, rounds, ""]);
    assert(peak <= memoryLimit, `davit used ${peak / mib} MiB`);
    assertEquals(await leftOf(setting), []);
  }, { full });
}

function run(
  { containerd, client }: RunSetting,
  { flags = [], script, stdin }: { flags?: string[]; script: string; stdin?: "piped" },
): Deno.ChildProcess {
  const argv = ["-n", client.name, "run", "--rm", ...flags, busyboxName, "c", "sh", "-c", script];
  return spawnDavit(containerd, argv, stdin && { stdin });
}

/** A MiB that no other is like, nor any part of it. */
function noise(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(mib);
  for (let at = 0; at < mib; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

/** How often a stream consists of a block. @throws when it has something else. */
async function repeats(block: Uint8Array, stream: ReadableStream<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of stream) {
    for (let rest = chunk; rest.length > 0;) {
      const expected = block.subarray(length % block.length).subarray(0, rest.length);
      assert(equal(rest.subarray(0, expected.length), expected), `wrong bytes after ${length}`);
      length += expected.length;
      rest = rest.subarray(expected.length);
    }
  }
  return length / block.length;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "davit-test-io-" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
