import { join } from "@std/path";
import { configFile } from "../../cli/build/build.ts";
import { connect } from "../../mod.ts";
import { busyboxImage, importWithCtr, manyImages, ociArchive, oneBigImage } from "../real/images.ts";
import { randomChunks } from "../real/layers.ts";
import { withBigRegistry } from "./big_registry.ts";
import type { Pair } from "./compare.ts";
import type { Lab } from "./lab.ts";

/** Something that davit must not take longer for than somebody else, times a factor. */
export interface Row {
  /** davit's arguments. */
  name: string;
  /** What it is compared with. */
  against: string;
  /** The largest allowed ratio of the times. */
  budget: number;
  /** The ratio to aim for. */
  reach: number;
  /** How often to run both. */
  rounds: number;
  /** Whether both start containers, for which the lab gives up its place before all else. */
  startsContainers?: boolean;
  prepare(lab: Lab): Promise<Pair> | Pair;
}

/** The most memory that davit may take in any row. */
export const mostBytes = 150 << 20;

const nothing = "deno run of an empty file";
const pipes = "ctr export | ctr import, image by image";
const gigabyte = 1 << 30;

export const rows: readonly Row[] = [
  start("--version"),
  start("--help"),
  start("completion of verbs", completing("davit images ")),
  start("completion of flags", completing("davit images list --")),
  {
    name: "completion of names",
    against: "ctr namespaces ls",
    budget: 2.2,
    reach: 1.6,
    rounds: 21,
    prepare: async (lab) => {
      await withNamespaces(lab);
      return {
        ours: lab.davit(...completing("davit namespaces inspect ")),
        theirs: lab.ctr("namespaces", "ls"),
      };
    },
  },
  {
    name: "namespaces list",
    against: "ctr namespaces ls",
    budget: 2.0,
    reach: 1.6,
    rounds: 21,
    prepare: async (lab) => {
      await withNamespaces(lab);
      return { ours: lab.davit("namespaces", "list"), theirs: lab.ctr("namespaces", "ls") };
    },
  },
  {
    name: "namespaces list (portable)",
    against: "ctr namespaces ls",
    budget: 2.2,
    reach: 1.6,
    rounds: 21,
    prepare: async (lab) => {
      await withNamespaces(lab);
      return {
        ours: lab.command([...lab.programs.portable, "namespaces", "list"]),
        theirs: lab.ctr("namespaces", "ls"),
      };
    },
  },
  {
    name: "images list -q",
    against: "ctr images ls -q",
    budget: 2.6,
    reach: 2.0,
    rounds: 21,
    prepare: async (lab) => {
      await importWithCtr(lab.containerd, "few", ociArchive(await manyImages({ count: 10 })));
      return {
        ours: lab.davit("-n", "few", "images", "list", "-q"),
        theirs: lab.ctr("-n", "few", "images", "ls", "-q"),
      };
    },
  },
  {
    // 60 ms more than a verb that does the same.
    name: "a plugin that lists images",
    against: "davit images list -q",
    budget: 2.3,
    reach: 1.8,
    rounds: 21,
    prepare: async (lab) => {
      await importWithCtr(lab.containerd, "few", ociArchive(await manyImages({ count: 10 })));
      const plugin = await writeFile(
        lab.file("names.ts"),
        `import { definePlugin } from "davit";
export default definePlugin({
  name: "names",
  summary: "List the names of images",
  async *run({ client }) {
    for await (const { name } of client.images.list()) yield { name };
  },
});
`,
      );
      return {
        ours: lab.davit("-n", "few", plugin, "-q"),
        theirs: lab.davit("-n", "few", "images", "list", "-q"),
      };
    },
  },
  {
    name: "10,000 calls of a plugin, one by one",
    against: "the same without a sandbox",
    budget: 2.0,
    reach: 1.5,
    rounds: 5,
    prepare: async (lab) => {
      await lab.containerd.ctr(["namespaces", "create", "calls"], { check: false });
      const calls = "for (let call = 0; call < 10_000; call++) await client.namespaces.get(client.name);";
      const plugin = await writeFile(
        lab.file("calls.ts"),
        `import { definePlugin } from "davit";
export default definePlugin({ name: "calls", summary: "Call", async run({ client }) { ${calls} } });
`,
      );
      const program = await writeFile(
        lab.file("calls_outside.ts"),
        `import { connect } from "davit";
await using connection = await connect({ address: ${JSON.stringify(lab.containerd.address)} });
const client = connection.namespace("calls");
${calls}
`,
      );
      const config = join(lab.programs.folder, "app", configFile);
      return {
        ours: lab.davit("-n", "calls", plugin),
        theirs: lab.command([Deno.execPath(), "run", "-A", "--no-check", `--config=${config}`, program]),
      };
    },
  },
  {
    name: "images list of 1,000 images",
    against: "ctr images ls",
    budget: 0.5,
    reach: 0.2,
    rounds: 15,
    prepare: async (lab) => {
      const images = await manyImages({ count: 1_000, sharedLayers: 0, layerBytes: 64 });
      await importWithCtr(lab.containerd, "thousand", ociArchive(images));
      return {
        ours: lab.davit("-n", "thousand", "images", "list"),
        theirs: lab.ctr("-n", "thousand", "images", "ls"),
      };
    },
  },
  {
    name: "images copy of 200 images with 6 layers",
    against: pipes,
    budget: 1 / 15,
    reach: 1 / 25,
    rounds: 5,
    prepare: async (lab) => {
      const images = await manyImages({ count: 200, sharedLayers: 5, ownLayers: 1 });
      await importWithCtr(lab.containerd, "many", ociArchive(images));
      return copying(lab, "many");
    },
  },
  {
    name: "images copy of one image of 1 GiB",
    against: pipes,
    budget: 1 / 50,
    reach: 1 / 150,
    rounds: 3,
    prepare: async (lab) => {
      await importWithCtr(lab.containerd, "big", await bigArchive(lab));
      return copying(lab, "big");
    },
  },
  {
    name: "content get of 256 MiB",
    against: "ctr content get",
    budget: 1 / 3,
    reach: 1 / 6,
    rounds: 5,
    prepare: async (lab) => {
      const digest = await withBlob(lab, 256 << 20);
      return {
        ours: lab.davit("-n", "blob", "content", "get", digest),
        theirs: lab.ctr("-n", "blob", "content", "get", digest),
      };
    },
  },
  {
    name: "images import of 1 GiB",
    against: "ctr images import --no-unpack",
    budget: 1.0,
    reach: 0.6,
    rounds: 5,
    prepare: async (lab) => {
      const archive = await bigArchive(lab);
      const before = () => lab.remove("imported");
      return {
        ours: { ...lab.davit("-n", "imported", "images", "import", "--no-unpack", archive), before },
        theirs: {
          ...lab.ctr("-n", "imported", "images", "import", "--no-unpack", ...inItself(lab), archive),
          before,
        },
      };
    },
  },
  {
    name: "images export of 1 GiB",
    against: "ctr images export",
    budget: 1.0,
    reach: 0.6,
    rounds: 5,
    prepare: async (lab) => {
      const archive = await bigArchive(lab);
      await importWithCtr(lab.containerd, "exported", archive);
      const name = (await lab.containerd.ctr(["images", "ls", "-q"], { namespace: "exported" })).stdout
        .trim();
      const file = lab.file("exported.tar");
      return {
        ours: lab.davit("-n", "exported", "images", "export", file, name),
        theirs: lab.ctr("-n", "exported", "images", "export", ...inItself(lab), file, name),
      };
    },
  },
  {
    name: "images pull of 1 GiB, unpacked",
    against: "ctr images pull",
    budget: 1.2,
    reach: 0.9,
    rounds: 5,
    prepare: async (lab) => {
      const name = await withBigRegistry(lab, gigabyte);
      const before = () => lab.remove("pulled");
      return {
        ours: { ...lab.davit("-n", "pulled", "images", "pull", name), before },
        theirs: {
          ...lab.ctr("-n", "pulled", "images", "pull", ...inItself(lab), "--plain-http", name),
          before,
        },
      };
    },
  },
  {
    name: "run --rm of true",
    against: "ctr run --rm",
    budget: 1.3,
    reach: 1.1,
    rounds: 20,
    startsContainers: true,
    prepare: async (lab) => {
      const image = await busyboxImage();
      await importWithCtr(lab.containerd, "run", ociArchive([image]), { unpack: true });
      return {
        ours: lab.davit("-n", "run", "run", "--rm", image.name, "--", "true"),
        theirs: lab.ctr("-n", "run", "run", "--rm", image.name, "theirs", "true"),
      };
    },
  },
];

