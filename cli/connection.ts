/** The way to containerd, loaded by the first verb that needs one. */
import {
  guarded,
  openSocket,
  type SocketOptions,
  traced,
  type TracedCall,
  type Transport,
} from "../lib/host.ts";
import { Client, ContainerdError } from "../mod.ts";
import { defaultAddress, hintForDenied, hintForUnreachable, socketPath } from "./address.ts";
import { CliError } from "./errors.ts";
import { thisOwner } from "./owner.ts";
import { type NamespaceWatch, watchingNamespaces, withoutWrites } from "./restraints.ts";

/** Opens a transport to a socket. */
export type Connect = (options: SocketOptions) => Promise<Transport>;

/** Where to connect to, and how. */
export interface ConnectionSettings {
  /** As the user gave it. */
  address: string | undefined;
  connectTimeoutMs: number;
  /** Sends everything through grpc-js. */
  grpcOnly: boolean;
  signal: AbortSignal;
  /** Refuses what changes something. */
  noWrites: boolean;
  newNamespaces: NamespaceWatch;
  /** Told of every call. */
  watch: ((call: TracedCall) => void) | undefined;
}

/** Connects; errors say what to do about them. */
export async function openTransport(
  settings: ConnectionSettings,
  connect: Connect = openSocket,
): Promise<Transport> {
  const { address = defaultAddress, connectTimeoutMs, grpcOnly, signal } = settings;
  const path = socketPath(address);
  try {
    const transport = await connect({ path, connectTimeoutMs, signal, ...(grpcOnly && { only: "grpc" }) });
    return decorated(transport, settings);
  } catch (error) {
    throw error instanceof ContainerdError ? await withHint(error, path) : error;
  }
}

/** The client of a transport. */
export function clientOver(transport: Transport): Client {
  return new Client(transport, { owner: thisOwner });
}

function decorated(socket: Transport, { watch, noWrites, newNamespaces }: ConnectionSettings): Transport {
  const transport = guarded(watch === undefined ? socket : traced(socket, watch));
  const watching = watchingNamespaces(transport, newNamespaces);
  return noWrites ? withoutWrites(watching) : watching;
}

async function withHint(error: ContainerdError, path: string): Promise<CliError> {
  const hint = error.code === "permission_denied"
    ? await hintForDenied(path)
    : await hintForUnreachable(path);
  return new CliError(error.message, { code: error.code, hint, cause: error });
}
