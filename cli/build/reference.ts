/**
 * `deno task reference`: writes `docs/reference.md` and the manual page `docs/davit.1` from the data of verbs, flags,
 * exit codes and environment variables. What is in the tree must be what this makes: a test compares.
 */
import { fromFileUrl, join } from "@std/path";
import { chapters } from "./reference_commands.ts";
import { manPage } from "./reference_man.ts";
import { markdownReference } from "./reference_markdown.ts";
import { runTask } from "./task.ts";

/** Where the pages are. */
export const docsFolder: string = fromFileUrl(new URL("../../docs/", import.meta.url));

/** Makes the pages; their texts by the names of their files. */
export async function makeReference(): Promise<Record<string, string>> {
  const all = await chapters();
  return {
    "reference.md": await formatted(markdownReference(all)),
    "davit.1": manPage(all),
  };
}

/** As `deno fmt` wants it, like all that is in the tree. */
async function formatted(markdown: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext=md", "-"],
    cwd: docsFolder,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const [{ success, stdout }] = await Promise.all([
    child.output(),
    ReadableStream.from([new TextEncoder().encode(markdown)]).pipeTo(child.stdin),
  ]);
  if (!success) throw new Error("Cannot format the reference: deno fmt failed");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  await runTask(async () => {
    const paths: string[] = [];
    for (const [name, text] of Object.entries(await makeReference())) {
      paths.push(join(docsFolder, name));
      await Deno.writeTextFile(paths.at(-1)!, text);
    }
    return paths;
  });
}
