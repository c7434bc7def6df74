/** Holds the bytes of a blob, as they are read, against the size and the digest that they are to have. */
import { parseDigest } from "./oci/descriptor.ts";

/** What a blob's bytes have to be. */
export interface Promised {
  digest: string;
  /** Bytes. */
  size: number;
}

/**
 * Passes the bytes of a blob on, the last piece only when size and digest are right: what is not right never looks whole.
 *
 * `wrong` makes the error of the reason why they are not.
 */
export async function* verified(
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
  { digest, size }: Promised,
  wrong: (reason: string) => Error,
): AsyncIterable<Uint8Array<ArrayBuffer>> {
  const { createHash } = await import("node:crypto"); // Web Crypto wants all bytes at once
  const { algorithm, encoded } = parseDigest(digest);
  const hash = createHash(algorithm);
  let length = 0;
  let last: Uint8Array<ArrayBuffer> | undefined;
  for await (const piece of pieces) {
    if (last) yield last;
    hash.update(piece);
    length += piece.length;
    if (length > size) throw wrong(`more bytes than ${size}`);
    last = piece;
  }
  if (length !== size) throw wrong(`${length} bytes instead of ${size}`);
  if (hash.digest("hex") !== encoded) throw wrong("the bytes have another digest");
  if (last) yield last;
}
