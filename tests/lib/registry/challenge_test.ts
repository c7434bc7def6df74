import { assertEquals } from "@std/assert";
import { parseChallenges } from "../../../lib/registry/challenge.ts";

function parsed(header: string): [string, Record<string, string>][] {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

Deno.test("parseChallenges reads what registries send", () => {
  assertEquals(parsed('Bearer realm="https://a.b/token",service="a b",scope="repository:x:pull,push"'), [
    ["bearer", { realm: "https://a.b/token", service: "a b", scope: "repository:x:pull,push" }],
  ]);
  assertEquals(parsed('BASIC realm="x"'), [["basic", { realm: "x" }]]);
});

Deno.test("parseChallenges tells several apart", () => {
  assertEquals(parsed('Negotiate, Basic realm="a, b = \\"c\\"", Bearer Realm = x , service=y'), [
    ["negotiate", {}],
    ["basic", { realm: 'a, b = "c"' }],
    ["bearer", { realm: "x", service: "y" }],
  ]);
});

Deno.test("parseChallenges ends where there is no sense, and ends", () => {
  for (
    const header of [
      "",
      ",",
      "=",
      '"',
      'Basic realm="',
      "ä",
      "a=b",
      "Bearer realm",
      ",,,Basic,,",
      "x".repeat(50_000),
    ]
  ) {
    parseChallenges(header);
  }
  assertEquals(parsed('Basic realm="x" "rest'), [["basic", { realm: "x" }]]);
});
