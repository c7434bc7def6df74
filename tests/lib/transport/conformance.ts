/** What every transport must do alike: the tests that are registered here run over each, and on the one in memory. */
import { InMemoryContainerd } from "../../../lib/testing.ts";
import { Content, Version } from "../../../lib/transport/methods.ts";
import type { Call, Transport } from "../../../lib/transport/transport.ts";
import type { Containerd } from "../../real/containerd.ts";
import { type RealTestOptions, uniqueNamespace } from "../../real/test.ts";
import { everyWay, openOver, type Over, transportTest } from "../both_transports.ts";

/** What a test gets of the transport that it is about. */
export interface ConformanceSetting {
  transport: Transport;
  over: Over | "memory";
  /** Goes with every call: a namespace that no other test uses. */
  call: Call;
  /** The daemon; none in memory. */
  containerd: Containerd | undefined;
}

/** Registers a test of every transport, on every containerd and on the one in memory. */
export function conformanceTest(
  name: string,
  body: (setting: ConformanceSetting) => Promise<void>,
  options: RealTestOptions = {},
): void {
  const ownCall = () => ({ namespace: uniqueNamespace(), action: "do" });
  transportTest(name, async ({ containerd, over }) => {
    await using transport = await openConnected(over, containerd.address);
    await body({ transport, over, call: ownCall(), containerd });
  }, { ...options, ways: everyWay });
  Deno.test(`${name}, in memory`, async () => {
    await using transport = new InMemoryContainerd();
    await body({ transport, over: "memory", call: ownCall(), containerd: undefined });
  });
}

/** A transport whose connections exist already: grpc-js makes one with the help of timers that outlive it. */
export async function openConnected(over: Over, path: string): Promise<Transport> {
  const transport = await openOver(over, path);
  const call = { namespace: "default", action: "do" };
  await transport.unary(Version.version, {}, call);
  await Array.fromAsync(transport.stream(Content.list, [{}], call));
  return transport;
}
