/**
 * `deno task test:compiled`: compiles davit and tests the executable, where a base binary can be had.
 */
import { join } from "@std/path";
import { buildApp } from "../cli/build/build.ts";
import { compile } from "../cli/build/compile.ts";
import { version } from "../cli/version.ts";
import { firstLine, run } from "./real/process.ts";

async function main(): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "davit-compiled-" });
  try {
    const davit = await compiled(folder);
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "tests/run.ts", "tests/program_test.ts"],
      env: { DAVIT_TEST_PROGRAM: davit },
    }).spawn().status;
    return success ? 0 : 1;
  } catch (error) {
    await print(`Skipped: tests of the compiled davit: ${firstLine(error)}`);
    return 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** An executable that works; anything can stand for a base binary until it is run. */
async function compiled(folder: string): Promise<string> {
  const app = join(folder, "app");
  await buildApp(app);
  const davit = await compile({ app, output: join(folder, "davit") });
  const { stdout } = await run(davit, ["--version"]);
  if (stdout !== `davit ${version}\n`) throw new Error("The base binary is not denort");
  return davit;
}

async function print(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) Deno.exitCode = await main();
