import { fromFileUrl } from "@std/path";
import type { Access } from "../../mod.ts";
import { PluginFile } from "./file.ts";

/** A plugin that comes with davit: what is known of it without loading it. */
export interface ShippedPlugin {
  name: string;
  summary: string;
  access: Required<Access>;
}

/** The files of `plugins/`, each named after its plugin with `_` for dashes. */
export const shippedPlugins: readonly ShippedPlugin[] = [
  {
    name: "image-retention",
    summary: "Keep the newest images of every repository, and remove older ones that nothing uses",
    access: { namespaces: "any", write: "images" },
  },
  {
    name: "image-sync",
    summary: "Copy the images of namespaces to others, where those lack them or have older ones",
    access: { namespaces: "any", write: "images" },
  },
  {
    name: "namespace-report",
    summary: "Tell what each namespace holds, the largest first, and which images are new in it",
    access: { namespaces: "any", write: false },
  },
  {
    name: "watch-exits",
    summary: "Show each task that ends, and mark or delete what is left of it",
    access: { namespaces: "current", write: "all" },
  },
];

/** The file of the plugin of that name. */
export function shippedFile(name: string): PluginFile | undefined {
  if (!shippedPlugins.some((plugin) => plugin.name === name)) return undefined;
  const url = import.meta.resolve(`davit/plugins/${name.replaceAll("-", "_")}.ts`);
  return new PluginFile(name, { path: fromFileUrl(url) });
}
