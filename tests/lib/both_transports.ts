import { Client, type NamespacedClient } from "../../lib/client.ts";
import { guarded } from "../../lib/transport/guard.ts";
import { openSocket, type SocketOptions } from "../../lib/transport/socket.ts";
import type { Containerd } from "../real/containerd.ts";
import { realTest, type RealTestOptions, uniqueNamespace } from "../real/test.ts";

/** What a test of a service gets. */
export interface Setting {
  containerd: Containerd;
  client: Client;
  /** The client of a namespace that no other test uses. */
  namespaced: NamespacedClient;
}

/** Both ways in which calls are sent. */
export const transports: readonly ("fetch" | "grpc")[] = ["fetch", "grpc"];

/** Registers a test of a service on every containerd, once for each way in which calls are sent. */
export function serviceTest(
  name: string,
  body: (setting: Setting) => Promise<void>,
  options?: RealTestOptions,
): void {
  for (const transport of transports) {
    realTest(`${name}, over ${transport}`, async (_, containerd) => {
      await using client = await connectOver(transport, containerd.address);
      await body({ containerd, client, namespaced: client.namespace(uniqueNamespace()) });
    }, options);
  }
}

/** A client that sends all that it can in one way. */
export async function connectOver(transport: "fetch" | "grpc", address: string): Promise<Client> {
  return new Client(guarded(await openSocket({ path: address, ...onlyOver(transport) })));
}

/** The option of `openSocket` for a way of sending. */
export function onlyOver(transport: "fetch" | "grpc"): Pick<SocketOptions, "only"> {
  return transport === "grpc" ? { only: "grpc" } : {};
}
