import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  assertImageName,
  formatFamiliar,
  formatReference,
  parseReference,
  type Reference,
} from "../../../lib/oci/reference.ts";
import { dockerArchive, importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const hex = "0123456789abcdef".repeat(4);
const digest = `sha256:${hex}`;

/** What people write, what it means, how docker shows it. */
const wellFormed: [string, string, string][] = [
  ["busybox", "docker.io/library/busybox:latest", "busybox:latest"],
  ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
  [`busybox@${digest}`, `docker.io/library/busybox@${digest}`, `busybox@${digest}`],
  ["some/app", "docker.io/some/app:latest", "some/app:latest"],
  ["a/b/c:d", "docker.io/a/b/c:d", "a/b/c:d"],
  ["library/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
  ["library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"],
  ["docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
  ["index.docker.io/busybox:1", "docker.io/library/busybox:1", "busybox:1"],
  ["index.docker.io/a/b:1", "docker.io/a/b:1", "a/b:1"],
  ["example.com/app", "example.com/app:latest", "example.com/app:latest"],
  ["example.com:5000/app", "example.com:5000/app:latest", "example.com:5000/app:latest"],
  ["example:5000/app:v1", "example:5000/app:v1", "example:5000/app:v1"],
  ["localhost/app", "localhost/app:latest", "localhost/app:latest"],
  ["localhost:5000/a/b", "localhost:5000/a/b:latest", "localhost:5000/a/b:latest"],
  ["localhost", "docker.io/library/localhost:latest", "localhost:latest"],
  ["example.com", "docker.io/library/example.com:latest", "example.com:latest"],
  ["example:5000", "docker.io/library/example:5000", "example:5000"],
  ["EXAMPLE/app", "EXAMPLE/app:latest", "EXAMPLE/app:latest"],
  ["127.0.0.1:5000/app", "127.0.0.1:5000/app:latest", "127.0.0.1:5000/app:latest"],
  ["[::1]:5000/app:1", "[::1]:5000/app:1", "[::1]:5000/app:1"],
  ["[2001:db8::1]/app", "[2001:db8::1]/app:latest", "[2001:db8::1]/app:latest"],
  [
    "a-b.example.com/x__y/z-w.v--u/t_s",
    "a-b.example.com/x__y/z-w.v--u/t_s:latest",
    "a-b.example.com/x__y/z-w.v--u/t_s:latest",
  ],
  ["x:_Tag-1.2_", "docker.io/library/x:_Tag-1.2_", "x:_Tag-1.2_"],
  [`x:${"t".repeat(128)}`, `docker.io/library/x:${"t".repeat(128)}`, `x:${"t".repeat(128)}`],
  [`${hex}:tag`, `docker.io/library/${hex}:tag`, `${hex}:tag`],
  [
    `example.com/${"p".repeat(255)}`,
    `example.com/${"p".repeat(255)}:latest`,
    `example.com/${"p".repeat(255)}:latest`,
  ],
];

const malformed = [
  "",
  " ",
  ":",
  "@",
  "/",
  "//",
  ":tag",
  `@${digest}`,
  "/app",
  "app/",
  "a//b",
  "example.com/",
  "example.com//app",
  "Busybox",
  "busyBox:1",
  "example.com/App",
  "example.com/a/B:1",
  "../etc/passwd",
  "..",
  ".",
  "a/../b",
  "a/./b",
  "example.com/..",
  "./a",
  "~/a",
  "\\a",
  "a\\b",
  "-a",
  "a-",
  "_a",
  "a_",
  ".a",
  "a.",
  "a..b",
  "a___b",
  "a._b",
  "a-/b",
  "a/-b",
  "a b",
  "a\tb",
  "a\nb",
  "busybox\n",
  "\nbusybox",
  "busybox:1\n",
  "busybox\x1b[2J",
  "example.com/\x1b]0;x\x07",
  "größe",
  "日本",
  "a\u202eb",
  "a\u200bb",
  "\u{1f6a2}",
  "example.com/ａ",
  "ex\u00e4mple.com/app",
  "İ/app",
  "busybox:",
  "busybox:-a",
  "busybox:.a",
  "busybox:a b",
  "busybox:a/b",
  "busybox:a:b",
  "busybox:tág",
  `busybox:${"t".repeat(129)}`,
  "busybox@",
  "busybox@sha256",
  "busybox@sha256:",
  `busybox@${digest.slice(0, -1)}`,
  `busybox@${digest}0`,
  `busybox@${digest.toUpperCase()}`,
  `busybox@${digest}@${digest}`,
  `busybox@sha512:${hex}`,
  `busybox@sha256:../${hex}`,
  `busybox@md5:${hex.slice(0, 32)}`,
  `busybox@${digest}:tag`,
  "http://example.com/app",
  "https://example.com/app:1",
  "docker://busybox",
  "user@example.com/app",
  "$(id)",
  "a;b",
  "a*",
  "example.com:port/app",
  "example.com:/app",
  ":5000/app",
  "[::1/app",
  "::1/app",
  "[::1%eth0]/app",
  "-.com/app",
  "a-.com/b",
  "exa_mple.com/app",
  "example..com/app",
  ".example.com/app",
  "example.com./app",
  `example.com/${"p".repeat(256)}`,
  "p".repeat(248),
];

Deno.test("parseReference() completes short names as docker does", () => {
  for (const [text, full] of wellFormed) assertEquals(formatReference(parseReference(text)), full);
});

Deno.test("parseReference() splits all parts", () => {
  assertEquals(parseReference(`example.com:5000/a/b:v1@${digest}`), {
    domain: "example.com:5000",
    path: "a/b",
    tag: "v1",
    digest,
  });
  assertEquals(parseReference(`busybox@${digest}`), { domain: "docker.io", path: "library/busybox", digest });
});

Deno.test("parseReference() without defaults changes nothing", () => {
  for (const [, full] of wellFormed) {
    assertEquals(formatReference(parseReference(full, { defaults: false })), full);
  }
  for (
    const text of [
      "docker.io/busybox",
      "index.docker.io/a:1",
      "localhost/a",
      `e.com/a@${digest}`,
      `e.com/a:b@${digest}`,
    ]
  ) {
    assertEquals(formatReference(parseReference(text, { defaults: false })), text);
  }
  for (const text of ["busybox", "busybox:1", "some/app"]) {
    assertThrows(() => parseReference(text, { defaults: false }), SyntaxError, "the registry is missing");
  }
});

Deno.test("parseReference() refuses what is no reference", () => {
  for (const text of malformed) {
    assertThrows(
      () => parseReference(text),
      SyntaxError,
      "Cannot parse image reference ",
      JSON.stringify(text),
    );
  }
  for (const text of [digest, hex, `sha512:${hex}${hex}`]) {
    assertThrows(() => parseReference(text), SyntaxError, "a digest without a name");
  }
});

Deno.test("parseReference() says what is wrong, with hostile text made visible", () => {
  const cases: [string, string][] = [
    ["", '"": empty'],
    ["Busybox", '"Busybox": the repository must be in lower case'],
    ["a\x1b[0m\n", '"a\\u001b[0m\\n": "a\\u001b[0m\\n" is not the name of a repository'],
    ["a:\u202eb", '"a:\\u202eb": "\\u202eb" is not a tag'],
    ["a@sha256:0", '"a@sha256:0": "sha256:0" is not a digest'],
    ["a_b.c/d", '"a_b.c/d": "a_b.c" is not the host of a registry'],
    [`e.com/${"p".repeat(256)}`, `"e.com/${"p".repeat(122)}…": the repository has more than 255 characters`],
  ];
  for (const [text, message] of cases) {
    const error = assertThrows(() => parseReference(text), SyntaxError);
    assertEquals(error.message, `Cannot parse image reference ${message}`);
  }
});

Deno.test("parseReference() takes linear time", () => {
  const started = performance.now();
  const parts = ["a", "a-", "-", "a.", "a_", "a/", "a:", "@", "[:", "a.b/", "A"];
  for (const part of parts) {
    const long = part.repeat(1e6 / part.length);
    for (const text of [`${long}!`, `x.y/${long}!`, `x:${long}!`, `x@${long}!`, `x@sha256:${long}!`]) {
      assertThrows(() => parseReference(text), SyntaxError);
    }
  }
  assert(performance.now() - started < 20_000);
});

Deno.test("formatFamiliar() shows names as docker does", () => {
  for (const [text, , familiar] of wellFormed) assertEquals(formatFamiliar(parseReference(text)), familiar);
});

Deno.test("formatFamiliar() keeps what a short name would not mean", () => {
  const kept: [Reference, string][] = [
    [{ domain: "docker.io", path: "busybox", tag: "1" }, "docker.io/busybox:1"],
    [{ domain: "docker.io", path: "localhost/a", tag: "1" }, "docker.io/localhost/a:1"],
    [{ domain: "docker.io", path: "a.b/c", tag: "1" }, "docker.io/a.b/c:1"],
  ];
  for (const [reference, text] of kept) assertEquals(formatFamiliar(reference), text);
});

Deno.test("parseReference() reads back what was formatted, familiar or full", () => {
  const random = numbers(42);
  const pick = <T>(values: readonly T[]) => values[random() % values.length]!;
  const some = (make: () => string, separator: string) =>
    Array.from({ length: 1 + random() % 3 }, make).join(separator);
  const component = () => some(() => pick(["a", "0", "bc", "x9"]), pick([".", "_", "__", "-", "---"]));
  for (let i = 0; i < 2000; i++) {
    const domain = pick(["docker.io", "example.com", "localhost", "A", "a:1", "[::1]:5000", "1.2.3.4"]);
    const path = domain === "docker.io"
      ? `${pick(["library", "a", component()])}/${component()}`
      : some(component, "/");
    const tag = pick([undefined, "latest", "v1.2-3", "_"]);
    const reference: Reference = { domain, path, ...(tag ? { tag, ...(i % 2 && { digest }) } : { digest }) };
    assertEquals(parseReference(formatReference(reference)), reference);
    assertEquals(parseReference(formatReference(reference), { defaults: false }), reference);
    assertEquals(parseReference(formatFamiliar(reference)), reference);
  }
});

Deno.test("assertImageName() takes references and the digests that Kubernetes uses as names", () => {
  for (const [text, full, familiar] of wellFormed) [text, full, familiar].forEach(assertImageName);
  assertImageName(digest);
  for (const name of malformed) assertThrows(() => assertImageName(name), SyntaxError);
});

realTest("parseReference() completes short names as ctr import does", async (_t, containerd) => {
  const namespace = uniqueNamespace("names");
  const names = wellFormed.filter(([text]) => !text.startsWith("docker.io/"));
  const images = await Promise.all(names.map(([name]) => randomImage({ name, layers: 1, layerBytes: 16 })));
  await importWithCtr(containerd, namespace, dockerArchive(images));
  const { stdout } = await containerd.ctr(["images", "ls", "--quiet"], { namespace });
  const expected = new Set(names.map(([text]) => formatReference(parseReference(text))));
  assertEquals(stdout.trim().split("\n"), [...expected].toSorted());
  // 1.6 knows no capitals in a host and counts the host to the 255 characters.
}, { series: ["1.7", "2"] });

realTest("assertImageName() agrees with ctr tag", async (_t, containerd) => {
  const namespace = uniqueNamespace("verdicts");
  await importWithCtr(
    containerd,
    namespace,
    ociArchive([await randomImage({ name: "e.com/a:1", layers: 1, layerBytes: 16 })]),
  );
  const accepted = [...wellFormed.map(([text]) => text), digest];
  await containerd.ctr(["images", "tag", "--local", "--", "e.com/a:1", ...accepted], { namespace });
  // Docker's grammar lets this pass as a path without a registry, from where nobody could pull it.
  const refused = malformed.filter((name) => name !== "exa_mple.com/app");
  for (const name of refused) {
    const { stderr } = await containerd.ctr(["images", "tag", "--local", "--", "e.com/a:1", name], {
      namespace,
      check: false,
    });
    assert(stderr.includes("parsing reference"), JSON.stringify(name));
  }
}, { series: ["2"] });

/** Numbers that look random and are the same in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 8;
}
