/** What goes into an archive, in its order. */
export interface ArchiveEntry {
  /** Of a folder it ends in a slash. */
  name: string;
  /** Permissions. */
  mode: number;
  /** Bytes of `body`; a folder has none. */
  size: number;
  body?: AsyncIterable<Uint8Array>;
}

const blockBytes = 512;

/**
 * Writes a tar archive no faster than it is read. Equal entries give equal bytes: nobody owns them, and they are from
 * 1970. A body that fails or has another size than said fails the archive.
 */
export async function* writeArchive(
  entries: Iterable<ArchiveEntry> | AsyncIterable<ArchiveEntry>,
): AsyncGenerator<Uint8Array, void> {
  const { createTarPacker } = await import("modern-tar"); // which most of davit's runs do not need
  const { readable, controller } = createTarPacker();
  const reader = readable.getReader();
  const pack = async () => {
    for await (const { name, mode, size, body } of entries) {
      const type = name.endsWith("/") ? "directory" : "file";
      const writer = controller.add({ name, type, mode, size, mtime: new Date(0) }).getWriter();
      for await (const bytes of body ?? []) await writer.write(bytes);
      await writer.close();
    }
    controller.finalize();
  };
  const packing = pack().catch((error) => controller.error(error));
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
  } finally {
    await reader.cancel().catch(() => {}); // after a failure it says so once more
    await packing;
  }
}

/** Bytes of the archive that entries make. */
export function archiveSize(entries: Iterable<Pick<ArchiveEntry, "name" | "size">>): number {
  const end = 2 * blockBytes;
  return Iterator.from(entries).reduce((sum, { size }) => sum + blockBytes + padded(size), end);
}

function padded(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}
