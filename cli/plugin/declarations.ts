import { dirname, join } from "@std/path";
import { CliError } from "../errors.ts";
import { version } from "../version.ts";

/** Where the types are, in a folder of plugins. */
export const typesFolder = ".davit";

/**
 * Writes the types of the API into a folder of plugins, and a configuration that points editors to them where there is
 * none. Resolves to the paths of what was written, in the folder.
 *
 * @throws {CliError} `not_found` when there is no such folder.
 */
export async function writeTypes(folder: string): Promise<string[]> {
  const isFolder = await Deno.stat(folder).then(({ isDirectory }) => isDirectory, () => false);
  if (!isFolder) {
    throw new CliError(`Cannot write types into ${JSON.stringify(folder)}: no such folder`, {
      code: "not_found",
    });
  }
  const declarations = await loadDeclarations();
  for (const [path, text] of Object.entries(declarations)) {
    const file = join(folder, typesFolder, path);
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  await Deno.writeTextFile(join(folder, typesFolder, "version"), `${version}\n`);
  const written = [typesFolder];
  for (const [name, config] of Object.entries(configurations)) {
    if (await writeNew(join(folder, name), `${JSON.stringify(config, null, 2)}\n`)) written.push(name);
  }
  return written;
}

/** Writes a file unless there is one; resolves to whether it did. */
export async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

const modules = {
  "davit": `./${typesFolder}/mod.d.ts`,
  "davit/testing": `./${typesFolder}/lib/testing.d.ts`,
};

/** For editors with Deno's language server, and for those with TypeScript's own. */
const configurations: Readonly<Record<string, unknown>> = {
  "deno.json": { imports: modules, compilerOptions: { strict: true } },
  "tsconfig.json": {
    compilerOptions: {
      target: "esnext",
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["esnext", "dom"],
      paths: Object.fromEntries(Object.entries(modules).map(([name, path]) => [name, [path]])),
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
    },
    include: ["*.ts"],
  },
};

/** The module is named so that it stays out of the graph of what everybody loads. */
async function loadDeclarations(): Promise<Readonly<Record<string, string>>> {
  const url = import.meta.resolve("davit/types");
  return (await import(url)).declarations;
}
