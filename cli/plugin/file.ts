import { dirname, fromFileUrl, toFileUrl } from "@std/path";
import { CliError, UsageError } from "../errors.ts";

/** A plugin's file: where it is, and what its user calls it. */
export class PluginFile {
  /** As on the command line: a path, or the name of a plugin that came with davit. */
  readonly target: string;
  /** Absolute, without links. */
  readonly path: string;
  /** What stands for `folder` when a file is shown. */
  readonly #shownFolder: string;

  constructor(target: string, { path, shownFolder }: { path: string; shownFolder?: string }) {
    this.target = target;
    this.path = path;
    this.#shownFolder = shownFolder ?? this.folder;
  }

  /**
   * Looks for the file that a user named.
   *
   * @throws {CliError} `not_found` when there is none.
   * @throws {UsageError} when it is no file of code.
   */
  static async find(target: string): Promise<PluginFile> {
    const path = await realPath(target);
    const { isFile, isDirectory } = await Deno.stat(path);
    if (!isFile) throw unusable(target, isDirectory ? "it is a directory" : "it is not a regular file");
    if (!/\.[jt]s$/.test(path)) throw unusable(target, "it is not a .ts or .js file");
    const shownFolder = folderOf(target);
    const isLink = await Deno.realPath(shownFolder || ".") !== dirname(path);
    return new PluginFile(target, isLink ? { path } : { path, shownFolder });
  }

  /** All that the plugin's code may read. */
  get folder(): string {
    return folderOf(this.path);
  }

  get url(): string {
    return toFileUrl(this.path).href;
  }

  /** A file of the plugin as its user would write it; nothing for a URL of anything else. */
  shown(url: string): string | undefined {
    let path: string;
    try {
      path = fromFileUrl(url);
    } catch {
      return undefined; // the text of an error may hold what only looks like a URL
    }
    if (!path.startsWith(this.folder)) return undefined;
    return this.#shownFolder + path.slice(this.folder.length);
  }
}

/** Whether a word of a command line is a plugin's file rather than a name. */
export function isPath(word: string): boolean {
  return word.includes("/") || /\.[jt]s$/.test(word);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

async function realPath(target: string): Promise<string> {
  try {
    return await Deno.realPath(target);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw unusable(target, error instanceof Error ? error.message : String(error));
    }
    throw new CliError(`Cannot load plugin ${JSON.stringify(target)}: no such file`, { code: "not_found" });
  }
}

function unusable(target: string, reason: string): UsageError {
  return new UsageError(`Cannot load plugin ${JSON.stringify(target)}: ${reason}`);
}
