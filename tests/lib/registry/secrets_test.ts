import { assertEquals } from "@std/assert";
import { Secrets } from "../../../lib/registry/secrets.ts";

Deno.test("Secrets.redact takes out what is known, wherever it stands", () => {
  const secrets = new Secrets();
  secrets.add("p+ss w$rd");
  assertEquals(secrets.redact("p+ss w$rd, p%2Bss%20w%24rd"), "…, …");
});

Deno.test("Secrets.redact takes out what looks like a secret", () => {
  const { redact } = new Secrets();
  assertEquals(
    redact("at https://me:pw@example.com/x?X-Amz-Signature=abc&b=c (lost)"),
    "at https://example.com/x?… (lost)",
  );
  assertEquals(redact("Authorization: Bearer abc.def-_== sent"), "Authorization: Bearer … sent");
});

Deno.test("Secrets.redact leaves a text alone that has none", () => {
  const secrets = new Secrets();
  secrets.add("");
  secrets.add("a");
  const text = 'registry "127.0.0.1:5000": connection refused, see https://example.com/a';
  assertEquals(secrets.redact(text), text);
});
