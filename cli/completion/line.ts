/** The reading of a command line that is still being typed: what is wrong in it is passed over. */
import type { Options } from "../../mod.ts";
import { globals, shortFlags } from "../globals.ts";
import { type Command, findCommand } from "../lookup.ts";
import { type Flag, flagsOf } from "../tokenizer.ts";
import type { Verb } from "../verb.ts";

/** What the words before the cursor say. */
export interface Line {
  command: Command;
  /** The words of {@linkcode Line.command}, as they are written. */
  names: readonly string[];
  /** Absent as long as none is named, and where it cannot be had. */
  verb: Verb | undefined;
  /** Of which one is to be named, where a plugin's file has several. */
  plugins: readonly NamedVerb[];
  /** Whose flags may follow. */
  options: Options;
  /** The texts of the flags, by their option. */
  given: ReadonlyMap<string, readonly string[]>;
  args: readonly string[];
  /** The option that the word at the cursor is the value of. */
  awaited: string | undefined;
  /** No flags may follow: `--` stands before, or a command for a container begins. */
  literal: boolean;
  /** `help` stands first. */
  asksForHelp: boolean;
}

/** A verb that the word behind its file names. */
export type NamedVerb = Verb & { name: string };

/** Loads the plugin that a command line names, or those of its file, if that may be done before anybody runs one. */
export type FindPlugin = (target: string) => Promise<Verb | readonly NamedVerb[] | undefined>;

/** Reads the words before the cursor, without the name of the program, and loads the verb that they name. */
export async function readLine(words: readonly string[], findPlugin: FindPlugin): Promise<Line> {
  const reading = new Reading(findPlugin);
  for (const word of words) await reading.take(word);
  return reading;
}

class Reading implements Line {
  command: Command = findCommand([]);
  readonly names: string[] = [];
  verb: Verb | undefined;
  plugins: readonly NamedVerb[] = [];
  options: Options = globals;
  readonly given: Map<string, string[]> = new Map();
  readonly args: string[] = [];
  awaited: string | undefined;
  literal = false;
  asksForHelp = false;
  readonly #findPlugin: FindPlugin;

  constructor(findPlugin: FindPlugin) {
    this.#findPlugin = findPlugin;
  }

  async take(word: string): Promise<void> {
    if (this.awaited !== undefined) {
      this.#give(this.awaited, word);
      this.awaited = undefined;
    } else if (this.literal || word === "-" || !word.startsWith("-")) {
      await this.#takePositional(word);
    } else if (word === "--") {
      this.literal = true;
    } else {
      this.#takeFlag(word);
    }
  }

  async #takePositional(word: string): Promise<void> {
    if (this.plugins.length > 0) {
      this.#use(this.plugins.find(({ name }) => name === word));
      this.plugins = [];
      return;
    }
    if (this.command.kind !== "incomplete") {
      this.args.push(word);
      this.literal ||= this.args.length === this.verb?.commandAfter;
      return;
    }
    if (word === "help" && this.names.length === 0 && !this.asksForHelp) {
      this.asksForHelp = true;
      return;
    }
    this.names.push(word);
    this.command = findCommand(this.names);
    this.#use(await this.#load());
  }

  async #load(): Promise<Verb | undefined> {
    if (this.command.kind === "verb") return (await this.command.load()).default;
    if (this.command.kind !== "plugin") return undefined;
    const found = await this.#findPlugin(this.command.target);
    if (found === undefined || "run" in found) return found;
    this.plugins = found;
    return undefined;
  }

  #use(verb: Verb | undefined): void {
    this.verb = verb;
    this.options = { ...globals, ...verb?.options };
  }

  #takeFlag(word: string): void {
    const { flag, value } = splitFlag(word, this.options);
    if (flag === undefined) return;
    if (value !== undefined || !flag.takesValue) this.#give(flag.option, value ?? "true");
    else this.awaited = flag.option;
  }

  #give(option: string, text: string): void {
    this.given.set(option, [...this.given.get(option) ?? [], text]);
  }
}

/** A word that starts with a dash: the flag that it names, if it is one, and the value behind `=`. */
export function splitFlag(
  word: string,
  options: Options,
): { flag: Flag | undefined; value: string | undefined } {
  const [, dashes = "", name = "", value] = /^(--?)([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
  const isSpelledRight = (dashes.length === 1) === (name.length === 1);
  return { flag: isSpelledRight ? flagsOf(options, shortFlags).get(name) : undefined, value };
}
