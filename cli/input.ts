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
  return { stream: isFile ? inLargePieces(file) : file.readable, ...(isFile && { size }) };
}

/** Bytes at once; of a file's own stream come 64 KiB, with which an import takes a fifth longer. */
const pieceBytes = 256 * 1024;

function inLargePieces(file: Deno.FsFile): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const buffer = new Uint8Array(pieceBytes);
      const length = await file.read(buffer).catch((error) => {
        file.close();
        throw error;
      });
      if (length !== null) return controller.enqueue(buffer.subarray(0, length));
      file.close();
      controller.close();
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}
