import { assertEquals, assertThrows } from "@std/assert";
import {
  changedEnvironment,
  checkEnvironment,
  parseEnvironmentFile,
} from "../../../../lib/oci/spec/environment.ts";

Deno.test("changedEnvironment() replaces in place, appends what is new, and takes away what has no value", () => {
  const base = ["PATH=/bin", "HOME=/", "", "A=1"];
  assertEquals(changedEnvironment(base, []), ["PATH=/bin", "HOME=/", "A=1"]);
  assertEquals(changedEnvironment(base, ["HOME=/root", "B=x=y"]), [
    "PATH=/bin",
    "HOME=/root",
    "A=1",
    "B=x=y",
  ]);
  assertEquals(changedEnvironment(base, ["PATH", "NONE"]), ["HOME=/", "A=1"]);
  assertEquals(changedEnvironment(base, ["N=1", "N=2", "A=", "A"]), ["PATH=/bin", "HOME=/", "N=2"]);
  assertEquals(changedEnvironment(["A=1", "A=2"], []), ["A=2"]);
});

Deno.test("parseEnvironmentFile() gives the lines that are not empty and no comments", () => {
  const text = "A=1\r\n\n  \n# no\n  # no\nB= x # y\nUNSET\n";
  assertEquals(parseEnvironmentFile(text, "f"), ["A=1", "B= x # y", "UNSET"]);
  assertEquals(
    assertThrows(() => parseEnvironmentFile("A=1\n=x\n", "f.env"), SyntaxError).message,
    'Cannot read environment file "f.env": line 2 has no key',
  );
  assertThrows(() => parseEnvironmentFile("A=\0", "f"), SyntaxError, "line 1 holds a NUL character");
});

Deno.test("checkEnvironment() refuses what is no change", () => {
  checkEnvironment("A=");
  checkEnvironment("A");
  assertThrows(
    () => checkEnvironment("=x"),
    SyntaxError,
    'Cannot use "=x" for the environment: it has no key',
  );
});
