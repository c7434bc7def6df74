import { join } from "@std/path";
import { appFolder, configFile, mainModule } from "./build.ts";

/**
 * What davit may do: use files, sockets and the environment, and run programs (mount, mkfifo, credential helpers); load
 * no native code, ask for nothing.
 *
 * Without lists, since the address, the archives and the plugins that users name can be anywhere, and since Deno
 * complains at each start about a program of a list that is not installed.
 */
export const permissions: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-net",
  "--allow-env",
  "--allow-run",
  "--deny-ffi",
  "--deny-import",
  "--no-prompt",
];

/** Nothing outside of the bundle has a say in what runs, and nothing is fetched. */
export const sealed: readonly string[] = [
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--cached-only",
  "--no-check",
];

/** What to give to Deno, before davit's own arguments, to run the bundle in a folder. */
export function launchArguments(folder: string = appFolder): string[] {
  return [
    "run",
    "--quiet",
    ...permissions,
    ...sealed,
    `--config=${join(folder, configFile)}`,
    join(folder, mainModule),
  ];
}
