/** What the reference page and the manual page tell of: every verb, with its data loaded. */
import type { Plugin } from "../../mod.ts";
import { shippedFile, shippedPlugins } from "../plugin/shipped.ts";
import type { Verb } from "../verb.ts";
import { nouns, type VerbEntry, verbs } from "../verbs.ts";

/** A verb, and the words that it is called by. */
export interface Command {
  words: readonly string[];
  aliases: readonly string[];
  verb: Omit<Verb, "run">;
}

/** A noun with its verbs, or those that need none. */
export interface Chapter {
  title: string;
  summary: string;
  aliases: readonly string[];
  commands: readonly Command[];
}

/** All that can be called, in the order in which the help lists it. */
export async function chapters(): Promise<Chapter[]> {
  const ofNouns = nouns.map(async ({ name, summary, aliases = [], verbs }) => ({
    title: name,
    summary,
    aliases,
    commands: await commandsOf(verbs, [name]),
  }));
  return [
    ...await Promise.all(ofNouns),
    {
      title: "Verbs of their own",
      summary: "These need no noun",
      aliases: [],
      commands: await commandsOf(verbs, []),
    },
    {
      title: "Plugins that come with davit",
      summary: "They are called like verbs",
      aliases: [],
      commands: await Promise.all(shippedPlugins.map(({ name }) => pluginCommand(name))),
    },
  ];
}

async function commandsOf(entries: readonly VerbEntry[], before: readonly string[]): Promise<Command[]> {
  const commands = entries.map(async ({ name, aliases = [], summary, load }) => ({
    words: [...before, name],
    aliases,
    verb: load ? (await load()).default : pluginRunner(summary),
  }));
  return await Promise.all(commands);
}

async function pluginCommand(name: string): Promise<Command> {
  const { default: plugin }: { default: Plugin } = await import(shippedFile(name)!.url);
  const { args = [], options = {}, columns = [], examples = [], summary } = plugin;
  return { words: [name], aliases: [], verb: { summary, args, options, columns, examples, plans: true } };
}

/** The verb that a plugin stands behind. */
function pluginRunner(summary: string): Command["verb"] {
  const args = [
    { name: "PLUGIN", summary: "its file, or its name" },
    { name: "ARG", summary: "what the plugin takes, and its flags", optional: true, repeats: true },
  ];
  return { summary, args };
}
