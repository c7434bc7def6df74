/**
 * `deno task demo [--address SOCKET]`: davit's main job on a real containerd, from nothing to images that two plugins
 * have copied to another namespace. It leaves nothing behind.
 */
import { parseArgs } from "@std/cli";
import { fromFileUrl, join } from "@std/path";
import { buildApp } from "../../cli/build/build.ts";
import { makePortable } from "../../cli/build/portable.ts";
import { busyboxImage, ociArchive } from "../real/images.ts";
import { firstLine } from "../real/process.ts";
import { say, Shell } from "./shell.ts";
import { borrowedStage, NoContainerd, privateStage, type Stage } from "./stage.ts";

const plugin = fromFileUrl(new URL("release.ts", import.meta.url));

const signals = ["SIGINT", "SIGTERM"] as const;

async function main(args: string[]): Promise<number> {
  const { address, _, ...unknown } = parseArgs(args, { string: ["address"] });
  if (_.length > 0 || Object.keys(unknown).length > 0 || address === "") {
    return await complain("Cannot understand the arguments; the only one is --address SOCKET");
  }
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  for (const signal of signals) Deno.addSignalListener(signal, interrupt);
  try {
    await demonstrate(address as string | undefined, interruption.signal);
    return 0;
  } catch (error) {
    if (interruption.signal.aborted) return 130;
    if (error instanceof NoContainerd) {
      return await complain(
        `Cannot start a containerd for the demo: ${error.message}; --address SOCKET uses one that runs`,
      );
    }
    return await complain(firstLine(error));
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, interrupt);
  }
}

async function demonstrate(address: string | undefined, signal: AbortSignal): Promise<void> {
  await using folder = await TemporaryFolder.make();
  await using stage = address === undefined
    ? await privateStage(join(folder.path, "containerd"))
    : await borrowedStage(address);
  await say(`Using ${stage.description}`);
  const shell = await prepare(folder.path, { stage, signal });
  await play(stage, shell);
}

/** Puts what the demo needs into the folder: the portable file as `davit`, an image, a plugin. */
async function prepare(
  folder: string,
  { stage, signal }: { stage: Stage; signal: AbortSignal },
): Promise<Shell> {
  await buildApp();
  await Deno.symlink(await makePortable(), join(folder, "davit"));
  const archive = await Deno.create(join(folder, "busybox.tar"));
  await ociArchive([await busyboxImage()]).pipeTo(archive.writable);
  await Deno.copyFile(plugin, join(folder, "release.ts"));
  signal.throwIfAborted();
  const env = { CONTAINERD_ADDRESS: stage.address, DAVIT_CACHE_DIR: join(folder, "cache") };
  await say(`Working in ${folder}, with dist/davit-portable as davit\n`);
  return new Shell({ bin: folder, cwd: folder, env, signal });
}

async function play({ from, to, contentBytes }: Stage, shell: Shell): Promise<void> {
  await say("# The first run unpacks the portable file:\n");
  await shell.run("davit", "version");
  await shell.run("davit", "namespaces", "create", from, "team=platform");
  await shell.run("davit", "namespaces", "create", to);
  await shell.run("davit", "-n", from, "images", "import", "busybox.tar");
  const before = await contentBytes();

  await say("# The plugin that comes with davit:\n");
  await shell.run("davit", "image-sync", "--from", from, "--to", to);
  await say("# A plugin of one's own, all of it, in release.ts:\n");
  await say(await Deno.readTextFile(plugin));
  await shell.run("davit", "-n", from, "./release.ts", "--to", to, "--tag", "1.0");

  await shell.run("davit", "-n", to, "images", "list");
  await shell.run("davit", "-n", to, "images", "check");
  const after = await contentBytes();
  if (before === undefined) return;
  const change = after === before
    ? "not a byte more than before the copies: containerd shares it between namespaces"
    : `before the copies it was ${before}`;
  await say(`The content folder holds ${after} bytes, ${change}.`);
}

/** A folder that goes when it is disposed. */
class TemporaryFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<TemporaryFolder> {
    return new TemporaryFolder(await Deno.makeTempDir({ prefix: "davit-demo-" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

async function complain(message: string): Promise<number> {
  await Deno.stderr.write(new TextEncoder().encode(`${message}\n`));
  return 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
