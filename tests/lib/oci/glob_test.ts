import { assert, assertEquals } from "@std/assert";
import { compileGlob, isGlob } from "../../../lib/oci/glob.ts";

const cases: [string, string[], string[]][] = [
  ["docker.io/library/busybox:1.36", ["docker.io/library/busybox:1.36"], [
    "docker.io/library/busybox:1x36",
    "docker.io/library/busybox:1.36 ",
    "docker.io/library/busybox:1.36/",
    "docker.io//library/busybox:1.36",
    "DOCKER.io/library/busybox:1.36",
    "x.docker.io/library/busybox:1.36",
  ]],
  ["docker.io/library/busybox:*", ["docker.io/library/busybox:1.36", "docker.io/library/busybox:"], [
    "docker.io/library/busybox",
    "docker.io/library/busybox2:1",
    "docker.io/library/busybox:a/b",
  ]],
  ["docker.io/library/busybox@sha256:*", ["docker.io/library/busybox@sha256:00"], [
    "docker.io/library/busybox:1",
  ]],
  ["example.com/app/*", ["example.com/app/a:1", "example.com/app/b@sha256:00"], [
    "example.com/app:1",
    "example.com/app/a/b:1",
    "example.com/app2/a:1",
    "www.example.com/app/a:1",
  ]],
  ["example.com/*/*:v?", ["example.com/a/b:v1"], [
    "example.com/a:v1",
    "example.com/a/b:v12",
    "example.com/a/b/c:v1",
  ]],
  ["example.com/**", ["example.com/a", "example.com/a/b/c:1", "example.com/"], [
    "example.com",
    "example.co/m/a",
  ]],
  ["**:latest", ["busybox:latest", "example.com:5000/a/b:latest"], ["busybox:latest2", "latest"]],
  ["**/app:*", ["example.com/app:1", "example.com/a/b/app:1", "/app:1"], ["app:1", "example.com/myapp:1"]],
  ["example.com/a**z:1", ["example.com/az:1", "example.com/a/b/z:1"], ["example.com/a:1"]],
  ["**a*b", ["ab", "aab", "a/ab", "x/y/axxb"], ["a/b", "abc", "b"]],
  ["*", ["a", "", "a:1@b"], ["a/b"]],
  ["**", ["a", "", "a/b/c", "\n\u2028"], []],
  ["***", ["a/b"], []],
  ["a?c", ["abc", "a.c", "a\nc", "aéc", "a🚢c"], ["ac", "abbc", "a/c"]],
  ["app:v[0-9].[135]", ["app:v0.1", "app:v9.5"], ["app:v1.2", "app:va.1", "app:v10.1"]],
  ["app:[!0-9]*", ["app:latest", "app:v1"], ["app:1", "app:", "app:/"]],
  ["app:[^v]", ["app:1"], ["app:v", "app:^/"]],
  ["a[*]b", ["a*b"], ["axb"]],
  ["a[-z]b", ["a-b", "azb"], ["ayb"]],
  ["a[🚢-🚣]b", ["a🚢b"], ["ab", "aab"]],
  ["[::1]:5000/app:1", ["[::1]:5000/app:1", "1:5000/app:1"], ["[::1]:5000/app:2"]],
  ["[[]::1]:5000/*", ["[::1]:5000/app:1"], ["::1:5000/app:1"]],
  ["a[", ["a["], ["a"]],
  ["a[]b", ["a[]b"], ["ab"]],
  ["a.b+c(d)|e$^\\", ["a.b+c(d)|e$^\\"], ["aXb+c(d)|e$^\\", "a.bbc"]],
  ["{a,b}", ["{a,b}"], ["a", "b"]],
  ["", [""], ["a", "\n"]],
  ["a\nb*", ["a\nb", "a\nbc"], ["a", "ab"]],
];

Deno.test("compileGlob() matches whole names", () => {
  for (const [pattern, matching, others] of cases) {
    const matches = compileGlob(pattern);
    assertEquals(matching.filter((name) => !matches(name)), [], pattern);
    assertEquals(others.filter(matches), [], pattern);
  }
});

Deno.test("compileGlob() is not misled by line ends and other control characters in names", () => {
  const matches = compileGlob("example.com/app:*");
  assertEquals(matches("example.com/app:1\n"), true);
  assertEquals(matches("example.com/app:\n\0\x1b[2J"), true);
  assertEquals(matches("evil\nexample.com/app:1"), false);
  assertEquals(compileGlob("example.com/app:1")("example.com/app:1\n"), false);
  assertEquals(compileGlob("example.com/app:?")("example.com/app:1\n"), false);
});

Deno.test("compileGlob() takes time in proportion to pattern and name", () => {
  const started = performance.now();
  const name = "a".repeat(32_768);
  for (
    const pattern of [
      "*a*a*a*a*b",
      "**a**a**a**b",
      "*a**a*a**a?b",
      "?*".repeat(20) + "b",
      "[a-z]*".repeat(20) + "b",
    ]
  ) {
    assertEquals(compileGlob(pattern)(name), false);
  }
  assert(performance.now() - started < 20_000);
});

Deno.test("compileGlob() agrees with a plain definition of matching", () => {
  const alphabet = ["a", "b", "/", "*", "**", "?", "[ab]", "[!a]"];
  const names = words(["a", "b", "/"], 4);
  for (const tokens of words(alphabet, 3)) {
    const pattern = tokens.join("");
    const matches = compileGlob(pattern);
    const plain = pattern.match(/\*+|\?|\[!?.+?\]|./g) ?? [];
    for (const name of names) {
      assertEquals(matches(name.join("")), isMatch(plain, name), `${pattern} ${name.join("")}`);
    }
  }
});

Deno.test("isGlob() tells patterns from names", () => {
  for (const pattern of ["*", "a/**", "a?", "a:[0-9]", "[!a]"]) assertEquals(isGlob(pattern), true, pattern);
  for (const name of ["", "busybox", "e.com/a:1@sha256:00", "a[", "a]", "[]", "{a,b}", "a\nb"]) {
    assertEquals(isGlob(name), false, name);
  }
});

/** All lists of up to `length` of the given words. */
function words(alphabet: string[], length: number): string[][] {
  if (length === 0) return [[]];
  const shorter = words(alphabet, length - 1);
  return [
    ...shorter,
    ...shorter.filter((word) => word.length === length - 1).flatMap((word) =>
      alphabet.map((letter) => [...word, letter])
    ),
  ];
}

function isMatch([token, ...tokens]: string[], name: string[]): boolean {
  if (token === undefined) return name.length === 0;
  const [character, ...rest] = name;
  if (token.startsWith("*")) {
    if (isMatch(tokens, name)) return true;
    return character !== undefined && (token !== "*" || character !== "/") &&
      isMatch([token, ...tokens], rest);
  }
  if (character === undefined || !isMatch(tokens, rest)) return false;
  if (token === "?") return character !== "/";
  if (token === "[ab]") return character === "a" || character === "b";
  if (token === "[!a]") return character === "b";
  return token === character;
}
