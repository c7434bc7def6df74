/**
 * Makes `proto/gen/` from the `.proto` files beside this module: `deno task proto`.
 *
 * @module
 */

const folder = import.meta.dirname!;

if (import.meta.main) await generate(`${folder}/gen`);

/** Empties the given folder and generates the TypeScript modules into it. */
export async function generate(output: string): Promise<void> {
  const template = {
    version: "v2",
    clean: true,
    plugins: [{
      local: npm("ts-proto@2.18.0/protoc-gen-ts_proto"),
      out: output,
      strategy: "all",
      opt: [
        "annotateFilesWithVersion=false",
        "enumsAsLiterals=true",
        "env=browser",
        "forceLong=bigint",
        "importSuffix=.ts",
        "outputJsonMethods=false",
        "outputServices=generic-definitions",
        "unrecognizedEnum=false",
        "useDate=false",
        "useExactTypes=false",
      ],
    }],
  };
  await buf("generate", folder, "--template", JSON.stringify(template));
}

/** Runs buf and returns what it wrote to standard output. */
export async function buf(...args: string[]): Promise<Uint8Array> {
  const [deno, ...command] = npm("@bufbuild/buf@1.74.0/buf");
  const { success, stdout, stderr } = await new Deno.Command(deno!, { args: [...command, ...args] }).output();
  if (!success) throw new Error(`Cannot run buf ${args[0]}: ${new TextDecoder().decode(stderr).trim()}`);
  return stdout;
}

// A lock file of their own: what deno.lock holds is downloaded before davit first runs, and these are 120 MB.
function npm(command: string): string[] {
  const lock = `--lock=${folder}/generate.lock`;
  return [Deno.execPath(), "run", "-A", "--quiet", "--no-config", "--frozen", lock, `npm:${command}`];
}
