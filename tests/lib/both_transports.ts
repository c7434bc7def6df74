import { Client, type NamespacedClient } from "../../lib/client.ts";
import { InMemoryContainerd } from "../../lib/testing.ts";
import { guarded } from "../../lib/transport/guard.ts";
import { MessagePortTransport } from "../../lib/transport/message_port.ts";
import { servePort } from "../../lib/transport/port_server.ts";
import { openSocket } from "../../lib/transport/socket.ts";
import type { Transport } from "../../lib/transport/transport.ts";
import type { Containerd } from "../real/containerd.ts";
import { realTest, type RealTestOptions, uniqueNamespace } from "../real/test.ts";

/**
 * How calls are sent: as by default, through our own HTTP/2 client; through grpc-js; or as a plugin's, over a port to a
 * host that sends them as by default.
 */
export type Over = "http2" | "grpc" | "port";

export const bothWays: readonly Over[] = ["http2", "grpc"];

export const everyWay: readonly Over[] = [...bothWays, "port"];

/** Opens a socket to send over it in one way. */
export async function openOver(over: Over, path: string): Promise<Transport> {
  const socket = await openSocket({ path, ...(over === "grpc" && { only: over }) });
  return over === "port" ? overPort(socket) : socket;
}

/** Both ends of a port in front of a transport, which is closed with them. */
export function overPort(inner: Transport): Transport {
  const { port1, port2 } = new MessageChannel();
  const host = servePort(port1, inner);
  const plugin = new MessagePortTransport(port2);
  return {
    unary: (...call) => plugin.unary(...call),
    stream: (...call) => plugin.stream(...call),
    async [Symbol.asyncDispose]() {
      for (const end of [host, plugin, inner]) await end[Symbol.asyncDispose]();
    },
  };
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
  { ways = bothWays, ...options }: RealTestOptions & { ways?: readonly Over[] } = {},
): void {
  for (const over of ways) {
    realTest(`${name}, over ${over}`, (_, containerd) => body({ containerd, over }), options);
  }
}

/** What a test of a service gets. */
export interface ServiceSetting {
  /** The daemon, to look at it from another side; none in memory. */
  containerd: Containerd | undefined;
  client: Client;
  /** The client of a namespace that no other test uses. */
  namespaced: NamespacedClient;
}

/** What a test of a service gets that only a daemon can pass. */
export interface DaemonSetting extends ServiceSetting {
  containerd: Containerd;
}

/** Registers a test of a service on every containerd, once for each way of sending, and on the one in memory. */
export function serviceTest(
  name: string,
  body: (setting: ServiceSetting) => Promise<void>,
  options: RealTestOptions = {},
): void {
  daemonTest(name, body, options);
  if (options.series?.includes("2") === false) return; // the one that the one in memory imitates
  Deno.test(`${name}, in memory`, async () => {
    // Some tests look for the time that a daemon takes.
    const containerd = new InMemoryContainerd({
      ...options.policy && { policy: options.policy },
      delayMs: 1,
    });
    await using client = containerd.client();
    await body({ containerd: undefined, client, namespaced: client.namespace(uniqueNamespace()) });
  });
}

/** Registers a test of a service on every containerd, once for each way of sending. */
export function daemonTest(
  name: string,
  body: (setting: DaemonSetting) => Promise<void>,
  options?: RealTestOptions,
): void {
  transportTest(name, async ({ containerd, over }) => {
    await using client = await clientOver(over, containerd.address);
    await body({ containerd, client, namespaced: client.namespace(uniqueNamespace()) });
  }, options);
}
