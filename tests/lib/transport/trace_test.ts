import { assert, assertEquals, assertRejects } from "@std/assert";
import { AlreadyExistsError } from "../../../lib/errors.ts";
import { Content, Images, Leases, Namespaces, Version } from "../../../lib/transport/methods.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import { traced, type TracedCall } from "../../../lib/transport/trace.ts";
import type { Method } from "../../../lib/transport/transport.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { openOver, transportTest } from "../both_transports.ts";

transportTest(
  "traced() tells of every call how it ended and how much it moved",
  async ({ containerd, over }) => {
    const calls: TracedCall[] = [];
    const watch = (call: TracedCall) => calls.push(call);
    await using transport = traced(await openOver(over, containerd.address), watch);
    const namespace = uniqueNamespace();
    const call = { namespace, action: "do" };

    const request = { id: "l", labels: { a: "x".repeat(1000) } };
    const response = await transport.unary(Leases.create, request, call);
    await assertRejects(() => transport.unary(Leases.create, request, call), AlreadyExistsError);
    const signal = AbortSignal.abort();
    await assertRejects(() => transport.unary(Version.version, {}, { ...call, signal }));

    const sentBytes = await sizeOf(Leases.create, "requestType", request);
    const receivedBytes = await sizeOf(Leases.create, "responseType", response);
    const create = { method: Leases.create.name, namespace };
    const nothing = { sentBytes: 0, receivedBytes: 0 };
    assertEquals(calls.map(({ durationMs: _, ...rest }) => rest), [
      { ...create, status: "ok", sentBytes, receivedBytes },
      { ...create, status: "already_exists", sentBytes, receivedBytes: 0 },
      { method: Version.version.name, namespace, status: "cancelled", ...nothing },
    ]);
    assert(calls.every(({ durationMs }) => durationMs > 0 && durationMs < 60_000));
  },
);

realTest("traced() tells of a stream when it ends, however that comes about", async (_, containerd) => {
  const calls: TracedCall[] = [];
  await using transport = traced(await openSocket({ path: containerd.address }), (call) => calls.push(call));
  const call = { namespace: uniqueNamespace(), action: "do" };
  const stat = { action: 0 as const, ref: "r", total: 10n };
  for await (const _ of transport.stream(Content.write, [stat], call)); // to its end
  for await (const _ of transport.stream(Content.write, [{ ...stat, ref: "s" }], call)) break;
  const failing = transport.stream(Content.write, [{ ...stat, ref: "" }], call);
  await assertRejects(() => Array.fromAsync(failing));
  assertEquals(calls.map(({ status }) => status), ["ok", "cancelled", "invalid_argument"]);
  assert(calls.every(({ sentBytes }) => sentBytes > 0), JSON.stringify(calls));
  assert(calls[0]!.receivedBytes > 0);
  for (const ref of ["r", "s"]) await transport.unary(Content.abort, { ref }, call);
  const names = [Namespaces.list, Images.list].map(({ name }) => name);
  await transport.unary(Namespaces.list, {}, call);
  await transport.unary(Images.list, {}, call);
  assertEquals(calls.slice(-2).map(({ method }) => method), names);
});

async function sizeOf(
  method: Method,
  side: "requestType" | "responseType",
  message: unknown,
): Promise<number> {
  const type = (await method.codec())[side] as { encode(message: unknown): { finish(): Uint8Array } };
  return type.encode(message).finish().length;
}
