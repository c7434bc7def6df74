/**
 * `davit __complete`, which the scripts of `davit completion` call: `bash BREAKS LINE`, or `zsh` or `fish`, `--` and
 * the words up to the cursor. It prints `words`, or `files` where paths of files may stand, and a line for each candidate.
 */
import { type Config, noConfig, placeOf, readConfig } from "../config.ts";
import { Ending } from "../ending.ts";
import type { Io } from "../io.ts";
import type { Connect } from "../connection.ts";
import type { Definition } from "../plugin/definition.ts";
import type { PluginSettings } from "../plugin/settings.ts";
import type { Verb } from "../verb.ts";
import { bashInsertion, readBashLine } from "./bash.ts";
import { type Candidate, expectedAt, type LiveKind } from "./expected.ts";
import { type Line, type NamedVerb, readLine } from "./line.ts";

/** How long a user waits for a containerd, or a plugin, that does not answer. */
const patienceMs = 1_000;

/** What may be given from outside. */
export interface CompleteOptions {
  signal?: AbortSignal | undefined;
  /** Instead of connecting to a socket. */
  connect?: Connect | undefined;
}

/** Prints what may stand at the cursor. Whoever presses a key is told no errors: there is nothing then. */
export async function complete(
  argv: readonly string[],
  io: Io,
  { signal, connect }: CompleteOptions = {},
): Promise<void> {
  using patience = new Patience(signal);
  try {
    const lines = await answer(argv, { io, connect, patience });
    if (lines.length > 0) await io.writeOut(new TextEncoder().encode(`${lines.join("\n")}\n`));
  } catch {
    // See above.
  }
}

interface Surroundings {
  io: Io;
  connect: Connect | undefined;
  patience: Patience;
}

/** Bounds the time that all work together takes, from when the first begins: a timer is not for those who need none. */
class Patience implements Disposable {
  readonly #signal: AbortSignal | undefined;
  #ending: Ending | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  async bound<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#ending ??= new Ending({ signal: this.#signal, timeoutMs: patienceMs, graceMs: 0 });
    return await this.#ending.bound(work(this.#ending.signal));
  }

  [Symbol.dispose](): void {
    this.#ending?.[Symbol.dispose]();
  }
}

async function answer([shell, ...rest]: readonly string[], surroundings: Surroundings): Promise<string[]> {
  if (shell === "bash") {
    const [breaks = "", text = ""] = rest;
    const line = readBashLine(text, breaks);
    const { files, candidates } = await candidatesFor(line.words.slice(1), surroundings);
    const insertions = candidates.map(({ word }) => bashInsertion(word, line));
    return asLines(files, insertions.filter((insertion) => insertion !== undefined));
  }
  const { files, candidates } = await candidatesFor(rest.slice(1), surroundings);
  return asLines(files, candidates.map(shell === "zsh" ? forZsh : forFish));
}

function asLines(files: boolean, candidates: readonly string[]): string[] {
  return files || candidates.length > 0 ? [files ? "files" : "words", ...candidates] : [];
}

/** As zsh's `_describe` takes them: the summary behind a colon. */
function forZsh({ word, summary }: Candidate): string {
  const escaped = word.replace(/[\\:]/g, "\\$&");
  return summary === undefined ? escaped : `${escaped}:${summary}`;
}

function forFish({ word, summary }: Candidate): string {
  return summary === undefined ? word : `${word}\t${summary}`;
}

/** What may stand at the place of the last word, and begins like it. */
async function candidatesFor(
  words: readonly string[],
  surroundings: Surroundings,
): Promise<{ files: boolean; candidates: Candidate[] }> {
  const current = words.at(-1) ?? "";
  const line = await readLine(words.slice(0, -1), (target) => pluginNamed(target, words, surroundings));
  const { files = false, plugins = false, contexts, candidates: known, live } = expectedAt(line, current);
  const candidates = [
    ...known,
    ...(plugins ? await pluginCandidates(words, surroundings.io) : []),
    ...(contexts ? await contextCandidates(contexts.prefix, surroundings.io) : []),
  ];
  const names = live ? await namesFor(live.kind, line, surroundings) : [];
  const named = names
    .filter((name) => !live!.without.includes(name) && isWord(name, line))
    .map((name) => ({ word: `${live!.prefix}${name}` }));
  return { files, candidates: [...candidates, ...named].filter(({ word }) => word.startsWith(current)) };
}

