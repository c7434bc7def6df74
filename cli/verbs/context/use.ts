import { contextOf, notTrusted, ownConfigFile } from "../../config.ts";
import { withContext } from "../../config_edit.ts";
import { UsageError } from "../../errors.ts";
import { writeFile } from "../../output_file.ts";
import { isRoot, othersMayChange } from "../../ownership.ts";
import { defineVerb } from "../../verb.ts";
import { dirname } from "@std/path";

export default defineVerb({
  summary: "Use a context from now on where no flag and no variable says otherwise",
  examples: ["context use prod"],
  args: [{ name: "NAME", summary: "of the context", completes: "context" }],
  choosesContext: true,
  plans: true,
  columns: [
    { header: "CONTEXT", key: "context" },
    { header: "FILE", key: "path" },
    { header: "STATUS", key: "status" },
  ],
  async run({ args: [name = ""], plugins: { config, env }, origins, dryRun, log }) {
    const said = contextOf(name, config);
    const path = ownConfigFile({ env });
    if (path === undefined) {
      throw new UsageError("Cannot use a context: without $HOME there is no place for it");
    }
    const text = await textOf(path);
    const edited = withContext(text ?? "", { name, path });
    for (const key of ["address", "namespace"] as const) {
      const by = origins[key]?.by;
      if (said[key] !== undefined && by?.startsWith("$")) {
        log.warn(`${by} counts, not the ${key} of the context`);
      }
    }
    if (edited === text) return { context: name, path, status: "unchanged" };
    if (dryRun) return { context: name, path, status: "would be set" };
    await replace(path, edited);
    return { context: name, path, status: "set" };
  },
});

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Writes the file where a link leads, with the mode that it has; as root, only what root would read again. */
async function replace(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const real = await Deno.realPath(path).catch(() => undefined);
  const reason = isRoot() ? await othersMayChange(real ?? await Deno.realPath(dirname(path))) : undefined;
  if (reason !== undefined) throw notTrusted(path, reason);
  const { mode } = real === undefined ? { mode: undefined } : await Deno.stat(real);
  await writeFile(real ?? path, ReadableStream.from([new TextEncoder().encode(text)]));
  if (mode) await Deno.chmod(real!, mode & 0o7777);
}
