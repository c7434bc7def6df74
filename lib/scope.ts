import type { LeaseOwner } from "./lease_owner.ts";
import type { Call, Method, Transport } from "./transport/transport.ts";

/** What the calls of a service have in common. */
export interface Binding {
  namespace: string;
  /** The lease that they carry. */
  lease?: string | undefined;
  /** Who holds the leases that are acquired. */
  owner?: (() => Promise<LeaseOwner>) | undefined;
}

/** What a service is bound to: the way to containerd, the namespace, and the lease its calls carry. */
export class Scope {
  readonly transport: Transport;
  readonly namespace: string;
  readonly lease: string | undefined;
  readonly owner: Binding["owner"];

  constructor(transport: Transport, { namespace, lease, owner }: Binding) {
    this.transport = transport;
    this.namespace = namespace;
    this.lease = lease;
    this.owner = owner;
  }

  /** The same way, to another namespace or with another lease. */
  with(binding: Omit<Binding, "owner">): Scope {
    return new Scope(this.transport, { ...binding, owner: this.owner });
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
