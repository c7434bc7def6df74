/** Whose files davit believes: what root runs must not be for somebody else to change. */
import { dirname } from "@std/path";

/** Whether this process is root's. */
export function isRoot(): boolean {
  return Deno.uid() === 0;
}

/** Why somebody else than root could change what is at a path without links, or put something there; else `undefined`. */
export async function othersMayChange(path: string): Promise<string | undefined> {
  for (let place = path;; place = dirname(place)) {
    const reason = reasonFor(place, await Deno.stat(place));
    if (reason !== undefined || place === "/") return reason;
  }
}

function reasonFor(place: string, { uid, mode, isDirectory }: Deno.FileInfo): string | undefined {
  if (uid !== 0) return `${place} belongs to user ${uid}`;
  const isSticky = isDirectory && ((mode ?? 0) & 0o1000) !== 0; // what is root's in there stays as it is
  return !isSticky && ((mode ?? 0) & 0o022) !== 0 ? `others may write to ${place}` : undefined;
}
