import { quoted } from "./quoted.ts";

const longest = 76;

/**
 * Checks what is to name a container or a process in it; containerd's rules.
 *
 * @throws {SyntaxError} when it breaks them; `what` is named: `container id`.
 */
export function checkIdentifier(id: string, what: string): void {
  if (id.length > longest) throw unusable(id, what, `it is longer than ${longest} characters`);
  if (!/^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$/.test(id)) {
    throw unusable(id, what, "letters and digits may be parted by one of . _ - each");
  }
}

function unusable(id: string, what: string, reason: string): SyntaxError {
  return new SyntaxError(`Cannot use ${quoted(id)} as ${what}: ${reason}`);
}
