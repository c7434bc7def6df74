import { assertEquals, assertThrows } from "@std/assert";
import { parseSignal } from "../../../lib/oci/signal.ts";

Deno.test("parseSignal() takes names in every spelling, and numbers", () => {
  for (const text of ["TERM", "SIGTERM", "term", "sigTerm", "15"]) assertEquals(parseSignal(text), 15, text);
  assertEquals(["HUP", "KILL", "USR1", "CHLD", "URG", "WINCH", "SYS"].map(parseSignal), [
    1,
    9,
    10,
    17,
    23,
    28,
    31,
  ]);
  assertEquals(["IOT", "CLD", "POLL"].map(parseSignal), [6, 17, 29]);
  assertEquals(["RTMIN", "sigrtmin+3", "RTMAX-1", "SIGRTMAX", "40"].map(parseSignal), [34, 37, 63, 64, 40]);
});

Deno.test("parseSignal() refuses what Linux has not", () => {
  for (const text of ["", "0", "65", "-1", "9.5", "BOGUS", "SIG", "RTMIN+99", " TERM", "0x9"]) {
    const { message } = assertThrows(() => parseSignal(text), SyntaxError);
    assertEquals(
      message,
      `Cannot use signal ${JSON.stringify(text)}: Linux has none of that name or number`,
    );
  }
});
