/**
 * `deno task compile [--target T]…`: makes `dist/davit`, or `dist/davit-T` for another target, with `deno compile`.
 *
 * The base binary, denort, is downloaded by Deno. `DENORT_BIN` names one that is there, and a `DENO_DIR` that holds
 * it is used as it is.
 */
import { parseArgs } from "@std/cli";
import { join } from "@std/path";
import { appFolder, buildApp, configFile, distFolder, filesIn, mainModule } from "./build.ts";
import { permissions, sealed, thrift } from "./launch.ts";
import { runTask } from "./task.ts";

export interface CompileOptions {
  /** One of Deno's target triples. @default the machine's own */
  target?: string | undefined;
  /** @default `dist/davit`, with the target if one is given */
  output?: string;
  /** The folder of the bundle. @default `dist/app` */
  app?: string;
  /** The base binary. @default `$DENORT_BIN`, else what Deno has or downloads */
  denort?: string | undefined;
}

/**
 * Compiles the bundle and returns the path of the executable.
 *
 * @throws {Error} when there is no base binary for the target.
 */
export async function compile(
  { target, output = join(distFolder, fileName(target)), app = appFolder, denort }: CompileOptions = {},
): Promise<string> {
  // Deno finds none of these by itself: verbs are loaded lazily, the worker and plugins by names from the configuration.
  const included = (await filesIn(app)).map((path) => `--include=${path}`);
  const flags = [
    "--quiet",
    ...permissions,
    ...sealed,
    `--v8-flags=${thrift}`,
    // Deno would keep it under a name that can be foreseen, in a folder that everybody may write to.
    "--no-code-cache",
    "--app-name=davit",
    `--config=${join(app, configFile)}`,
    ...(target === undefined ? [] : [`--target=${target}`]),
    `--output=${output}`,
  ];
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["compile", ...flags, ...included, join(app, mainModule)],
    env: denort === undefined ? {} : { DENORT_BIN: denort },
  }).spawn().status;
  if (!success) {
    throw new Error(
      "Cannot compile davit: deno compile failed; it needs denort, from the network or DENORT_BIN",
    );
  }
  return output;
}

function fileName(target: string | undefined): string {
  if (target === undefined) return "davit";
  return `davit-${target}${target.includes("windows") ? ".exe" : ""}`;
}

/** The values of `--target` among a task's arguments. */
function targetsIn(args: string[]): (string | undefined)[] {
  const { target, _, ...unknown } = parseArgs(args, { string: ["target"], collect: ["target"] });
  const surplus = [..._, ...Object.keys(unknown)];
  if (surplus.length > 0) throw new TypeError(`Cannot compile davit: unknown argument "${surplus[0]}"`);
  return Array.isArray(target) && target.length > 0 ? target : [undefined];
}

if (import.meta.main) {
  await runTask(async () => {
    const targets = targetsIn(Deno.args);
    await buildApp();
    const paths: string[] = [];
    for (const target of targets) paths.push(await compile({ target }));
    return paths;
  });
}
