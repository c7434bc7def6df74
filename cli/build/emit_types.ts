/**
 * Prints the types of davit's API as JSON: the texts of declaration files by their paths. It runs in a process of its own,
 * with a lock file of its own, since nothing else needs TypeScript's compiler.
 */
import { dirname, join, relative } from "../../lib/std/path.js";

/** What of the compiler is used. */
interface Compiler {
  transpileDeclaration(
    code: string,
    options: { fileName: string; reportDiagnostics: boolean; compilerOptions: Record<string, unknown> },
  ): { outputText: string; diagnostics: { messageText: unknown }[] };
}

const [root = ".", ...entries] = Deno.args;

// Where the project's own lock file would see it, running davit from source would download it.
const { default: compiler }: { default: Compiler } = await import(["npm:typescript", "5.9.3"].join("@"));

const declarations: Record<string, string> = {};
for (const entry of entries) await add(entry);
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(declarations)));

/** Adds the declarations of a module and of what they refer to. */
async function add(path: string): Promise<void> {
  const target = path.replace(/(\.d)?\.ts$/, ".d.ts");
  if (target in declarations) return;
  const code = await Deno.readTextFile(join(root, path));
  const text = path.endsWith(".d.ts") ? code : declarationsIn(path, code);
  const imports: string[] = [];
  const moved = (specifier: string) => {
    const found = specifier.startsWith("@std/")
      ? specifier.replace(/^@std\/(.*)$/, "lib/std/$1.d.ts")
      : join(dirname(path), specifier);
    imports.push(found);
    const from = relative(dirname(path), found.replace(/(\.d)?\.ts$/, ".d.ts"));
    return from.startsWith(".") ? from : `./${from}`;
  };
  declarations[target] = text
    .replace(
      /^((?:import|export) .*? from )"(\.[^"]+|@std\/[^"]+)";$/gm,
      (_, before, specifier) => `${before}"${moved(specifier)}";`,
    )
    .replace(/import\("(\.[^"]+)"\)/g, (_, specifier) => `import("${moved(specifier)}")`);
  for (const found of imports) await add(found);
}

function declarationsIn(path: string, code: string): string {
  const { outputText, diagnostics } = compiler.transpileDeclaration(withoutCodecs(path, code), {
    fileName: path,
    reportDiagnostics: true,
    compilerOptions: { target: 99, module: 99, stripInternal: true },
  });
  const [mistake] = diagnostics;
  if (mistake) throw new TypeError(`Cannot declare ${path}: ${JSON.stringify(mistake.messageText)}`);
  // The compiler declares a method with a computed name twice.
  return outputText.replace(/^ +\[Symbol\.(asyncDispose|dispose)\]: .*;\n/gm, "");
}

/** Of generated modules, the messages are enough. */
function withoutCodecs(path: string, code: string): string {
  if (!path.startsWith("proto/")) return code;
  const comment = "(?:^/\\*\\*(?:(?!\\*/)[^])*\\*/\\n)?";
  const kinds = [
    "import .*;$",
    "export (?:interface|namespace) [^]*?^}$",
    "export const \\w+ = \\{[^]*?^\\} as const;$",
    "export type \\w+ = typeof .*;$",
  ];
  const declared = code.matchAll(new RegExp(`${comment}^(?:${kinds.join("|")})`, "gm"));
  return [...declared].map(([text]) => text).filter((text) =>
    !/@bufbuild|interface MessageFns|Definition = /.test(text)
  )
    .join("\n");
}