async function writeFile(path: string, text: string): Promise<string> {
  await Deno.writeTextFile(path, text);
  return path;
}

function start(name: string, args: string[] = [name]): Row {
  const prepare = (lab: Lab) => ({ ours: lab.davit(...args), theirs: lab.command(lab.programs.nothing) });
  return { name, against: nothing, budget: 1.5, reach: 1.2, rounds: 21, prepare };
}

/** What a shell asks when Tab is pressed. */
function completing(line: string): string[] {
  return ["__complete", "bash", "=:", line];
}

/** As many as when the budgets were set; ctr asks for the labels of each. */
async function withNamespaces({ containerd }: Lab): Promise<void> {
  for (let index = 0; index < 20; index++) {
    await containerd.ctr(["namespaces", "create", `team-${index}`], { check: false });
  }
}

/** A blob of random bytes in the namespace `blob`; resolves to its digest. */
async function withBlob({ containerd }: Lab, bytes: number): Promise<string> {
  await using client = await connect({ address: containerd.address });
  const { content } = client.namespace("blob");
  const target = { ref: "blob", size: bytes, labels: { "containerd.io/gc.root": "bench" } };
  return (await content.ingest(target, ReadableStream.from(randomChunks(bytes, 1)))).digest;
}

/** All images of a namespace, into one that is not there. */
function copying(lab: Lab, from: string): Pair {
  const to = `${from}-copies`;
  const before = () => lab.remove(to);
  const local = inItself(lab).join("");
  const script = `for image in $(ctr -n ${from} images ls -q); do
    ctr -n ${from} images export ${local} - "$image" | ctr -n ${to} images import ${local} --no-unpack - || exit 1
  done`;
  return {
    ours: { ...lab.davit("images", "copy", "**", "--from", from, "--to", to), before },
    theirs: { ...lab.command(["sh", "-c", script]), before },
  };
}

/** Has ctr read and write archives itself, as 1.6 does: the daemon's streams to and from newer ones break off at times. */
function inItself({ containerd }: Lab): string[] {
  return containerd.release.series === "1.6" ? [] : ["--local"];
}

async function bigArchive(lab: Lab): Promise<string> {
  const file = lab.file("big.tar");
  await oneBigImage(file, { bytes: gigabyte });
  return file;
}
