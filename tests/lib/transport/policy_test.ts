import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Client, NotFoundError, PermissionDeniedError } from "../../../mod.ts";
import { methodsByName, openSocket, type Policy, restricted, type Transport } from "../../../lib/host.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const all = [...methodsByName.values()];
type Method = typeof all[number];

/** The methods that a policy lets through, each called in the namespace `ours`. */
async function passing(
  policy: Policy,
  request: unknown = about("ours"),
  namespace = "ours",
): Promise<string[]> {
  const passed: string[] = [];
  const transport = restricted(recording(passed), policy);
  for (const method of all) {
    try {
      await use(transport, method, { request, namespace });
    } catch (error) {
      if (!(error instanceof PermissionDeniedError)) throw error;
      assertEquals(error.outcome, "not sent");
      assertEquals(passed.includes(method.name), false);
    }
  }
  return passed;
}

async function use(
  transport: Transport,
  method: Method,
  { request, namespace }: { request: unknown; namespace: string },
): Promise<void> {
  const call = { namespace, action: "test" };
  if (method.kind === "unary") await transport.unary(method, request, call);
  else await Array.fromAsync(transport.stream(method, [request], call));
}

/** Whatever field a request names a namespace in. */
function about(namespace: string) {
  return { name: namespace, namespace: { name: namespace }, envelope: { namespace } };
}

function recording(passed: string[]): Transport {
  return {
    unary: (method) => (passed.push(method.name), Promise.resolve({ namespaces: [] }) as Promise<never>),
    async *stream(method) {
      yield passed.push(method.name) as never;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function names(wanted: (method: Method) => boolean): string[] {
  return all.filter(wanted).map(({ name }) => name);
}

const service = (method: Method) => method.name.split(".").at(-1)!.split("/")[0]!;

Deno.test("restricted() lets every method through that a policy of everything covers", async () => {
  assertEquals(await passing({ namespaces: "any", write: "all" }), names(() => true));
});

Deno.test("restricted() lets a reader call exactly the methods that read", async () => {
  assertEquals(
    await passing({ namespaces: "any", write: false }),
    names(({ writes }) => writes === undefined),
  );
});

Deno.test("restricted() lets a dry run call exactly the methods that read, whatever it may write", async () => {
  const passed = await passing({ namespaces: "any", write: "all", dryRun: true });
  assertEquals(passed, names(({ writes }) => writes === undefined));
});

Deno.test("restricted() lets a writer of images change exactly what cannot start anything", async () => {
  const passed = await passing({ namespaces: "any", write: "images" });
  assertEquals(passed, names(({ writes }) => writes !== "anything"));
  const services = new Set(all.filter(({ writes }) => writes && writes !== "anything").map(service));
  assertEquals([...services].sort(), ["Content", "Images", "Leases", "Namespaces"]);
});

Deno.test("restricted() lets nothing through in a namespace that is not listed, but what tells nothing of it", async () => {
  const policy: Policy = { namespaces: ["ours"], write: "all" };
  assertEquals(await passing(policy), names(() => true));
  const harmless = ["Introspection", "Version"];
  const open = names((method) =>
    harmless.includes(service(method)) || method.name.endsWith("Namespaces/List")
  );
  assertEquals(await passing(policy, about("theirs"), "theirs"), open);
});

Deno.test("restricted() judges by the namespace that a request names, of a namespace or of an event", async () => {
  const policy: Policy = { namespaces: ["ours"], write: "all" };
  const namesOne = (method: Method) =>
    service(method) === "Namespaces" ? !method.name.endsWith("/List") : method.name.endsWith("/Forward");
  assertEquals(await passing(policy, about("theirs"), "ours"), names((method) => !namesOne(method)));
  assertEquals(await passing(policy, {}, "ours"), names((method) => !namesOne(method)));
});

Deno.test("restricted() refuses a method without a namespace that it has not been taught", async () => {
  const events = {
    ...methodsByName.get("containerd.services.version.v1.Version/Version")!,
    name: "x.Events/Subscribe",
  };
  const transport = restricted(recording([]), { namespaces: "any", write: "all" });
  await assertRejects(
    () => use(transport, events, { request: {}, namespace: "ours" }),
    PermissionDeniedError,
  );
});

Deno.test("restricted() says what to add to the access", async () => {
  const denied = async (policy: Policy, method: string, request: unknown) => {
    const transport = restricted(recording([]), policy);
    const found = all.find(({ name }) => name.endsWith(method))!;
    return (await assertRejects(
      () => use(transport, found, { request, namespace: "ours" }),
      PermissionDeniedError,
    ))
      .message;
  };
  const read: Policy = { namespaces: ["ours"], write: false };
  assertStringIncludes(await denied(read, "Images/Delete", {}), 'set its access.write to "images"');
  assertStringIncludes(await denied(read, "Leases/Create", {}), 'set its access.write to "images"');
  assertStringIncludes(
    await denied(read, "Namespaces/Delete", { name: "k8s.io" }),
    'add "k8s.io" to its access.namespaces',
  );
});

realTest("restricted() leaves other namespaces out of the list", async (_t, containerd) => {
  const [ours, theirs] = [uniqueNamespace(), uniqueNamespace()];
  await using socket = await openSocket({ path: containerd.address });
  const everything = new Client(socket);
  await everything.namespaces.create(ours);
  await everything.namespaces.create(theirs);
  const { namespaces } = new Client(restricted(socket, { namespaces: [ours], write: false }));
  assertEquals((await Array.fromAsync(namespaces.list())).map(({ name }) => name), [ours]);
  await assertRejects(() => namespaces.get(theirs), NotFoundError);
  await assertRejects(() => namespaces.delete(ours), PermissionDeniedError);
});

Deno.test("restricted() leaves the events of other namespaces out, which a subscription gets for all", async () => {
  const events = ["ours", "theirs", "", "ours"].map((namespace) => ({ namespace }));
  const inner: Transport = {
    unary: () => Promise.reject(new Error("no such call")),
    async *stream() {
      yield* events as never[];
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const subscribe = methodsByName.get("containerd.services.events.v1.Events/Subscribe")!;
  const seen = (namespaces: Policy["namespaces"]) =>
    Array.fromAsync(
      restricted(inner, { namespaces, write: false })
        .stream(subscribe, [{}], { namespace: "ours", action: "subscribe to events" }),
    );
  assertEquals(await seen(["ours"]), [{ namespace: "ours" }, { namespace: "ours" }]);
  assertEquals(await seen("any"), events);
});
