import { createHash } from "node:crypto";
import type { Status } from "../../proto/gen/containerd/services/content/v1/content.ts";
import type { Timestamp } from "../../proto/gen/google/protobuf/timestamp.ts";
import { now } from "./state.ts";

/** A write that was begun and not committed. */
export class Ingest {
  readonly ref: string;
  readonly total: bigint;
  readonly expected: string;
  readonly startedAt: Timestamp = now();
  updatedAt: Timestamp = this.startedAt;
  /** Since when a stream has it open; two may not. */
  openSinceMs: number | undefined;
  /** Under no lease: containerd then keeps it for a day. */
  readonly unleased: boolean;
  /** The blob of another namespace that it stands for, until bytes come. */
  #shared: Uint8Array | undefined;
  #pieces: Uint8Array[] = [];
  #hash = createHash("sha256");

  constructor(
    ref: string,
    { total, expected, unleased, shared }: Pick<Ingest, "total" | "expected" | "unleased"> & {
      shared: Uint8Array | undefined;
    },
  ) {
    this.ref = ref;
    this.expected = expected;
    this.unleased = unleased;
    this.total = total === 0n && shared ? BigInt(shared.length) : total;
    this.#shared = shared;
  }

  get isShared(): boolean {
    return this.#shared !== undefined;
  }

  get offset(): bigint {
    if (this.#shared) return BigInt(this.#shared.length);
    return BigInt(this.#pieces.reduce((sum, { length }) => sum + length, 0));
  }

  get digest(): string {
    return this.#shared ? this.expected : `sha256:${this.#hash.copy().digest("hex")}`;
  }

  get status(): Status {
    const { ref, offset, total, expected, startedAt, updatedAt } = this;
    return { ref, offset, total, expected, startedAt, updatedAt };
  }

  write(bytes: Uint8Array): void {
    this.#unshare();
    this.#pieces.push(bytes);
    this.#hash.update(bytes);
    this.updatedAt = now();
  }

  /** Forgets what was written. */
  truncate(): void {
    this.#shared = undefined;
    this.#pieces = [];
    this.#hash = createHash("sha256");
  }

  bytes(): Uint8Array {
    if (this.#shared) return this.#shared;
    const bytes = new Uint8Array(Number(this.offset));
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  #unshare(): void {
    const shared = this.#shared;
    if (shared === undefined) return;
    this.#shared = undefined;
    this.write(shared);
  }
}
