import { Http2Transport } from "./http2.ts";
import { probe, type ProbeOptions } from "./probe.ts";
import type { Transport } from "./transport.ts";

/** Where containerd is and how to reach it. */
export interface SocketOptions extends ProbeOptions {
  /** `"grpc"` sends everything through grpc-js. Default: through an HTTP/2 client of our own. */
  only?: "grpc" | undefined;
}

/**
 * A transport to the containerd behind a unix socket, connected to what lives there.
 *
 * @throws {UnavailableError} when nothing answers, or nothing that speaks HTTP/2.
 * @throws {PermissionDeniedError} when the socket may not be used.
 */
export async function openSocket({ only, ...options }: SocketOptions): Promise<Transport> {
  if (only !== "grpc") return await Http2Transport.open(options);
  await probe(options);
  const { GrpcTransport } = await import("./grpc.ts");
  return new GrpcTransport(options.path);
}
