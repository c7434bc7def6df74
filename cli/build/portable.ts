/**
 * `deno task portable`: makes `dist/davit-portable`, one file that holds Deno's executable and the bundle, for the
 * platform that it is made on. It needs a POSIX shell, gzip and tar where it runs, and no network anywhere.
 */
import { packTar } from "modern-tar";
import { dirname, join, relative } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { appFolder, buildApp, distFolder, filesIn } from "./build.ts";
import { launchArguments } from "./launch.ts";
import { runTask } from "./task.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A part of the file, as it is packed and as it comes out again. */
interface Part {
  packed: Bytes;
  /** Of what comes out. */
  sha256: string;
}

/** The script's room at the start of the file, so that it can name what comes behind it. */
const headerBytes = 8192;

export interface PortableOptions {
  /** @default `dist/davit-portable` */
  output?: string;
  /** The folder of the bundle. @default `dist/app` */
  app?: string;
  /** The executable to run it with. @default the Deno that runs this */
  deno?: string;
}

/** Packs the bundle and an executable into one file and returns its path. */
export async function makePortable(
  { output = join(distFolder, "davit-portable"), app = appFolder, deno = Deno.execPath() }: PortableOptions =
    {},
): Promise<string> {
  const folder = dirname(output);
  await Deno.mkdir(folder, { recursive: true });
  const runtime = await packedRuntime(deno, folder);
  const bundle = await packedApp(app);
  const header = await renderHeader(runtime, bundle);
  const unfinished = await Deno.makeTempFile({ dir: folder });
  using file = await Deno.open(unfinished, { write: true });
  for (const bytes of [header, runtime.packed, bundle.packed]) await write(file, bytes);
  await Deno.chmod(unfinished, 0o755);
  await Deno.rename(unfinished, output);
  return output;
}

/** The executable, compressed. That takes seconds, so the result is kept in `folder`, under its hash. */
async function packedRuntime(deno: string, folder: string): Promise<Part> {
  const bytes = await Deno.readFile(deno);
  const sha256 = await hash(bytes);
  const kept = join(folder, `deno-${sha256.slice(0, 16)}.gz`);
  try {
    return { packed: await Deno.readFile(kept), sha256 };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const packed = await gzip(bytes);
  const unfinished = await Deno.makeTempFile({ dir: folder });
  await Deno.writeFile(unfinished, packed);
  await Deno.rename(unfinished, kept);
  return { packed, sha256 };
}

/** The bundle as an archive whose bytes depend on its files alone. */
async function packedApp(folder: string): Promise<Part> {
  const paths = await filesIn(folder);
  const tar = await packTar(
    await Promise.all(paths.map(async (path) => {
      const body = await Deno.readFile(path);
      return { header: { name: relative(folder, path), size: body.length, mtime: new Date(0) }, body };
    })),
  );
  return { packed: await gzip(tar), sha256: await hash(tar) };
}

async function renderHeader(runtime: Part, app: Part): Promise<Bytes> {
  const template = await Deno.readTextFile(new URL("portable_header.sh.in", import.meta.url));
  const quoted = launchArguments("$home/app").map((argument) => `"${argument}"`);
  const release = await hash(
    new TextEncoder().encode([template, ...quoted, runtime.sha256, app.sha256].join("\n")),
  );
  const fields: Record<string, string | number> = {
    VERSION: config.version,
    PLATFORM: Deno.build.target,
    RELEASE: release.slice(0, 16),
    DENO_HASH: runtime.sha256.slice(0, 16),
    DENO_SHA256: runtime.sha256,
    DENO_OFFSET: headerBytes + 1, // tail counts from one
    DENO_LENGTH: runtime.packed.length,
    APP_SHA256: app.sha256,
    APP_OFFSET: headerBytes + runtime.packed.length + 1,
    APP_LENGTH: app.packed.length,
    SIZE: headerBytes + runtime.packed.length + app.packed.length,
    ARGUMENTS: quoted.join(" "),
  };
  const script = template.replaceAll(/@([A-Z0-9_]+)@/g, (_, name) => String(fields[name]));
  const header = new Uint8Array(headerBytes).fill("\n".charCodeAt(0));
  const { read } = new TextEncoder().encodeInto(script, header);
  if (read !== script.length) {
    throw new RangeError(`Cannot pack davit: its header exceeds ${headerBytes} bytes`);
  }
  return header;
}

async function gzip(bytes: Bytes): Promise<Bytes> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

async function hash(bytes: Bytes): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function write(file: Deno.FsFile, bytes: Bytes): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await file.write(rest));
}

if (import.meta.main) {
  await runTask(async () => {
    await buildApp();
    return [await makePortable()];
  });
}
