import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "davit";
import { run } from "../../../cli/app.ts";
import { assertBytes, leased, MiB, pieces, randomBlob } from "../../lib/some_blob.ts";
import type { Containerd } from "../../real/containerd.ts";
import type { Bytes } from "../../real/layers.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { CapturedIo } from "../captured_io.ts";

/** Keeps stdout as bytes. */
class BytesIo extends CapturedIo {
  readonly #parts: Bytes[] = [];

  override writeOut(bytes: Uint8Array): Promise<void> {
    this.#parts.push(bytes.slice());
    return Promise.resolve();
  }

  async bytes(): Promise<Bytes> {
    return new Uint8Array(await new Blob(this.#parts).arrayBuffer());
  }
}

async function get(
  containerd: Containerd,
  ...argv: string[]
): Promise<{ code: number; bytes: Bytes; stderr: string }> {
  const io = new BytesIo();
  const code = await run(["-a", containerd.address, "content", "get", ...argv], io);
  return { code, bytes: await io.bytes(), stderr: io.stderr };
}

realTest("content get prints the bytes that ctr has ingested", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await using client = await connect({ address: containerd.address });
  const { leases } = client.namespace(namespace);
  await leases.create({ id: "keeps" });
  for (const size of [1, MiB, 9 * MiB + 3]) {
    const { bytes, digest } = await randomBlob(size);
    await leases.addResource("keeps", { id: digest, type: "content" }); // the collector may come at any moment
    await containerd.ctr(["content", "ingest", "--expected-digest", digest, "x"], {
      namespace,
      stdin: bytes,
    });
    const { code, bytes: printed, stderr } = await get(containerd, "-n", namespace, digest);
    assertEquals([code, stderr], [0, ""]);
    assertBytes(printed, bytes);
  }
});

realTest("content get says where a blob is that is not here, and takes no -o", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const there = uniqueNamespace("there");
  await using held = await leased(client.namespace(there));
  const { bytes, digest, size } = await randomBlob(10);
  await held.content.write({ digest, size }, () => pieces(bytes));
  const { code, stderr } = await get(containerd, digest);
  assertEquals(code, 4);
  assertStringIncludes(stderr, `Cannot get content ${digest} in namespace "default": not found\n`);
  assertStringIncludes(stderr, `hint: it is in namespace "${there}"\n`);
  for (const flags of [["-o", "json"], ["-q"]]) {
    const refused = await get(containerd, "-n", there, digest, ...flags);
    assertEquals([refused.code, refused.bytes.length], [2, 0]);
    assertStringIncludes(refused.stderr, "it prints bytes as they are");
  }
});

realTest("content get fails for damaged bytes, of which it never prints the last", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  await using held = await leased(client.namespace(namespace));
  for (const size of [10 * MiB, 1_000]) {
    const { bytes, digest } = await randomBlob(size);
    await held.content.write({ digest, size }, () => pieces(bytes));
    const file = `${containerd.contentDir}/${digest.replace(":", "/")}`;
    const reasons = new Map<Bytes, RegExp>([
      [bytes.map((byte, at) => (at === 500 ? byte ^ 1 : byte)), /the bytes have another digest/],
      [bytes.subarray(0, size - 100), /bytes instead of/],
    ]);
    for (const [damaged, reason] of reasons) {
      await Deno.chmod(file, 0o600);
      await Deno.writeFile(file, damaged);
      const { code, bytes: printed, stderr } = await get(containerd, "-n", namespace, digest);
      assertEquals(code, 1);
      assertMatch(stderr, reason);
      assertStringIncludes(stderr, `Cannot read content ${digest} in namespace "${namespace}": `);
      assert(printed.length < size - 100, `${printed.length} bytes of ${size}`);
    }
  }
});

realTest("content get waits for who reads, and ends silently when he is gone", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  await using held = await leased(client.namespace(namespace));
  const { bytes, digest, size } = await randomBlob(40 * MiB);
  await held.content.write({ digest, size }, () => pieces(bytes));
  const argv = ["-a", containerd.address, "-n", namespace, "content", "get", digest];
  let taken = 0;
  const io = new CapturedIo();
  io.writeOut = async (piece) => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (taken > 3 * MiB) throw new Deno.errors.BrokenPipe();
    taken += piece.length;
  };
  assertEquals([await run(argv, io), io.stderr], [0, ""]);
  assert(taken <= 4 * MiB + MiB);
}, { series: ["2"] });
