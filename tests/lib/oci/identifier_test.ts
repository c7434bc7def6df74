import { assertThrows } from "@std/assert";
import { checkIdentifier } from "../../../lib/oci/identifier.ts";

Deno.test("checkIdentifier() takes what containerd takes", () => {
  for (const id of ["a", "A1", "web-1", "a.b_c-d", "x".repeat(76)]) checkIdentifier(id, "a container id");
});

Deno.test("checkIdentifier() refuses the rest", () => {
  for (const id of ["", "-a", "a-", "a..b", "a/b", "..", "ä", "a b", "a\n", "x".repeat(77)]) {
    assertThrows(() => checkIdentifier(id, "a container id"), SyntaxError, "as a container id: ");
  }
});
