/** What to copy, from flags or from a file of rules. */
import { type CopyRule, type Options, parseCopyRules, type TagOrder } from "../mod.ts";
import { UsageError } from "./errors.ts";
import { unpackOptions } from "./unpack_options.ts";
import type { VerbContext } from "./verb.ts";

const orders = ["time", "semver", "natural"] as const satisfies readonly TagOrder[];

/** The options of a copy. */
export const choiceOptions = {
  from: {
    type: "string",
    placeholder: "NAMESPACE",
    completes: "namespace",
    summary: "where the images are; default: that of -n",
  },
  to: {
    type: "list",
    commas: true,
    placeholder: "NAMESPACE",
    completes: "namespace",
    summary: "where they go",
  },
  rules: {
    type: "string",
    placeholder: "FILE",
    completes: "file",
    summary: "a YAML list of rules, instead of names and --from, --to and what follows",
  },
  exclude: { type: "list", placeholder: "GLOB", summary: "images to leave out" },
  versions: {
    type: "string",
    placeholder: "RANGE",
    summary: "only tags that are versions of it: '>=1.2 <2'",
  },
  newest: { type: "integer", min: 1, placeholder: "N", summary: "only the newest N tags of each repository" },
  order: { type: "string", choices: orders, default: "time", summary: "what the newest of them are" },
  platform: {
    type: "list",
    commas: true,
    placeholder: "OS/ARCH",
    summary: "only these platforms, which must be complete",
  },
  rename: { type: "list", placeholder: "OLD=NEW", summary: "replace a prefix of the names" },
  deleteExtra: {
    type: "boolean",
    summary: "remove what the targets have beyond, of the names that are copied",
  },
  pin: { type: "boolean", summary: "keep Kubernetes from removing them there" },
  unpack: { type: "boolean", summary: "unpack them there, which takes time and disk as if they were new" },
  ...unpackOptions,
} as const satisfies Options;

/**
 * The rules to copy by.
 *
 * @throws {UsageError} when neither flags nor a file say what goes where, or both do.
 * @throws {SyntaxError} when the file is wrong.
 */
export async function rulesOf(
  { args, options, namespace }: VerbContext<typeof choiceOptions>,
): Promise<CopyRule[]> {
  const { rules: file, from = namespace, to, platform, order, newest, deleteExtra, ...choice } = options;
  if (file === undefined) {
    if (args.length === 0) {
      throw new UsageError('Cannot run "images copy": REF is missing', 'see "davit images copy --help"');
    }
    if (to.length === 0) throw new UsageError("Missing --to: where they go");
    const { exclude, versions, rename, pin, unpack } = choice;
    const lists = {
      include: [...args],
      exclude: [...exclude],
      platforms: [...platform],
      rename: [...rename],
    };
    return [{
      from: [from],
      to: [...to],
      ...lists,
      versions,
      newest,
      order,
      mirror: deleteExtra,
      pin,
      unpack,
      line: 0,
    }];
  }
  if (args.length > 0 || to.length > 0) {
    throw new UsageError("Cannot use --rules with names or --to: the rules say what goes where");
  }
  const rules = await parseCopyRules(await readRules(file), { file });
  return deleteExtra ? rules.map((rule) => ({ ...rule, mirror: true })) : rules;
}

/** The targets in words. */
export function targetsOf(rules: readonly CopyRule[]): string {
  const mirrored = rules.filter(({ mirror }) => mirror).flatMap(({ to }) => to);
  return [...new Set(mirrored)].map((name) => JSON.stringify(name)).join(", ");
}

async function readRules(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const rules = `Cannot read rules ${JSON.stringify(path)}`;
    if (error instanceof Deno.errors.IsADirectory) throw new UsageError(`${rules}: it is a folder`);
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`${rules}: no such file`);
  }
}
