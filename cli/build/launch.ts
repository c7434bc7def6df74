import { join } from "@std/path";
import { appFolder, configFile, mainModule } from "./build.ts";

/**
 * What davit may do: everything, and it asks for nothing. It has to start programs (mount, mkfifo, credential helpers),
 * and who may do that has no limits that count; with any other set Deno keeps `/proc` and `/dev` from it. Plugins run in
 * workers that have next to nothing.
 */
export const permissions: readonly string[] = ["--allow-all", "--no-prompt"];

/**
 * Memory is collected when there is half as much again of it, not four times as much: a list of 100,000 images takes 230
 * MiB instead of 410, and no longer.
 */
export const thrift = "--heap-growing-percent=50";

/**
 * Functions are compiled when their file is loaded, not when they are first called: only so does Deno's cache keep them,
 * which takes 8 ms off a short run.
 */
export const engine: readonly string[] = [`--v8-flags=--no-lazy,${thrift}`];

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
    ...engine,
    ...permissions,
    ...sealed,
    `--config=${join(folder, configFile)}`,
    join(folder, mainModule),
  ];
}
