import type { NamespacedClient } from "../client.ts";
import { containerdError, NotFoundError } from "../errors.ts";
import { quoted } from "../oci/quoted.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Pause } from "./pause.ts";

/** How much of a log to read. */
export interface LogOptions extends CallOptions {
  /** Wait for more until the task has ended. */
  follow?: boolean | undefined;
  /** Begin with the last lines. Default: all. */
  tailLines?: number | undefined;
}

const chunkBytes = 64 * 1024;
const newline = 10;

/** How often to look for more, in milliseconds. */
const everyMs = 200;

/**
 * What a task wrote whose output goes to a file (`file:///…`) of this machine.
 *
 * ```ts
 * import { followTaskLog, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   for await (const bytes of followTaskLog(client, "web", { follow: true, tailLines: 10 })) {
 *     await Deno.stdout.write(bytes);
 *   }
 * }
 * ```
 *
 * @throws {NotFoundError} when the container has no task.
 * @throws {FailedPreconditionError} when its output goes elsewhere.
 * @throws {Deno.errors.NotFound} when somebody removed the file.
 */
export async function* followTaskLog(
  client: NamespacedClient,
  containerId: string,
  { follow = false, tailLines, ...options }: LogOptions = {},
): AsyncIterable<Uint8Array> {
  const { io } = await client.tasks.get(containerId, options);
  const url = io.stdout.startsWith("file:") ? URL.parse(io.stdout) : null;
  if (!url) {
    const where = io.stdout === "" ? "nowhere" : `to ${quoted(io.stdout)}`;
    throw containerdError({
      code: "failed_precondition",
      reason: `its output goes ${where}, not to a file`,
      outcome: "refused",
      action: "read the log of",
      resource: `task ${quoted(containerId)}`,
      namespace: client.name,
    });
  }
  using file = await Deno.open(url);
  let position = tailLines === undefined ? 0 : await startOfTail(file, tailLines);
  await file.seek(position, Deno.SeekMode.Start);
  const buffer = new Uint8Array(chunkBytes);
  for (;;) {
    // Asked for before the rest is read, so that nothing can come between the two.
    const isOver = !follow || await hasEnded(client, containerId, options);
    const { size } = await file.stat();
    if (size < position) position = await file.seek(0, Deno.SeekMode.Start); // somebody emptied it
    for (let length; (length = await file.read(buffer)) !== null; position += length) {
      yield buffer.slice(0, length);
    }
    if (isOver) return;
    using pause = new Pause(everyMs);
    await pause.over;
    options.signal?.throwIfAborted();
  }
}

async function hasEnded(
  { tasks }: NamespacedClient,
  containerId: string,
  options: CallOptions,
): Promise<boolean> {
  try {
    return (await tasks.get(containerId, options)).status === "stopped";
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    throw error;
  }
}

/** Where the last lines begin, looked for from the end. */
async function startOfTail(file: Deno.FsFile, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines === 0) return size;
  let found = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunkBytes);
    const chunk = await readAt(file, start, end);
    for (let at = chunk.length - 1; at >= 0; at--) {
      // The last newline ends the last line and begins none.
      if (chunk[at] === newline && start + at < size - 1 && ++found === lines) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

async function readAt(file: Deno.FsFile, start: number, end: number): Promise<Uint8Array> {
  await file.seek(start, Deno.SeekMode.Start);
  const chunk = new Uint8Array(end - start);
  let length = 0;
  while (length < chunk.length) {
    const read = await file.read(chunk.subarray(length));
    if (read === null) break;
    length += read;
  }
  return chunk.subarray(0, length);
}