/** A line of the answer holds one name, and a name must not be taken for a flag. */
function isWord(name: string, { literal }: Line): boolean {
  return !/\p{C}/u.test(name) && (literal || !name.startsWith("-"));
}

/** One that is installed says what its flags are; a file is run when its user says so, not before. */
async function pluginNamed(
  target: string,
  words: readonly string[],
  { io, patience }: Surroundings,
): Promise<Verb | readonly NamedVerb[] | undefined> {
  const [{ loadPlugins }, { isPath }] = await Promise.all([
    import("../plugin/host.ts"),
    import("../plugin/file.ts"),
  ]);
  if (isPath(target)) return undefined;
  const settings = await settingsFor(words, io);
  using loaded = await patience.bound((signal) => loadPlugins(target, { signal, settings }));
  const { definitions } = loaded;
  const verbOf = (definition: Definition): NamedVerb => ({ ...definition, plans: true, run: () => {} });
  return "name" in definitions ? verbOf(definitions) : definitions.map(verbOf);
}

async function pluginCandidates(words: readonly string[], io: Io): Promise<Candidate[]> {
  const [{ installedPlugins }, { shippedPlugins }] = await Promise.all([
    import("../plugin/installed.ts"),
    import("../plugin/shipped.ts"),
  ]);
  const installed = await installedPlugins(await settingsFor(words, io));
  const summaries = new Map(shippedPlugins.map(({ name, summary }) => [name, summary]));
  const names = new Set(installed.filter(({ problem }) => problem === undefined).map(({ name }) => name));
  return [...names].map((word) => {
    const isShipped = installed.find(({ name }) => name === word)?.source === "davit";
    const summary = isShipped ? summaries.get(word) : undefined;
    return { word, ...(summary !== undefined && { summary }) };
  });
}

async function contextCandidates(prefix: string, io: Io): Promise<Candidate[]> {
  return Object.keys((await configFor(io)).contexts).map((name) => ({ word: `${prefix}${name}` }));
}

async function settingsFor(words: readonly string[], io: Io): Promise<PluginSettings> {
  const { hostFlagsIn } = await import("../plugin/settings.ts");
  const env = (name: string) => io.env(name);
  return { flags: hostFlagsIn(words), config: await configFor(io), env };
}

async function configFor(io: Io): Promise<Config> {
  return await readConfig(io, { warn: () => {} }).catch(() => noConfig);
}

async function namesFor(
  kind: LiveKind,
  line: Line,
  { io, connect, patience }: Surroundings,
): Promise<string[]> {
  const { liveNames } = await import("./live_names.ts");
  const given = (option: string) => line.given.get(option)?.at(-1);
  const [address, globalNamespace, context] = [given("address"), given("namespace"), given("context")];
  const config = await configFor(io);
  const place = placeOf({ address, namespace: globalNamespace, context }, {
    config,
    env: (name) => io.env(name),
  });
  // Where a verb's own flag says which namespace it takes things from, -n does not.
  const source = line.options.from?.type === "string" ? given("from") : undefined;
  const wanted = {
    kind,
    connect,
    namespace: source ?? place.namespace ?? "default",
    allNamespaces: given("allNamespaces") === "true",
    snapshotter: given("snapshotter") ?? io.env("CONTAINERD_SNAPSHOTTER"),
  };
  const settings = {
    address: place.address,
    connectTimeoutMs: patienceMs,
    grpcOnly: io.env("DAVIT_TRANSPORT") === "grpc",
    noWrites: true,
    newNamespaces: { refuses: true, announce: () => {} },
    watch: undefined,
  };
  const names = await patience.bound((signal) => liveNames({ ...wanted, settings: { ...settings, signal } }));
  return [...new Set(names)].sort();
}
