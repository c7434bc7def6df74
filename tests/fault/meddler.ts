import type { Transport } from "../../lib/transport/transport.ts";

/** A unary call on its way. */
export interface PassingCall {
  /** `containerd.services.images.v1.Images/Get`. */
  method: string;
  request: unknown;
}

/** Acts just before a call goes on; what it returns acts just before the answer comes back. */
export type Meddle = (call: PassingCall) => After | Promise<After>;

type After = void | (() => void | Promise<void>);

/** A transport on whose unary calls somebody else acts meanwhile. */
export function meddled(inner: Transport, meddle: Meddle): Transport {
  return {
    async unary(method, request, call) {
      const after = await meddle({ method: method.name, request });
      try {
        return await inner.unary(method, request, call);
      } finally {
        await after?.();
      }
    },
    stream: (method, requests, call) => inner.stream(method, requests, call),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}
