/** The texts of files that options name: whoever gets them needs no right to read the files. */
import type { Options, OptionValues, TextFile } from "../mod.ts";
import { CliError, UsageError } from "./errors.ts";
import type { Io } from "./io.ts";
import { flagName } from "./options.ts";
import type { Verb } from "./verb.ts";

/** The most bytes of a file. */
const largest = 4 << 20;

/**
 * Values of options, with the texts where an option names a file.
 *
 * @throws {CliError} when a file cannot be read.
 * @throws {UsageError} when it is no text, or too large for one.
 */
export async function withTexts(
  { verb: { options: table = {} }, options }: { verb: Verb; options: OptionValues<Options> },
  io: Pick<Io, "stdin">,
): Promise<OptionValues<Options>> {
  const values: Record<string, unknown> = { ...options };
  for (const [name, { type }] of Object.entries(table)) {
    const path = options[name];
    if (type === "file" && typeof path === "string") {
      values[name] = await textFile(path, { flag: flagName(name), io });
    }
  }
  return values as OptionValues<Options>;
}

async function textFile(
  path: string,
  { flag, io }: { flag: string; io: Pick<Io, "stdin"> },
): Promise<TextFile> {
  const bytes: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of path === "-" ? io.stdin() : await opened(path, flag)) {
    bytes.push(chunk);
    size += chunk.length;
    if (size > largest) {
      throw new UsageError(`Cannot use ${JSON.stringify(path)} for --${flag}: more than 4 MiB`);
    }
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(
      await new Blob(bytes as Uint8Array<ArrayBuffer>[]).bytes(),
    );
    return { path, text };
  } catch {
    throw new UsageError(`Cannot use ${JSON.stringify(path)} for --${flag}: it is not a text in UTF-8`);
  }
}

async function opened(path: string, flag: string): Promise<ReadableStream<Uint8Array>> {
  try {
    return (await Deno.open(path)).readable;
  } catch (error) {
    const [code, reason] = error instanceof Deno.errors.NotFound
      ? ["not_found" as const, "no such file"]
      : ["permission_denied" as const, (error as Error).message];
    throw new CliError(`Cannot read ${JSON.stringify(path)} for --${flag}: ${reason}`, { code });
  }
}
