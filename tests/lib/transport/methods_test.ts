import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, toFileUrl } from "@std/path";
import { methodsByName } from "../../../lib/transport/methods.ts";

interface Rpc {
  name: string;
  requestType: { decode: unknown };
  responseType: unknown;
  requestStream: boolean;
  responseStream: boolean;
}

interface Definition {
  fullName: string;
  methods: Record<string, Rpc>;
}

const generated = fromFileUrl(new URL("../../../proto/gen/containerd/services", import.meta.url));
const rpcs = new Map<string, Rpc>();
for await (const path of files(generated)) {
  const module: Record<string, Definition> = await import(toFileUrl(path).href);
  for (const [name, definition] of Object.entries(module)) {
    if (!name.endsWith("Definition")) continue;
    for (const rpc of Object.values(definition.methods)) rpcs.set(`${definition.fullName}/${rpc.name}`, rpc);
  }
}

Deno.test("the method table has a row for every generated RPC, and no other", () => {
  assert(rpcs.size > 30);
  assertEquals([...methodsByName.keys()].sort(), [...rpcs.keys()].sort());
});

Deno.test("the method table knows which RPCs are streams, and their codecs", async () => {
  for (const [name, method] of methodsByName) {
    const { requestType, responseType, requestStream, responseStream } = rpcs.get(name)!;
    assertEquals(method.kind, requestStream || responseStream ? "stream" : "unary", name);
    const codec = await method.codec();
    // By what reads them: Content.Write has an encoder of its own.
    assert(codec.requestType.decode === requestType.decode && codec.responseType === responseType, name);
  }
});

Deno.test("the method table says of every RPC what it writes, and how long it may take", () => {
  const reading =
    /\/(Get|List|ListStream|ListStatuses|ListResources|Info|Read|Status|Stat|Usage|Mounts|Plugins|PluginInfo|Server|Version|ListPids|Metrics|Wait|Subscribe|Platform)$/;
  const writing =
    /\.(Namespaces|Images|Content|Leases)\/(Create|Update|Delete|Write|Abort|AddResource|DeleteResource)$/;
  // What a container could be started from, or changes files.
  const starting =
    /\.(Snapshots\/(Prepare|View|Commit|Remove|Update|Cleanup)|Diff\/.*)$|\.(Containers|Tasks|Events)\/|\.sandbox\.v1\./;
  const unbounded =
    /\.(Snapshots\/(Prepare|View|Commit|Cleanup)|Diff\/.*|Tasks\/(Wait|Checkpoint)|Controller\/Wait|Events\/Subscribe)$/;
  for (const [name, { writes, deadlineMs, idempotent }] of methodsByName) {
    const written = starting.test(name) && !reading.test(name)
      ? "anything"
      : writing.exec(name)?.[1]?.toLowerCase();
    assert((written === undefined) === reading.test(name), `${name} is of a new kind: say here what it does`);
    assertEquals(writes, written, name);
    assertEquals(deadlineMs, unbounded.test(name) ? undefined : writes ? 60_000 : 30_000, name);
    assertEquals(idempotent, !writes || /\/(Update|AddResource|Cleanup|ResizePty|CloseIO)$/.test(name), name);
  }
});

Deno.test("the method table says of which RPCs the namespace matters", () => {
  for (const [name, { namespaced }] of methodsByName) {
    assertEquals(namespaced, !/\.(Namespaces|Introspection|Version)\//.test(name), name);
  }
});

async function* files(folder: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* files(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}
