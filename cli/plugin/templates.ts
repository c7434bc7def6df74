import { fromFileUrl } from "@std/path";
import { CliError } from "../errors.ts";
import { writeNew, writeTypes } from "./declarations.ts";

/** What a new plugin can do to begin with. */
export const templates = ["copy", "prune", "report", "watch"] as const;

/** How plugins are named. */
export const pluginNames = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** The name that the templates give their plugin, and their file. */
const placeholder = /sample([-_])plugin/g;

/**
 * Writes a plugin with its test into the working folder, and the types and configuration that editors need. Resolves to
 * the paths.
 *
 * @throws {CliError} `already_exists` when there is a file of that name; nothing is written then.
 */
export async function writePlugin(name: string, template: typeof templates[number]): Promise<string[]> {
  const file = name.replaceAll("-", "_");
  const texts = await Promise.all(["", "_test"].map(async (suffix) => {
    const url = import.meta.resolve(`davit/plugins/templates/${template}${suffix}.ts`);
    const text = await Deno.readTextFile(fromFileUrl(url));
    const named = text.replace(placeholder, (_, separator) => separator === "_" ? file : name);
    return { path: `${file}${suffix}.ts`, text: named };
  }));
  for (const { path } of texts) {
    if (await Deno.lstat(path).then(() => true, () => false)) throw there(path);
  }
  for (const { path, text } of texts) if (!await writeNew(path, text)) throw there(path);
  return [...texts.map(({ path }) => path), ...await writeTypes(".")];
}

function there(path: string): CliError {
  return new CliError(`Cannot write ${JSON.stringify(path)}: there is such a file`, {
    code: "already_exists",
  });
}
