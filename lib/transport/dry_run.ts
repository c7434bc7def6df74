import type { Overlay } from "../in_memory/overlay.ts";
import type { Transport } from "./transport.ts";

/** What a simulation tells. */
export interface SimulationEvents {
  /** What would have been changed, in words: `delete image "x" in namespace "y"`. */
  change(description: string): void;
  /** A call cannot be simulated, so that what comes after it would be guesswork. */
  end(error: Error): void;
}

/**
 * Lets nothing be written: changes of namespaces, images, leases and labels, and blobs that another namespace has,
 * are kept in an overlay that later reads see.
 */
export function simulated(inner: Transport, events: SimulationEvents): Transport {
  let overlay: Promise<Overlay> | undefined; // until something is written, there is nothing to lay over
  const overlaid = () =>
    overlay ??= import("../in_memory/overlay.ts").then(({ Overlay }) => new Overlay(inner, events));
  return {
    async unary(method, request, call) {
      if (overlay === undefined && method.writes === undefined) {
        return await inner.unary(method, request, call);
      }
      return await (await overlaid()).unary(method, request, call);
    },
    async *stream(method, requests, call) {
      if (overlay === undefined && method.writes === undefined) {
        return yield* inner.stream(method, requests, call);
      }
      yield* (await overlaid()).stream(method, requests, call);
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}
