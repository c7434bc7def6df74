import { ContainerdError } from "../errors.ts";
import type { Call, Meter, Method, Transport } from "./transport.ts";

/** One finished call, as `--debug` shows it. */
export interface TracedCall extends Meter {
  method: string;
  namespace: string;
  durationMs: number;
  /** `"ok"`, an error code, or `"cancelled"`. */
  status: string;
}

/** Tells `watch` of every call when it ends. */
export function traced(inner: Transport, watch: (call: TracedCall) => void): Transport {
  return {
    async unary(method, request, call) {
      const { metered, finish } = begin(method, call, watch);
      try {
        const response = await inner.unary(method, request, metered);
        finish("ok");
        return response;
      } catch (error) {
        finish(statusOf(error));
        throw error;
      }
    },
    async *stream(method, requests, call) {
      const { metered, finish } = begin(method, call, watch);
      let status = "cancelled"; // unless it ends otherwise, the reader left early
      try {
        yield* inner.stream(method, requests, metered);
        status = "ok";
      } catch (error) {
        status = statusOf(error);
        throw error;
      } finally {
        finish(status);
      }
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

function begin(method: Method, call: Call, watch: (call: TracedCall) => void) {
  const meter = call.meter ?? { sentBytes: 0, receivedBytes: 0 };
  const started = performance.now();
  function finish(status: string): void {
    const durationMs = performance.now() - started;
    watch({ method: method.name, namespace: call.namespace, durationMs, ...meter, status });
  }
  return { metered: { ...call, meter }, finish };
}

function statusOf(error: unknown): string {
  return error instanceof ContainerdError ? error.code : "cancelled";
}
