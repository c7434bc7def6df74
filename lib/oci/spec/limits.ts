import type { RuntimeResources } from "./runtime_spec.ts";

/** How much a container may use. */
export interface Limits {
  /** Bytes; 0 for as much as there is. Default: as it is. */
  memoryLimit?: number | undefined;
  /** How many processors' time: 0.5 is half of one; 0 for all there is. Default: as it is. */
  cpus?: number | undefined;
}

/** In microseconds. */
const period = 100_000;

/**
 * The resources of a runtime specification that say so.
 *
 * ```ts
 * import { limitsOf } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * assertEquals(limitsOf({ cpus: 0.5 }), { cpu: { period: 100_000, quota: 50_000 } });
 * ```
 */
export function limitsOf({ memoryLimit, cpus }: Limits): Pick<RuntimeResources, "memory" | "cpu"> {
  return {
    ...(memoryLimit !== undefined && { memory: { limit: memoryLimit || -1 } }),
    ...(cpus !== undefined && { cpu: { period, quota: Math.round(cpus * period) || -1 } }),
  };
}
