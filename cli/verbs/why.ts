import { type Keeper, keepersOf, loadGraph, mapNamespaces, type NamespacedClient } from "../../mod.ts";
import { CliError } from "../errors.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  summary: "Say what keeps content, a snapshot, a lease or what an image points to alive, in all namespaces",
  examples: ["why sha256:9ae9…", "why overlayfs/my-container", "why busybox", "why davit-pull-2f0c…"],
  args: [{
    name: "WHAT",
    summary: "digest, snapshot (SNAPSHOTTER/KEY or key), image, or lease",
    completes: "content",
  }],
  columns: [
    { header: "NAMESPACE", key: "namespace" },
    { header: "KEPT BY", key: "keeper" },
    { header: "OVER", key: "way", as: "list" },
    { header: "WHAT", key: "what", wide: true },
  ],
  async *run({ args: [what = ""], client, signal }): AsyncIterable<Keeper> {
    const connection = await client();
    let isThere = false;
    const work = async (inside: NamespacedClient) => keepersOf(await loadGraph(inside, { signal }), what);
    for await (const rows of mapNamespaces(connection, work, { signal })) {
      isThere ||= rows.length > 0;
      yield* rows;
    }
    if (!isThere) {
      throw new CliError(`Cannot say what keeps ${JSON.stringify(what)}: no namespace has it`, {
        code: "not_found",
        hint: "WHAT is a digest, a snapshot's key, the full name of an image, or the id of a lease",
      });
    }
  },
});
