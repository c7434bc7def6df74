/** The pauses between attempts: of requests to registries, and of whatever else is done again. */
import type { Clock } from "./transport/clock.ts";

/** How often, and after which pauses, something is tried again that may succeed later. */
export interface RetryPolicy {
  /** Attempts in all. Default 5. */
  attempts?: number | undefined;
  /** The first pause in milliseconds, which doubles with each further one; the real one is random. Default 300. */
  firstWaitMs?: number | undefined;
  /** The longest pause, also of those that a registry asks for. Default 60,000. */
  longestWaitMs?: number | undefined;
}

/** The pause after so many failures, at random, so that those who failed together do not come back together. */
export function pauseMs(
  failures: number,
  { firstWaitMs, longestWaitMs }: { firstWaitMs: number; longestWaitMs: number },
): number {
  return Math.min(longestWaitMs, firstWaitMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}

/** Waits so many milliseconds. */
export async function delay(
  ms: number,
  { clock, signal }: { clock: Clock; signal?: AbortSignal | undefined },
): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal!.reason);
  signal?.addEventListener("abort", stop);
  clock.set(resolve, ms);
  try {
    await promise;
  } finally {
    clock.clear(resolve);
    signal?.removeEventListener("abort", stop);
  }
}
