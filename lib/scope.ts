import type { Call, Method, Transport } from "./transport/transport.ts";

/** What a service is bound to: the way to containerd, the namespace, and the lease its calls carry. */
export class Scope {
  readonly transport: Transport;
  readonly namespace: string;
  readonly lease: string | undefined;

  constructor(transport: Transport, { namespace, lease }: { namespace: string; lease?: string | undefined }) {
    this.transport = transport;
    this.namespace = namespace;
    this.lease = lease;
  }

  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: ScopedCall,
  ): Promise<Response> {
    return this.transport.unary(method, request, this.#bound(call));
  }

  stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: ScopedCall,
  ): AsyncIterable<Response> {
    return this.transport.stream(method, requests, this.#bound(call));
  }

  #bound(call: ScopedCall): Call {
    return { namespace: this.namespace, lease: this.lease, ...call };
  }
}

/** A call without what the scope adds. */
export type ScopedCall = Omit<Call, "namespace" | "lease" | "meter"> & { namespace?: string };
