import { dirname } from "@std/path";
import { quoted } from "../oci/quoted.ts";
import type { Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

/** Finds out who but root can reach containerd, and so can do all that root can. */
export async function* findOpenSocket({ address }: Scene): AsyncIterable<Finding> {
  const socket = await known(Deno.stat(address));
  if (socket === undefined || socket.mode === null) return;
  const { mode, gid, uid } = socket;
  const what = `socket ${quoted(address)}`;
  if (mode & 0o002) {
    yield {
      check: "open-socket",
      severity: "error",
      what,
      why: "everybody on this machine may write to it, and so is root",
      commands: [["chmod", "o-rwx", address]],
    };
  }
  if (mode & 0o020 && gid !== null && gid !== 0) {
    yield {
      check: "open-socket",
      severity: "note",
      what,
      why: `whoever is in group ${gid} may write to it, and so is root`,
      commands: [["chgrp", "0", address]],
    };
  }
  if (uid !== null && uid !== 0) {
    yield {
      check: "open-socket",
      severity: "warning",
      what,
      why: `it belongs to user ${uid}, not to root`,
      commands: [["chown", "0", address]],
    };
  }
  yield* openFolders(address);
}

/** Who may write to a folder can put another socket in the place of this one. */
async function* openFolders(address: string): AsyncIterable<Finding> {
  for (let folder = dirname(address);; folder = dirname(folder)) {
    const { mode = null } = await known(Deno.stat(folder)) ?? {};
    const isSticky = ((mode ?? 0) & 0o1000) !== 0;
    if (mode !== null && mode & 0o002 && !isSticky) {
      yield {
        check: "open-socket",
        severity: "error",
        what: `folder ${quoted(folder)}`,
        why:
          "everybody on this machine may write to it, and so can put a socket of his own in the place of containerd's",
        commands: [["chmod", "o-w", folder]],
      };
    }
    if (folder === dirname(folder)) return;
  }
}

/** What can be looked at: not of a socket on another machine, and not without rights. */
async function known<T>(looking: Promise<T>): Promise<T | undefined> {
  return await looking.catch(() => undefined);
}
