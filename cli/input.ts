import type { VerbContext } from "./verb.ts";

/** Bytes that a verb reads, and how many they are where that is known. */
export interface Input {
  stream: ReadableStream<Uint8Array>;
  size?: number;
}

/**
 * Opens a file, or stdin for `-`; `what` it is goes into errors.
 *
 * @throws {Deno.errors.NotFound} when there is no such file.
 * @throws {SyntaxError} when it is a folder.
 */
export async function openInput(
  path: string,
  { what, stdin }: { what: string } & Pick<VerbContext, "stdin">,
): Promise<Input> {
  if (path === "-") return { stream: stdin() };
  const described = `${what} ${JSON.stringify(path)}`;
  const file = await Deno.open(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot read ${described}: no such file`);
  });
  const { isFile, isDirectory, size } = await file.stat();
  if (isDirectory) {
    file.close();
    throw new SyntaxError(`Cannot read ${described}: it is a folder`);
  }
  return { stream: file.readable, ...(isFile && { size }) };
}
