import { assertEquals, assertThrows } from "@std/assert";
import { capabilities, capabilitiesOf, parseCapability } from "../../../../lib/oci/spec/capabilities.ts";

Deno.test("parseCapability() completes names, and refuses those that Linux has not", () => {
  for (const text of ["CAP_NET_ADMIN", "NET_ADMIN", "net_admin", "cap_net_admin"]) {
    assertEquals(parseCapability(text), "CAP_NET_ADMIN");
  }
  for (const text of ["", "CAP_", "ALL", "CAP_CAP_CHOWN", "NET ADMIN"]) {
    assertThrows(() => parseCapability(text), SyntaxError, "Linux has none of that name");
  }
});

Deno.test("capabilitiesOf() reads the bits of a process", () => {
  assertEquals(capabilitiesOf(0n), []);
  assertEquals(capabilitiesOf(0x21n), ["CAP_CHOWN", "CAP_KILL"]);
  assertEquals(capabilitiesOf((1n << 41n) - 1n), [...capabilities]);
});
