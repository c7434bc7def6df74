import { assertEquals } from "@std/assert";
import { type GraphNode, ReferenceGraph, type Root } from "davit";

const createdAt = new Date(0);

function graph(
  edges: Record<string, string[]>,
  roots: (Partial<Root> & { references: string[] })[],
): ReferenceGraph {
  const nodes = Object.entries(edges).map(([id, references]): [string, GraphNode] => [
    id,
    { kind: id.startsWith("s") ? "snapshot" : "content", id, size: 1, createdAt, references },
  ]);
  return new ReferenceGraph("test", {
    nodes: new Map(nodes),
    roots: roots.map((root) => ({ kind: "image", name: "root", flat: false, ...root })),
  });
}

Deno.test("ReferenceGraph.reachable() follows references, also in circles and to what is missing", () => {
  const { reachable } = bound(
    graph({ a: ["b", "missing"], b: ["c"], c: ["a"], d: [] }, [{ references: ["a"] }]),
  );
  assertEquals([...reachable().keys()], ["a", "b", "c"]);
});

Deno.test("ReferenceGraph.reachable() leaves out what only a root that goes keeps", () => {
  const { reachable } = bound(graph({ a: ["c"], b: ["c"], c: [] }, [
    { name: "goes", references: ["a"] },
    { name: "stays", references: ["b"] },
  ]));
  assertEquals([...reachable(({ name }) => name === "goes").keys()], ["b", "c"]);
});

Deno.test("ReferenceGraph.reachable() stops at what a flat lease names, but for parents of snapshots", () => {
  const edges = { a: ["b"], b: [], s1: ["s2", "b"], s2: ["s3"], s3: [] };
  const flat = { kind: "lease", flat: true } as const;
  const { reachable } = bound(graph(edges, [{ ...flat, references: ["a", "s1"] }]));
  assertEquals([...reachable().keys()], ["a", "s1", "s2", "s3"]);
  const both = graph(edges, [{ ...flat, references: ["a"] }, { references: ["a"] }]);
  assertEquals([...both.reachable().keys()], ["a", "b"]);
});

Deno.test("ReferenceGraph.pathsTo() gives the shortest way from each root", () => {
  const edges = { a: ["b", "d"], b: ["c"], c: ["d"], d: [], e: ["d"] };
  const paths = graph(edges, [{ name: "x", references: ["a"] }, { name: "y", references: ["e"] }]).pathsTo(
    "d",
  );
  assertEquals(paths.map(({ root, nodes }) => [root.name, ...nodes.map(({ id }) => id)]), [
    ["x", "a", "d"],
    ["y", "e", "d"],
  ]);
});

function bound(graph: ReferenceGraph) {
  return { reachable: graph.reachable.bind(graph) };
}
