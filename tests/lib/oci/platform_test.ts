import { assertEquals, assertThrows } from "@std/assert";
import {
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  parsePlatform,
  type Platform,
} from "../../../lib/oci/platform.ts";

const host: Platform = { os: "linux", architecture: "arm64", variant: "v9" };

Deno.test("parsePlatform() gives the normal form", () => {
  const cases: [string, Platform][] = [
    ["linux/amd64", { os: "linux", architecture: "amd64" }],
    ["Linux/X86_64", { os: "linux", architecture: "amd64" }],
    ["linux/x86-64/v1", { os: "linux", architecture: "amd64" }],
    ["linux/amd64/v3", { os: "linux", architecture: "amd64", variant: "v3" }],
    ["linux/i386", { os: "linux", architecture: "386" }],
    ["linux/aarch64", { os: "linux", architecture: "arm64" }],
    ["linux/arm64/v8", { os: "linux", architecture: "arm64" }],
    ["linux/arm64/8", { os: "linux", architecture: "arm64" }],
    ["linux/arm64/v8.0", { os: "linux", architecture: "arm64" }],
    ["linux/arm64/v8.2", { os: "linux", architecture: "arm64", variant: "v8.2" }],
    ["linux/arm64/9.0", { os: "linux", architecture: "arm64", variant: "v9" }],
    ["linux/arm64/v9.1", { os: "linux", architecture: "arm64", variant: "v9.1" }],
    ["linux/arm", { os: "linux", architecture: "arm", variant: "v7" }],
    ["linux/arm/6", { os: "linux", architecture: "arm", variant: "v6" }],
    ["linux/armhf", { os: "linux", architecture: "arm", variant: "v7" }],
    ["linux/armel", { os: "linux", architecture: "arm", variant: "v6" }],
    ["linux/ppc64le", { os: "linux", architecture: "ppc64le" }],
    ["macOS/arm64", { os: "darwin", architecture: "arm64" }],
    ["some-os/some_cpu/x.y", { os: "some-os", architecture: "some_cpu", variant: "x.y" }],
    ["windows(10.0.20348)/amd64", { os: "windows", architecture: "amd64", osVersion: "10.0.20348" }],
    ["windows(10.0+b+a+a)/amd64", {
      os: "windows",
      architecture: "amd64",
      osVersion: "10.0",
      osFeatures: ["a", "b"],
    }],
    ["linux(+gpu)/amd64", { os: "linux", architecture: "amd64", osFeatures: ["gpu"] }],
    ["linux(a%2Fb%20c)/amd64", { os: "linux", architecture: "amd64", osVersion: "a/b c" }],
    ["linux()/amd64", { os: "linux", architecture: "amd64" }],
  ];
  for (const [text, platform] of cases) assertEquals(parsePlatform(text), platform, text);
});

Deno.test("parsePlatform() completes a single word from the host", () => {
  const cases: [string, Platform][] = [
    ["linux", host],
    ["darwin", { os: "darwin", architecture: "arm64", variant: "v9" }],
    ["windows(10.0.1)", { os: "windows", architecture: "arm64", variant: "v9", osVersion: "10.0.1" }],
    ["amd64", { os: "linux", architecture: "amd64" }],
    ["x86_64", { os: "linux", architecture: "amd64" }],
    ["arm", { os: "linux", architecture: "arm", variant: "v7" }],
    ["s390x", { os: "linux", architecture: "s390x" }],
  ];
  for (const [text, platform] of cases) assertEquals(parsePlatform(text, { host }), platform, text);
  assertThrows(() => parsePlatform("linux"), SyntaxError, "the architecture is missing");
  assertThrows(() => parsePlatform("amd64"), SyntaxError, "the operating system is missing");
});

Deno.test("parsePlatform() refuses what is no platform", () => {
  const malformed = [
    "",
    "/",
    "linux/",
    "/amd64",
    "linux//v7",
    "linux/arm/v7/",
    "linux/arm/v7/x",
    "*",
    "linux/*",
    "linux/arm64,linux/amd64",
    " linux/amd64",
    "linux/amd64\n",
    "linux/amd\x1b[0m64",
    "linux/\0",
    "größe/amd64",
    "linux/amd64/ü",
    "../..",
    "linux\\amd64",
    "windows(10.0/amd64",
    "windows10.0)/amd64",
    "(10.0)/amd64",
    "linux(%zz)/amd64",
    "linux(%ff)/amd64",
    "linux(+)/amd64",
    "plan10",
    "linuxx",
  ];
  for (const text of malformed) {
    assertThrows(
      () => parsePlatform(text, { host }),
      SyntaxError,
      "Cannot parse platform ",
      JSON.stringify(text),
    );
  }
  assertThrows(() => parsePlatform("\x1b"), SyntaxError, '"\\u001b"');
});

Deno.test("formatPlatform() leaves out what is not there", () => {
  const cases: [Platform, string][] = [
    [{ os: "linux", architecture: "amd64" }, "linux/amd64"],
    [{ os: "linux", architecture: "arm64", variant: "v8" }, "linux/arm64/v8"],
    [{ os: "linux", architecture: "" }, "linux"],
    [{ os: "", architecture: "amd64" }, "unknown"],
    [{ os: "unknown", architecture: "unknown" }, "unknown/unknown"],
    [{ os: "windows", architecture: "amd64", osVersion: "10.0.1" }, "windows(10.0.1)/amd64"],
    [{ os: "linux", architecture: "amd64", osFeatures: ["a", "b"] }, "linux(+a+b)/amd64"],
  ];
  for (const [platform, text] of cases) assertEquals(formatPlatform(platform), text);
});

Deno.test("parsePlatform() reads back what was formatted", () => {
  for (const os of ["linux", "windows", "x-y"]) {
    for (const architecture of ["amd64", "arm", "arm64", "386", "x.y"]) {
      for (const variant of ["", "v1", "v5", "v7", "v8", "v8.1", "v9"]) {
        for (const osVersion of ["", "10.0.17763.1", "%+()/"]) {
          for (const osFeatures of [[], ["win32k"], ["%25", "a+b"]]) {
            const platform = normalizePlatform({ os, architecture, variant, osVersion, osFeatures });
            assertEquals(parsePlatform(formatPlatform(platform)), platform);
          }
        }
      }
    }
  }
});

Deno.test("hostPlatform() speaks Go's words", () => {
  assertEquals(hostPlatform({ os: "linux", arch: "x86_64" }), { os: "linux", architecture: "amd64" });
  assertEquals(hostPlatform({ os: "darwin", arch: "aarch64" }), { os: "darwin", architecture: "arm64" });
});
