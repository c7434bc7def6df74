import { fromFileUrl } from "@std/path";
import { run } from "../real/process.ts";

export interface ChildOptions {
  env?: Record<string, string>;
  /** What the child may do. @default everything */
  permissions?: string[];
  /** A program that starts the child, with its arguments. */
  under?: string[];
}

/**
 * Runs the body of a module in a process of its own, with `openSocket` and `Version` imported, and resolves to what
 * it prints.
 */
export async function runChild(body: string, options: ChildOptions = {}): Promise<string> {
  const { env = {}, permissions = ["--allow-all"], under = [] } = options;
  const lib = new URL("../../lib/transport/", import.meta.url);
  const script = `
    import { openSocket } from "${lib}socket.ts";
    import { Version } from "${lib}methods.ts";
    ${body}`;
  const [program, ...args] = [
    ...under,
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--no-check",
    ...permissions,
    "-",
  ];
  const { stdout } = await run(program!, args, {
    cwd: fromFileUrl(new URL("../..", import.meta.url)),
    env,
    stdin: new TextEncoder().encode(script),
  });
  return stdout;
}
