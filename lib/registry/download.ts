import type { Descriptor } from "../oci/descriptor.ts";
import { isNonDistributable } from "../oci/media_types.ts";
import { quoted } from "../oci/quoted.ts";
import type { Answer } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";
import { refusal, RegistryError, type Task } from "./failure.ts";
import type { Attempts } from "./retry.ts";
import { ConnectionError } from "./wire.ts";

/** What to download. */
export interface Download {
  repository: string;
  descriptor: Descriptor;
  /** Bytes to leave out at the beginning. */
  offset: number;
  task: Task;
}

/**
 * The bytes of a blob from an offset on, each once: what is lost on the way is asked for again from where it broke
 * off, at the same host as long as that may help, then at the next. Ends only after exactly as many bytes as the
 * descriptor says; whether they are the right ones only their digest tells.
 */
export async function* download(
  endpoints: readonly Endpoint[],
  { repository, descriptor, offset, task }: Download,
  { attemptsAt }: { attemptsAt: (endpoint: Endpoint) => Attempts },
): AsyncIterable<Uint8Array> {
  let position = offset;
  const sources = sourcesOf(endpoints, { repository, descriptor });
  for (const source of sources) {
    const { endpoint } = source;
    const attempts = attemptsAt(endpoint);
    for (;;) {
      if (position === descriptor.size) return;
      try {
        for await (const piece of piecesFrom(source, { repository, descriptor, offset: position, task })) {
          attempts.progressed();
          position += piece.length;
          yield piece;
        }
        return;
      } catch (error) {
        const failure = endpoint.failure(error, task);
        try {
          const isKnown = failure instanceof RegistryError;
          await attempts.failed(isKnown ? failure.ofPart(descriptor.digest) : failure, task.signal);
        } catch (last) {
          if (!(last instanceof RegistryError) || source === sources.at(-1)) throw last;
          break;
        }
      }
    }
  }
}

interface Source {
  endpoint: Endpoint;
  target: string | URL;
}

/** Layers that registries may not hold say themselves where they are; nothing that is secret goes there. */
function sourcesOf(
  endpoints: readonly Endpoint[],
  { repository, descriptor: { digest, mediaType, urls = [] } }: Pick<Download, "repository" | "descriptor">,
): Source[] {
  const elsewhere = isNonDistributable(mediaType)
    ? urls.filter((url) => /^https:/.test(url) && URL.canParse(url))
    : [];
  return [
    ...endpoints.map((endpoint) => ({ endpoint, target: `${repository}/blobs/${digest}` })),
    ...elsewhere.map((url) => ({ endpoint: endpoints.at(-1)!, target: new URL(url) })),
  ];
}

async function* piecesFrom(
  { endpoint, target }: Source,
  { repository, descriptor: { digest, size }, offset, task }: Download,
): AsyncIterable<Uint8Array> {
  const refuse = (what: string) =>
    refusal(task, {
      code: "data_loss",
      reason: `registry ${quoted(endpoint.host)} ${what}`,
      host: endpoint.host,
    });
  await using answer = await endpoint.send({
    method: "GET",
    target,
    scope: { repository, actions: "pull" },
    ...(offset > 0 && { headers: { range: `bytes=${offset}-` } }),
    expect: offset > 0 ? [200, 206, 416] : [200, 206],
    task,
  });
  if (answer.status === 416) throw refuse(`has no byte ${offset} of the ${size} of blob ${quoted(digest)}`);
  const { start, total } = rangeOf(answer);
  if (total !== undefined && total !== size) {
    throw refuse(`has ${total} bytes for blob ${quoted(digest)}, not ${size}`);
  }
  if (start > offset) throw refuse(`sends another part of blob ${quoted(digest)} than it was asked for`);
  let skip = offset - start; // all of it when the host knows no ranges
  let left = size - offset;
  for await (const piece of answer.pieces()) {
    const rest = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - rest.length;
    if (rest.length > left) throw refuse(`sends more than the ${size} bytes of blob ${quoted(digest)}`);
    left -= rest.length;
    if (rest.length > 0) yield rest;
  }
  if (left > 0) throw new ConnectionError(new Error("the answer breaks off"));
}

/** Where the bytes of an answer begin, and how many the blob has in all, if the answer says so. */
function rangeOf({ status, headers }: Answer): { start: number; total: number | undefined } {
  if (status === 206) {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
    return {
      start: Number(start ?? Infinity),
      total: total === undefined || total === "*" ? undefined : Number(total),
    };
  }
  const length = headers.get("content-length");
  return { start: 0, total: length === null ? undefined : Number(length) };
}
