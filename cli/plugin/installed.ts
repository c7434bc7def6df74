/** The plugins that are installed: files in folders, each named after its plugin. */
import { join, resolve } from "@std/path";
import { systemFolder, userFolder } from "../config.ts";
import { isRoot, othersMayChange } from "../ownership.ts";
import type { PluginSettings } from "./settings.ts";
import { shippedFile, shippedPlugins } from "./shipped.ts";

/** A folder of plugins, and what makes it one. */
export interface PluginFolder {
  path: string;
  source: "--plugin-dir" | "$DAVIT_PLUGIN_PATH" | "configuration" | "user" | "system";
}

/** A file of a folder of plugins, or one that came with davit. */
export interface InstalledPlugin {
  /** As it is called: the file's, with dashes. */
  name: string;
  /** Without links. */
  path: string;
  source: PluginFolder["source"] | "davit";
  /** Why it is not run. */
  problem?: string;
}

/** The folders in the order in which they are looked into, whether they exist or not. */
export function pluginFolders({ flags, config, env }: PluginSettings): PluginFolder[] {
  const user = userFolder({ env });
  const listed = (env("DAVIT_PLUGIN_PATH") ?? "").split(":").filter((path) => path !== "");
  const all: [PluginFolder["source"], readonly string[]][] = [
    ["--plugin-dir", flags.folders],
    ["$DAVIT_PLUGIN_PATH", listed],
    ["configuration", config.pluginFolders],
    ["user", user === undefined ? [] : [join(user, "plugins")]],
    ["system", [join(systemFolder, "plugins")]],
  ];
  return all.flatMap(([source, paths]) => paths.map((path) => ({ path: resolve(Deno.cwd(), path), source })));
}

/** All plugins, the first of those of one name being the one that is run. */
export async function installedPlugins(settings: PluginSettings): Promise<InstalledPlugin[]> {
  const inFolders = await Promise.all(pluginFolders(settings).map(pluginsIn));
  const shipped = shippedPlugins.map(({ name }) => ({
    name,
    path: shippedFile(name)!.path,
    source: "davit" as const,
  }));
  return [...inFolders.flat(), ...shipped];
}

/** The one of a name that is run. */
export async function installedPlugin(
  name: string,
  settings: PluginSettings,
): Promise<InstalledPlugin | undefined> {
  return (await installedPlugins(settings)).find((plugin) => plugin.name === name);
}

/** What a grant in the configuration is for: who may name a folder on the command line shall not inherit it. */
export function isTrusted({ source }: InstalledPlugin): boolean {
  return source !== "--plugin-dir" && source !== "$DAVIT_PLUGIN_PATH";
}

async function pluginsIn({ path: folder, source }: PluginFolder): Promise<InstalledPlugin[]> {
  const names = await filesIn(folder);
  const plugins = names.map(async (file): Promise<InstalledPlugin[]> => {
    const name = pluginName(file);
    if (name === undefined) return [];
    const path = join(folder, file);
    try {
      const real = await Deno.realPath(path);
      const { isFile } = await Deno.stat(real);
      const others = isRoot()
        ? await othersMayChange(await Deno.realPath(folder)) ?? await othersMayChange(real)
        : undefined;
      const problem = isFile ? others : "it is not a regular file";
      return [{ name, path: real, source, ...(problem !== undefined && { problem }) }];
    } catch (error) {
      return [{ name, path, source, problem: error instanceof Error ? error.message : String(error) }];
    }
  });
  return (await Promise.all(plugins)).flat();
}

/** The names in a folder, sorted; none of one that cannot be read: what others are there goes on working. */
async function filesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  } catch {
    return [];
  }
}

/** The plugin that a file defines; none for tests, types, and what begins with `_` or `.` for plugins to import. */
function pluginName(file: string): string | undefined {
  if (/(_test|\.d)\.[jt]s$/.test(file)) return undefined;
  return /^([a-z][a-z0-9]*(?:[-_][a-z0-9]+)*)\.[jt]s$/.exec(file)?.[1]?.replaceAll("_", "-");
}
