import { assertEquals, assertRejects } from "@std/assert";
import { parseCopyRules } from "davit";

const defaults = {
  include: [],
  exclude: [],
  platforms: [],
  rename: [],
  mirror: false,
  pin: false,
  unpack: false,
};

Deno.test("parseCopyRules() reads every key, one text or several", async () => {
  const text = `
# nightly
- from: build
  to: [staging, k8s.io]
- from: [a, b]
  to: c
  include: example.com/**
  exclude: ["**:dev", "**:test"]
  versions: ">=1.2"
  newest: 5
  order: semver
  maxAge: 30d
  platforms: linux/arm64
  rename: { docker.io/: mirror.example.com/ }
  mirror: true
  pin: true
  unpack: true
`;
  assertEquals(await parseCopyRules(text, { file: "x.yaml" }), [
    { ...defaults, from: ["build"], to: ["staging", "k8s.io"], line: 3 },
    {
      from: ["a", "b"],
      to: ["c"],
      include: ["example.com/**"],
      exclude: ["**:dev", "**:test"],
      versions: ">=1.2",
      newest: 5,
      order: "semver",
      maxAgeMs: 30 * 86_400_000,
      platforms: ["linux/arm64"],
      rename: ["docker.io/=mirror.example.com/"],
      mirror: true,
      pin: true,
      unpack: true,
      line: 5,
    },
  ]);
});

const wrong: readonly [string, string][] = [
  ["", '1: expected a list of rules, each beginning with "- from:"'],
  ["from: a\nto: b", '1: expected a list of rules, each beginning with "- from:"'],
  [
    "- from: a\n  to: [",
    "2: flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  ["- from: a\n  to: b\n  to: c", "3: map keys must be unique"],
  ["- from: a\n  to: b\n- nonsense", "3: expected a rule with from and to"],
  ["- from: a\n", "1: to is missing"],
  ["- to: a", "1: from is missing"],
  ["- from: a\n  to: b\n  exlude: x", '3: unknown key "exlude"; did you mean exclude?'],
  ["- from: a\n  to: b\n  zzz: x", '3: unknown key "zzz"'],
  ["- from: 5\n  to: b", "1: from: expected a text or a list of them"],
  ["- from: a\n  to:\n  - b\n  - {}", "4: to: expected a text or a list of them"],
  ["- from: a\n  to: b\n  newest: 0", "3: newest: expected a whole number above 0"],
  ["- from: a\n  to: b\n  newest: 2\n  order: size", "4: order: expected one of time, semver, natural"],
  ["- from: a\n  to: b\n  order: time", "1: order without newest says nothing"],
  [
    "- from: a\n  to: b\n  versions: nonsense",
    '3: versions: "nonsense" is no range of versions, such as ">=1.2 <2"',
  ],
  ["- from: a\n  to: b\n  maxAge: 30", "3: maxAge: expected a duration such as 90m, 24h or 30d"],
  ["- from: a\n  to: b\n  mirror: maybe", "3: mirror: expected true or false"],
  ["- from: a\n  to: b\n  rename: x", "3: rename: expected OLD: NEW for each prefix"],
  ["- from: a\n  to: b\n  rename: {x=: y}", '3: rename: a prefix holds no "="'],
  ["- from: a\n  to: [b, b c]", '2: to: "b c" is no name for a namespace'],
  [`- from: ../a\n  to: b`, '1: from: "../a" is no name for a namespace'],
  ["- from: a\n  to: b\n  include: [x, y]\n  exclude: y", '1: "y" is included and excluded'],
  ["- from: [a, b]\n  to: [c, b]", '1: "b" is copied to itself'],
  [
    "- from: a\n  to: b\n- from: b\n  to: c\n- from: c\n  to: a",
    "1: copies go in a circle: a to b to c to a",
  ],
];

for (const [text, message] of wrong) {
  Deno.test(`parseCopyRules() refuses ${JSON.stringify(text)}`, async () => {
    const error = await assertRejects(() => parseCopyRules(text, { file: "x.yaml" }), SyntaxError);
    assertEquals(error.message, `Cannot read rules: x.yaml:${message}`);
  });
}
