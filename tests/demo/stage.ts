import { connect, removeNamespace } from "../../mod.ts";
import { Containerd } from "../real/containerd.ts";
import { run } from "../real/process.ts";
import { findReleases } from "../real/releases.ts";

/** The containerd that the demo plays on. What the demo made there goes when it is disposed. */
export interface Stage extends AsyncDisposable {
  /** For the first line of the demo. */
  readonly description: string;
  readonly address: string;
  /** The namespaces to use. */
  readonly from: string;
  readonly to: string;
  /** Bytes of all content, where that can be told. */
  contentBytes(): Promise<number | undefined>;
}

/** No containerd can be started here. */
export class NoContainerd extends Error {
  override name = "NoContainerd";
}

/**
 * A containerd of our own, in a folder.
 *
 * @throws {NoContainerd} without root, or without a containerd to start.
 */
export async function privateStage(root: string): Promise<Stage> {
  const { releases, missing } = await findReleases();
  const newest = releases.at(-1);
  if (newest === undefined) throw new NoContainerd(missing.at(-1)?.reason);
  const containerd = await Containerd.start(newest, { root });
  return {
    description: `containerd ${newest.version}, started in ${root} for this demo`,
    address: containerd.address,
    from: "build",
    to: "prod",
    contentBytes: () => bytesIn(containerd.contentDir),
    [Symbol.asyncDispose]: () => containerd[Symbol.asyncDispose](),
  };
}

/** A containerd that runs, in which the demo has two namespaces of its own. */
export async function borrowedStage(address: string): Promise<Stage> {
  const suffix = crypto.randomUUID().slice(0, 8);
  const namespaces = [`demo-build-${suffix}`, `demo-prod-${suffix}`] as const;
  const [from, to] = namespaces;
  await using client = await connect({ address });
  const { version } = await client.introspection.version();
  return {
    description: `containerd ${version} at ${address}`,
    address,
    from,
    to,
    contentBytes: () => Promise.resolve(undefined),
    [Symbol.asyncDispose]: () => removeNamespaces(address, namespaces),
  };
}

async function removeNamespaces(address: string, names: readonly string[]): Promise<void> {
  await using client = await connect({ address });
  for (const name of names) {
    if (!await client.namespaces.exists(name)) continue;
    const { images } = client.namespace(name);
    for await (const image of images.list()) await images.delete(image.name);
    await removeNamespace(client, name);
  }
}

async function bytesIn(folder: string): Promise<number> {
  const { stdout } = await run("du", ["--summarize", "--bytes", folder]);
  return parseInt(stdout);
}
