import { assertEquals } from "@std/assert";
import { limitsOf } from "../../../../lib/oci/spec/limits.ts";

Deno.test("limitsOf() says only what is to change, and -1 for no limit", () => {
  assertEquals(limitsOf({}), {});
  assertEquals(limitsOf({ memoryLimit: 1024 }), { memory: { limit: 1024 } });
  assertEquals(limitsOf({ cpus: 1.5 }), { cpu: { period: 100_000, quota: 150_000 } });
  assertEquals(limitsOf({ memoryLimit: 0, cpus: 0 }), {
    memory: { limit: -1 },
    cpu: { period: 100_000, quota: -1 },
  });
});
