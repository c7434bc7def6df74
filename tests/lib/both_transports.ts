import { Client, type NamespacedClient } from "../../lib/client.ts";
import { guarded } from "../../lib/transport/guard.ts";
import { openSocket } from "../../lib/transport/socket.ts";
import type { Transport } from "../../lib/transport/transport.ts";
import type { Containerd } from "../real/containerd.ts";
import { realTest, type RealTestOptions, uniqueNamespace } from "../real/test.ts";

/** How calls are sent: as by default, mostly through fetch, or all through grpc-js. */
export type Over = "fetch" | "grpc";

export const bothWays: readonly Over[] = ["fetch", "grpc"];

/** Opens a socket to send over it in one way. */
export async function openOver(over: Over, path: string): Promise<Transport> {
  return await openSocket({ path, ...(over === "grpc" && { only: over }) });
}

/** A client that sends in one way. */
export async function clientOver(over: Over, path: string): Promise<Client> {
  return new Client(guarded(await openOver(over, path)));
}

/** What a test of the transports gets. */
export interface TransportSetting {
  containerd: Containerd;
  over: Over;
}

/** Registers a test of the transports on every containerd, once for each way of sending. */
export function transportTest(
  name: string,
  body: (setting: TransportSetting) => Promise<void>,
  options?: RealTestOptions,
): void {
  for (const over of bothWays) {
    realTest(`${name}, over ${over}`, (_, containerd) => body({ containerd, over }), options);
  }
}

/** What a test of a service gets. */
export interface ServiceSetting {
  containerd: Containerd;
  client: Client;
  /** The client of a namespace that no other test uses. */
  namespaced: NamespacedClient;
}

/** Registers a test of a service on every containerd, once for each way of sending. */
export function serviceTest(
  name: string,
  body: (setting: ServiceSetting) => Promise<void>,
  options?: RealTestOptions,
): void {
  transportTest(name, async ({ containerd, over }) => {
    await using client = await clientOver(over, containerd.address);
    await body({ containerd, client, namespaced: client.namespace(uniqueNamespace()) });
  }, options);
}
