import { assert } from "@std/assert";
import { Buffer } from "node:buffer";
import type { NamespacedClient } from "../../lib/client.ts";
import { type Bytes, randomChunks, sha256 } from "../real/layers.ts";

export const MiB = 1 << 20;

/** A client of the same namespace whose lease holds what it writes, until it is disposed. */
export async function leased(client: NamespacedClient): Promise<NamespacedClient & AsyncDisposable> {
  const lease = await client.leases.acquire({ prefix: "test" });
  return Object.assign(client.withLease(lease.id), {
    [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
  });
}

/** Bytes that no other test has. */
export async function randomBlob(
  size: number,
  seed?: number,
): Promise<{ bytes: Bytes; digest: string; size: number }> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of randomChunks(size, seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { bytes, digest: await sha256(bytes), size };
}

/** The bytes, one MiB at a time. */
export async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += MiB) yield bytes.subarray(at, at + MiB);
}

/** All bytes at once. */
export async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Bytes> {
  return new Uint8Array(
    await new Blob(await Array.fromAsync(chunks, (bytes) => bytes.slice())).arrayBuffer(),
  );
}

/** `assertEquals` takes seconds for a MiB. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert(
    Buffer.compare(actual, expected) === 0,
    `${actual.length} bytes are not the ${expected.length} expected`,
  );
}
