import {
  digestsLike,
  type Keeper,
  keepersOf,
  keepersOfIngest,
  loadGraphs,
  mapNamespaces,
} from "../../mod.ts";
import { CliError } from "../errors.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  summary: "Say what keeps content, a snapshot, a lease or what an image points to alive, in all namespaces",
  examples: ["why sha256:9ae9", "why overlayfs/my-container", "why busybox", "why davit-pull-2f0c…"],
  args: [{
    name: "WHAT",
    summary:
      "digest or its beginning, snapshot (SNAPSHOTTER/KEY or key), image, lease, container, or ref of an ingest",
    completes: "content",
  }],
  columns: [
    { header: "NAMESPACE", key: "namespace" },
    { header: "KEPT BY", key: "keeper" },
    { header: "OVER", key: "way", as: "list" },
    { header: "WHAT", key: "what", wide: true },
  ],
  async run({ args: [what = ""], client, signal }): Promise<Keeper[]> {
    const connection = await client();
    const graphs = await loadGraphs(connection, { signal });
    const named = graphs.flatMap((graph) => keepersOf(graph, what));
    if (named.length > 0) return named;
    const [digest, ...others] = new Set(graphs.flatMap((graph) => digestsLike(graph, what)));
    if (others.length > 0) throw ambiguous(what, [digest!, ...others]);
    if (digest !== undefined) return graphs.flatMap((graph) => keepersOf(graph, digest));
    const ofIngests = mapNamespaces(connection, (inside) => keepersOfIngest(inside, what, { signal }), {
      signal,
    });
    const rows = (await Array.fromAsync(ofIngests)).flat();
    if (rows.length > 0) return rows;
    throw new CliError(`Cannot say what keeps ${JSON.stringify(what)}: no namespace has it`, {
      code: "not_found",
      hint:
        "WHAT is a digest, a snapshot's key, the full name of an image, or the id of a lease or container",
    });
  },
});

function ambiguous(what: string, digests: readonly string[]): CliError {
  const listed = digests.slice(0, 5).join(", ");
  return new CliError(`Cannot say what keeps ${JSON.stringify(what)}: ${digests.length} digests begin so`, {
    code: "invalid_argument",
    hint: `it may be ${listed}${digests.length > 5 ? ", …" : ""}`,
  });
}
