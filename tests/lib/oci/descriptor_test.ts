import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { digestOf, isAttestation, isDigest, parseDigest, verifyDigest } from "../../../lib/oci/descriptor.ts";

const hex = (length: number) => "0123456789abcdef".repeat(length / 16);
const abc = new TextEncoder().encode("abc");
const sha256OfAbc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const sha512OfAbc = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

Deno.test("parseDigest() splits digests of every algorithm the grammar allows", () => {
  const cases: [string, string, string][] = [
    [`sha256:${hex(64)}`, "sha256", hex(64)],
    [`sha384:${hex(96)}`, "sha384", hex(96)],
    [`sha512:${hex(128)}`, "sha512", hex(128)],
    [
      "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
      "multihash+base58",
      "QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
    ],
    [
      "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564=",
      "sha256+b64u",
      "LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564=",
    ],
    ["a.b-c_d:x", "a.b-c_d", "x"],
  ];
  for (const [text, algorithm, encoded] of cases) {
    assertEquals(parseDigest(text), { algorithm, encoded });
  }
});

Deno.test("parseDigest() refuses what could be another file, another text or another digest", () => {
  const hostile = [
    "",
    ":",
    "sha256",
    "sha256:",
    `:${hex(64)}`,
    `sha256:${hex(64).slice(1)}`,
    `sha256:${hex(64)}0`,
    `sha256:${hex(64).toUpperCase()}`,
    `sha512:${hex(64)}`,
    `SHA256:${hex(64)}`,
    ` sha256:${hex(64)}`,
    `sha256:${hex(64)}\n`,
    `sha256:${hex(64)}\0`,
    `sha256::${hex(64)}`,
    `sha256:${hex(64).slice(1)}g`,
    `sha256:${hex(64).slice(1)}０`,
    "sha256:zz",
    "../sha256:x",
    "x:../../etc/passwd",
    "x:a/b",
    "x:.",
    "+a:x",
    "a+:x",
    "a++b:x",
    "a..b:x",
    "a:\x1b[2J",
    "é:x",
    `sha256:${hex(64)}@sha256:${hex(64)}`,
  ];
  for (const text of hostile) {
    assertThrows(() => parseDigest(text), SyntaxError, "Cannot parse digest", JSON.stringify(text));
    assertEquals(isDigest(text), false, JSON.stringify(text));
  }
});

Deno.test("parseDigest() takes linear time", () => {
  const started = performance.now();
  for (const text of [`${"a".repeat(1e6)}!`, `${"a.".repeat(5e5)}:x`, `a:${"x".repeat(1e6)}/`]) {
    assertThrows(() => parseDigest(text), SyntaxError);
  }
  assertEquals(performance.now() - started < 10_000, true);
});

Deno.test("digestOf() is the sha256 of the bytes", async () => {
  assertEquals(await digestOf(abc), sha256OfAbc);
  assertEquals(
    await digestOf(new Uint8Array()),
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

Deno.test("digestOf() reads the view, not the buffer behind it", async () => {
  const buffer = new TextEncoder().encode("xabcx");
  assertEquals(await digestOf(buffer.subarray(1, 4)), sha256OfAbc);
});

Deno.test("verifyDigest() tells the right content from any other", async () => {
  assertEquals(await verifyDigest(abc, sha256OfAbc), true);
  assertEquals(await verifyDigest(abc, sha512OfAbc), true);
  assertEquals(await verifyDigest(abc.subarray(1), sha256OfAbc), false);
  assertEquals(await verifyDigest(abc.subarray(1), sha512OfAbc), false);
});

Deno.test("verifyDigest() throws for digests that it cannot check", async () => {
  await assertRejects(() => verifyDigest(abc, "sha256:zz"), SyntaxError, "64 lower-case hexadecimal digits");
  await assertRejects(() => verifyDigest(abc, "md9:00"), SyntaxError, 'algorithm "md9" is not supported');
});

Deno.test("isAttestation() knows statements by their annotation or their unknown platform", () => {
  const descriptor = { mediaType: "x", digest: sha256OfAbc, size: 3 };
  assertEquals(isAttestation(descriptor), false);
  assertEquals(isAttestation({ ...descriptor, platform: { os: "linux", architecture: "amd64" } }), false);
  assertEquals(isAttestation({ ...descriptor, platform: { os: "unknown", architecture: "unknown" } }), true);
  const annotations = { "vnd.docker.reference.type": "attestation-manifest" };
  assertEquals(isAttestation({ ...descriptor, annotations }), true);
});
