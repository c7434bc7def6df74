import { relative } from "@std/path";

/** Runs a build task and prints what it made, one path on a line, or why it could not. */
export async function runTask(make: () => Promise<string[]>): Promise<void> {
  try {
    const paths = (await make()).map((path) => relative(Deno.cwd(), path));
    await Deno.stdout.write(new TextEncoder().encode(`${paths.join("\n")}\n`));
  } catch (error) {
    await Deno.stderr.write(new TextEncoder().encode(`${error instanceof Error ? error.message : error}\n`));
    Deno.exitCode = 1;
  }
}
