import { assertEquals, assertNotEquals } from "@std/assert";
import { formatPlatform, hostPlatform, parsePlatform, type Platform } from "../../../lib/oci/platform.ts";
import { byPreference, matchesPlatform } from "../../../lib/oci/platform_match.ts";
import { buildIndex } from "../../real/image_builder.ts";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

/** Everything of a registry's largest indexes, and what else could stand there. */
const all = [
  "linux/386",
  "linux/amd64",
  "linux/amd64/v2",
  "linux/amd64/v3",
  "linux/arm/v5",
  "linux/arm/v6",
  "linux/arm/v7",
  "linux/arm/v8",
  "linux/arm64",
  "linux/arm64/v8.2",
  "linux/arm64/v8.7",
  "linux/arm64/v9",
  "linux/arm64/v9.1",
  "linux/riscv64",
  "freebsd/amd64",
  "windows/amd64",
  "unknown/unknown",
].map((text) => parsePlatform(text));

const runnable: [string, string[]][] = [
  ["linux/amd64", ["linux/amd64", "linux/386"]],
  ["linux/amd64/v3", ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386"]],
  ["linux/386", ["linux/386"]],
  ["linux/arm", ["linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]],
  ["linux/arm/v6", ["linux/arm/v6", "linux/arm/v5"]],
  ["linux/arm/v5", ["linux/arm/v5"]],
  ["linux/arm64", ["linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]],
  [
    "linux/arm64/v8.3",
    ["linux/arm64/v8.2", "linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"],
  ],
  [
    "linux/arm64/v9.2",
    [
      "linux/arm64/v9.1",
      "linux/arm64/v9",
      "linux/arm64/v8.7",
      "linux/arm64/v8.2",
      "linux/arm64",
      "linux/arm/v8",
      "linux/arm/v7",
      "linux/arm/v6",
      "linux/arm/v5",
    ],
  ],
  ["linux/riscv64", ["linux/riscv64"]],
  ["windows/amd64", ["windows/amd64"]],
  ["linux/s390x", []],
];

Deno.test("matchesPlatform() and byPreference() find what runs, the best first", () => {
  for (const [wanted, expected] of runnable) {
    const platform = parsePlatform(wanted);
    for (const candidates of [all, all.toReversed()]) {
      const found = candidates.filter((candidate) => matchesPlatform(platform, candidate));
      assertEquals(found.toSorted(byPreference(platform)).map(formatPlatform), expected, wanted);
      assertEquals(
        candidates.toSorted(byPreference(platform)).slice(0, found.length).map(formatPlatform),
        expected,
      );
    }
  }
});

Deno.test("matchesPlatform() knows a platform however it is spelt", () => {
  const amd64 = { os: "Linux", architecture: "x86_64" };
  assertEquals(matchesPlatform(amd64, { os: "linux", architecture: "amd64", variant: "v1" }), true);
  assertEquals(
    matchesPlatform(parsePlatform("linux/arm64"), { os: "linux", architecture: "aarch64", variant: "v8" }),
    true,
  );
  assertEquals(matchesPlatform(parsePlatform("linux/arm64"), { os: "", architecture: "" }), false);
});

Deno.test("matchesPlatform() takes variants that are no levels for themselves, whatever they look like", () => {
  for (const variant of ["v99999999999", "v-1", "v1e9", "v0", "x"]) {
    for (const architecture of ["amd64", "arm", "arm64", "riscv64"]) {
      const odd = { os: "linux", architecture, variant };
      assertEquals(matchesPlatform(odd, odd), true, formatPlatform(odd));
      assertEquals(
        matchesPlatform(odd, { os: "linux", architecture, variant: "v4" }),
        false,
        formatPlatform(odd),
      );
    }
  }
});

Deno.test("matchesPlatform() asks for the features that an image needs", () => {
  const wanted = parsePlatform("linux(+a+b)/amd64");
  const candidates = [
    "linux/amd64",
    "linux(+a)/amd64",
    "linux(+a+b)/amd64",
    "linux(+c)/amd64",
    "linux(+a+c)/amd64",
  ]
    .map((text) => parsePlatform(text));
  assertEquals(candidates.map((candidate) => matchesPlatform(wanted, candidate)), [
    true,
    true,
    true,
    false,
    false,
  ]);
  assertEquals(candidates.toSorted(byPreference(wanted)).map(formatPlatform).slice(0, 3), [
    "linux(+a+b)/amd64",
    "linux(+a)/amd64",
    "linux/amd64",
  ]);
  assertEquals(matchesPlatform(parsePlatform("linux/amd64"), candidates[1]!), false);
  assertEquals(
    matchesPlatform(parsePlatform("windows/amd64"), parsePlatform("windows(+win32k)/amd64")),
    true,
  );
});

Deno.test("matchesPlatform() goes by the build of Windows where both state one", () => {
  const wanted = parsePlatform("windows(10.0.20348.100)/amd64");
  const cases: [string, boolean][] = [
    ["windows(10.0.20348.2402)/amd64", true],
    ["windows/amd64", true],
    ["windows(10.0.17763.1)/amd64", false],
    ["windows(10.0.2034)/amd64", false],
  ];
  for (const [text, matches] of cases) {
    assertEquals(matchesPlatform(wanted, parsePlatform(text)), matches, text);
  }
  assertEquals(matchesPlatform(parsePlatform("windows/amd64"), wanted), true);
  assertEquals(matchesPlatform(parsePlatform("linux(5.1)/amd64"), parsePlatform("linux(6.0)/amd64")), true);
});

realTest("matchesPlatform() agrees with what ctr imports on this machine", async (_t, containerd) => {
  const odd: Platform[] = [
    { os: "Linux", architecture: "x86_64", variant: "V1" },
    { os: "linux", architecture: "aarch64", variant: "v8" },
    { os: "linux", architecture: "i386", variant: "x" },
    { os: "linux", architecture: "amd64", variant: "1" },
    { os: "linux", architecture: "amd64", osVersion: "5.1" },
    { os: "linux", architecture: "" },
  ];
  const platforms = [...all, ...odd];
  const images = await Promise.all(platforms.map(async (platform, seed) => {
    const image = await randomImage({ seed, layers: 1, layerBytes: 16 });
    return { ...image, target: { ...image.target, platform: toJson(platform) } };
  }));
  const index = await buildIndex("example.com/platforms:latest", images);
  const namespace = uniqueNamespace("platforms");
  await importWithCtr(containerd, namespace, ociArchive([index]), { allPlatforms: false });

  const { stdout } = await containerd.ctr(["content", "ls"], { namespace });
  const row = stdout.split("\n").find((line) => line.startsWith(index.target.digest));
  const imported = [...row!.matchAll(/gc\.ref\.content\.m\.\d+=(sha256:\w+)/g)].map(([, digest]) => digest!);
  const host = hostPlatform(Deno.build);
  const expected = images.filter((_, i) => matchesPlatform(host, platforms[i]!)).map(({ target }) =>
    target.digest
  );
  assertEquals(imported.toSorted(), expected.toSorted());
  assertNotEquals(expected.length, 0);
});

function toJson({ osVersion, ...platform }: Platform) {
  return { ...platform, ...(osVersion && { "os.version": osVersion }) };
}
