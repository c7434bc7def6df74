import { assert, assertEquals, assertRejects } from "@std/assert";
import { InvalidArgumentError } from "../../../lib/errors.ts";
import { guarded } from "../../../lib/transport/guard.ts";
import {
  Content,
  Images,
  methodsByName,
  Namespaces,
  SandboxController,
} from "../../../lib/transport/methods.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import type { Call, Method, Transport } from "../../../lib/transport/transport.ts";
import { realTest } from "../../real/test.ts";

/** The sub-messages of writing requests that containerd does without. */
const optional = new Set([
  "updateMask",
  "sourceDateEpoch",
  "Images/Delete target",
  ...["Create checkpoint", "Create options", "Checkpoint options"]
    .map((field) => `Tasks/${field}`),
  "Controller/Create options",
]);

/** Every writing request, each without one of the sub-messages that it needs. */
async function* deadlyRequests(): AsyncIterable<[Method, unknown]> {
  for (const method of methodsByName.values()) {
    if (method.writes === undefined || method.kind === "stream") continue;
    const { requestType } = await method.codec();
    const empty = requestType.fromPartial({}) as Record<string, unknown>;
    const short = method.name.split(".").at(-1);
    for (const [field, value] of Object.entries(empty)) {
      if (value !== undefined || optional.has(field) || optional.has(`${short} ${field}`)) continue;
      yield [method, {}];
      yield [method, { [field]: undefined }];
      yield [method, { [field]: null }];
    }
  }
  for (const method of [Images.create, Images.update]) yield [method, { image: { name: "x" } }];
  yield [SandboxController.create, { sandbox: { sandboxId: "x" } }];
}

realTest("guarded() refuses every request that would end the daemon", async (_, containerd) => {
  await using transport = guarded(await openSocket({ path: containerd.address }));
  const refused = new Set<string>();
  const call = { namespace: "default", action: "do" };
  for await (const [method, request] of deadlyRequests()) {
    const error = await assertRejects(() => transport.unary(method, request, call), InvalidArgumentError);
    assertEquals(error.outcome, "not sent");
    refused.add(`${method.name.split(".").at(-1)}: ${error.reason}`);
  }
  assertEquals([...refused].sort(), [
    "Containers/Create: the request lacks container",
    "Containers/Update: the request lacks container",
    "Content/Update: the request lacks info",
    "Controller/Create: the request lacks sandbox",
    "Controller/Create: the request lacks sandbox.spec",
    "Diff/Apply: the request lacks diff",
    "Events/Forward: the request lacks envelope",
    "Events/Publish: the request lacks event",
    "Images/Create: the request lacks image",
    "Images/Create: the request lacks image.target",
    "Images/Update: the request lacks image",
    "Images/Update: the request lacks image.target",
    "Leases/AddResource: the request lacks resource",
    "Leases/DeleteResource: the request lacks resource",
    "Namespaces/Create: the request lacks namespace",
    "Namespaces/Update: the request lacks namespace",
    "Snapshots/Update: the request lacks info",
    "Store/Create: the request lacks sandbox",
    "Store/Update: the request lacks sandbox",
    "Tasks/Exec: the request lacks spec",
    "Tasks/Update: the request lacks resources",
  ]);
  const { pid } = containerd;
  assert(containerd.alive());
  // Sub-messages that are there, if empty, are for containerd to judge.
  await assertRejects(
    () => transport.unary(Images.create, { image: { target: {} } }, call),
    InvalidArgumentError,
  );
  assert(containerd.alive() && containerd.pid === pid);
});

Deno.test("guarded() refuses headers that would arrive as others, or not at all", async () => {
  const sent: unknown[] = [];
  const transport = guarded(recording(sent));
  const bad = ["", " a", "a ", "a\nb", "a\0", "ü", "日本", "\x7f", "\t"];
  const calls = [
    ...bad.map((namespace) => ({ namespace, action: "do" })),
    ...bad.map((lease) => ({ namespace: "n", lease, action: "do" })),
  ];
  for (const call of calls) {
    for (const method of methodsByName.values()) {
      const error = await assertRejects(
        () => attempt(transport, method, { call, request: allThere }),
        InvalidArgumentError,
        undefined,
        method.name,
      );
      assertEquals(error.outcome, "not sent");
      // deno-lint-ignore no-control-regex -- that is the point
      assert(!/[\x00-\x1f\x7f]/.test(error.message), JSON.stringify(error.message));
    }
  }
  assertEquals(sent, []);
});

Deno.test("guarded() lets every method through whose request has what it needs", async () => {
  const sent: unknown[] = [];
  const transport = guarded(recording(sent));
  const call = { namespace: "n", lease: "l", action: "do" };
  for (const method of methodsByName.values()) await attempt(transport, method, { call, request: allThere });
  assertEquals(sent.map((call) => (call as Method[])[0]), [...methodsByName.values()]);
});

/** Every sub-message that some request needs. */
const allThere = {
  ...{ namespace: {}, image: { target: {} }, info: {}, resource: {} },
  ...{ container: {}, diff: {}, envelope: {}, event: {}, spec: {}, resources: {} },
  sandbox: { spec: {} },
};

async function attempt(
  transport: Transport,
  method: Method,
  { call, request }: { call: Call; request: unknown },
): Promise<void> {
  if (method.kind === "unary") await transport.unary(method, request, call);
  else await Array.fromAsync(transport.stream(method, [request], call));
}

Deno.test("guarded() lets everything else through as it is", async () => {
  const sent: unknown[] = [];
  const transport = guarded(recording(sent));
  const call = { namespace: "a b~!", lease: "x".repeat(1000), action: "do" };
  const request = { namespace: { name: "" } };
  await transport.unary(Namespaces.create, request, call);
  await Array.fromAsync(transport.stream(Content.list, [{}], call));
  await transport[Symbol.asyncDispose]();
  assertEquals(sent, [[Namespaces.create, request, call], [Content.list, [{}], call], "disposed"]);
});

function recording(sent: unknown[]): Transport {
  return {
    unary: (...call) => (sent.push(call), Promise.resolve({}) as Promise<never>),
    // deno-lint-ignore require-yield -- there is nothing to say
    async *stream(...call) {
      sent.push(call);
    },
    [Symbol.asyncDispose]: () => (sent.push("disposed"), Promise.resolve()),
  };
}
