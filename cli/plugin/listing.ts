/** What is known of the plugins that are installed: those that came with davit by heart, others by loading them. */
import type { Access } from "../../mod.ts";
import { failureOf } from "../errors.ts";
import { findCommand } from "../lookup.ts";
import { accessOf, type Definition } from "./definition.ts";
import { fileOf, loadFile } from "./host.ts";
import { type InstalledPlugin, installedPlugins } from "./installed.ts";
import { noGrants, type PluginSettings } from "./settings.ts";
import { shippedPlugins } from "./shipped.ts";

/** A plugin of the list. */
export interface ListedPlugin {
  /** As it is called: behind the name of its file where that has several. */
  name: string;
  namespaces?: Required<Access>["namespaces"];
  write?: Required<Access>["write"];
  summary?: string;
  /** Why it cannot be run by its name, or not at all. */
  problem?: string;
  /** What its folder is one of, and where it is. */
  source: InstalledPlugin["source"];
  path: string;
}

/** How long a plugin may take to say what it is, in milliseconds. */
const patienceMs = 5_000;

/** The plugins in the order of their folders; with `hidden`, also those that others of the same name come before. */
export async function listedPlugins(
  settings: PluginSettings,
  { hidden, signal }: { hidden: boolean; signal: AbortSignal },
): Promise<ListedPlugin[]> {
  const first = new Map<string, InstalledPlugin>();
  const listed: ListedPlugin[] = [];
  for (const plugin of await installedPlugins(settings)) {
    const other = first.get(plugin.name);
    first.set(plugin.name, other ?? plugin);
    if (other === undefined) listed.push(...await describe(plugin, signal));
    else if (hidden) listed.push({ ...plugin, problem: `hidden by ${other.path}` });
  }
  return listed;
}

async function describe(plugin: InstalledPlugin, signal: AbortSignal): Promise<ListedPlugin[]> {
  if (plugin.problem !== undefined) return [plugin];
  const { name, source, path } = plugin;
  if (source === "davit") {
    const { summary, access } = shippedPlugins.find((shipped) => shipped.name === name)!;
    return [{ name, ...access, summary, source, path }];
  }
  try {
    using loaded = await loadFile(fileOf(plugin), { grants: noGrants, signal, timeoutMs: patienceMs });
    const { definitions } = loaded;
    const isNamed = "name" in definitions;
    const all: readonly Definition[] = isNamed ? [definitions] : definitions;
    return all.map((definition) => ({
      name: isNamed ? name : `${name} ${definition.name}`,
      ...accessOf(definition),
      summary: definition.summary,
      ...(isBuiltIn(name) && { problem: `davit has a "${name}" of its own: davit plugin run ${name}` }),
      source,
      path,
    }));
  } catch (error) {
    signal.throwIfAborted();
    return [{ ...plugin, problem: failureOf(error).message.replace(/^Cannot load plugin "[^"]*": /, "") }];
  }
}

/** Its name on a command line means something else. */
export function isBuiltIn(name: string): boolean {
  return name === "help" || findCommand([name]).kind !== "plugin";
}
