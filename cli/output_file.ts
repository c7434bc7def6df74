import { basename, dirname, join } from "@std/path";
import { CliError, UsageError } from "./errors.ts";

/**
 * Writes a file so that it is there as a whole or not at all: beside it first, then in its place. What is no file
 * (a pipe, a device) is written to as it is.
 *
 * @throws {UsageError} when it is a folder, or a symbolic link to a file, which would be replaced by one.
 */
export async function writeFile(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const place = await placeOf(path);
  if (place === "file") await replaceFile(path, pieces);
  else await writeInto(path, pieces);
}

/** @throws {UsageError} when a file cannot be written there, which is better known before the work than after it. */
export async function placeOf(path: string): Promise<"file" | "device"> {
  const quoted = JSON.stringify(path);
  if (path === "" || path.endsWith("/")) {
    throw new UsageError(`Cannot write to ${quoted}: not the name of a file`);
  }
  const { isSymlink = false } = await lstat(path) ?? {};
  const target = await stat(path);
  if (target?.isDirectory) throw new UsageError(`Cannot write to ${quoted}: it is a folder`);
  if (target && !target.isFile) return "device";
  if (!isSymlink) return "file";
  const meant = await Deno.realPath(path).catch(() => Deno.readLink(path));
  throw new UsageError(
    `Cannot write to ${quoted}: it is a symbolic link`,
    `to write where it leads, name ${meant}`,
  );
}

async function replaceFile(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${crypto.randomUUID()}`);
  // The second Ctrl-C ends the process without waiting for anybody.
  const clear = () => {
    try {
      Deno.removeSync(temporary);
    } catch {
      // It has its final name, or was never there.
    }
  };
  addEventListener("unload", clear);
  try {
    using file = await Deno.open(temporary, { createNew: true, write: true, mode: 0o644 });
    for await (const piece of pieces) await writeAll(file, piece);
    await file.sync();
    await Deno.rename(temporary, path);
    using folder = await Deno.open(dirname(path));
    await folder.sync();
  } catch (error) {
    clear();
    throw explained(error, path);
  } finally {
    removeEventListener("unload", clear);
  }
}

async function writeInto(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    using file = await Deno.open(path, { write: true });
    for await (const piece of pieces) await writeAll(file, piece);
  } catch (error) {
    throw explained(error, path);
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await file.write(rest));
}

async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  return await Deno.lstat(path).catch(absent);
}

async function stat(path: string): Promise<Deno.FileInfo | undefined> {
  return await Deno.stat(path).catch(absent);
}

function absent(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** What the system said, in words that name the file; other errors as they are. */
function explained(error: unknown, path: string): unknown {
  const [, reason] = error instanceof Error ? /^(.*?) \(os error \d+\)/.exec(error.message) ?? [] : [];
  if (reason === undefined) return error;
  const code = error instanceof Deno.errors.NotFound
    ? "not_found"
    : error instanceof Deno.errors.PermissionDenied
    ? "permission_denied"
    : "unexpected";
  return new CliError(`Cannot write to ${JSON.stringify(path)}: ${reason.toLowerCase()}`, {
    code,
    cause: error,
  });
}
