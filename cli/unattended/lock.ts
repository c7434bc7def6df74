import { dirname, join } from "@std/path";
import { CliError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";

/** Who holds a lock, as its file says. */
interface Holder {
  pid: number;
  since: string;
}

/**
 * A lock that one run on this machine holds at a time. The kernel gives it back when the process ends, however it
 * ends, so there is nothing to recover.
 */
export class Lock implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Takes the lock of that name, or of a file if there is a slash in it.
   *
   * @throws {CliError} `locked` when another run has it.
   * @throws {UsageError} when the name is none.
   */
  static async acquire(name: string, io: Pick<Io, "env">): Promise<Lock> {
    const path = name.includes("/") ? name : join(folderOf(io), `${checked(name)}.lock`);
    const file = await openLock(path, name);
    if (!await file.tryLock(true)) {
      file.close();
      throw new CliError(`Cannot start: lock ${JSON.stringify(name)} is held by ${await holderOf(path)}`, {
        code: "locked",
        hint: `it is free when that run ends; the lock is ${path}`,
      });
    }
    if (!await isStill(path, file)) { // it was taken away after it was opened: the next run would make another
      file.close();
      return await Lock.acquire(name, io);
    }
    const holder: Holder = { pid: Deno.pid, since: new Date().toISOString() };
    await file.truncate();
    await file.write(new TextEncoder().encode(`${JSON.stringify(holder)}\n`)).catch(() => {}); // a full disk
    return new Lock(file);
  }

  /** Gives the lock back. The file stays: somebody may be waiting to open it. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** The folder of locks: one that the user alone may write to. */
function folderOf(io: Pick<Io, "env">): string {
  const runtime = io.env("XDG_RUNTIME_DIR");
  return runtime ? join(runtime, "davit") : "/run/davit";
}

function checked(name: string): string {
  if (/^[A-Za-z0-9][\w.@-]{0,99}$/.test(name)) return name;
  throw new UsageError(
    `Cannot use ${JSON.stringify(name)} for --lock: expected letters, digits, ".", "_", "@" and "-"`,
  );
}

async function openLock(path: string, name: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const before = await Deno.lstat(path).catch(() => undefined);
    if (before?.isFile === false) throw new Error(`${path} is no file of its own`); // a link leads to others' files
    return await Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`Cannot take lock ${JSON.stringify(name)}: ${reason}`, {
      code: cause instanceof Deno.errors.PermissionDenied ? "permission_denied" : "unexpected",
      hint: "--lock FOLDER/NAME, or $XDG_RUNTIME_DIR, names a place where you may write",
      cause,
    });
  }
}

/** Whether a path names the very file that was opened. */
async function isStill(path: string, file: Deno.FsFile): Promise<boolean> {
  const [named, opened] = await Promise.all([Deno.lstat(path).catch(() => undefined), file.stat()]);
  return named?.isFile === true && named.ino === opened.ino && named.dev === opened.dev;
}

async function holderOf(path: string): Promise<string> {
  try {
    const { pid, since }: Holder = JSON.parse(await Deno.readTextFile(path));
    return `process ${pid}, since ${since}`;
  } catch {
    return "another run"; // it is just writing its name
  }
}
