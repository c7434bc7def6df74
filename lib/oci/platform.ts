import type { JsonObject } from "./json.ts";
import { quoted } from "./quoted.ts";

/**
 * What an image runs on, in Go's words: `linux`, `amd64`.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md}
 */
export interface Platform {
  /** `GOOS`: `linux`, `windows`. */
  os: string;
  /** `GOARCH`: `amd64`, `arm64`. */
  architecture: string;
  /** The kind of processor where that matters: `v7` of `arm`. */
  variant?: string;
  /** Of Windows, four numbers: `10.0.20348.2402`. */
  osVersion?: string;
  /** What the system must offer besides. */
  osFeatures?: string[];
}

type Parts = { [K in keyof Platform]: Platform[K] | undefined } & Pick<Platform, "os" | "architecture">;

const systems: ReadonlySet<string> = new Set(
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos"
    .split(" "),
);

const architectures: ReadonlySet<string> = new Set(
  "386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc ppc64 ppc64le riscv riscv64 s390 s390x wasm"
    .split(" "),
);

/**
 * Parses `linux/arm64`, `linux/arm/v7` or `windows(10.0.20348)/amd64` into its normal form. A single word, `linux` or
 * `arm64`, takes the other half from `host`.
 *
 * @throws {SyntaxError} when it is malformed, or a single word that is not known or has no `host` to complete it.
 */
export function parsePlatform(text: string, { host }: { host?: Platform } = {}): Platform {
  const refuse = (reason: string) => new SyntaxError(`Cannot parse platform ${quoted(text)}: ${reason}`);
  const match = /^([\w-]+)(?:\(([\w.%-]*)((?:\+[\w.%-]+)*)\))?(?:\/([\w.-]+)(?:\/([\w.-]+))?)?$/.exec(text);
  if (match === null) throw refuse('not of the form "os/architecture" or "os/architecture/variant"');
  const [, word = "", version = "", features = "", architecture, variant] = match;
  const options: Partial<Platform> = {};
  try {
    options.osVersion = decodeURIComponent(version);
    options.osFeatures = features.split("+").map(decodeURIComponent);
  } catch {
    throw refuse('"%" is not followed by the code of a character');
  }
  if (architecture !== undefined) return normalizePlatform({ os: word, architecture, variant, ...options });

  const isSystem = systems.has(normalSystem(word));
  if (!isSystem && !architectures.has(normalProcessor(word).architecture)) {
    throw refuse("neither a known operating system nor a known architecture");
  }
  if (host === undefined) {
    throw refuse(isSystem ? "the architecture is missing" : "the operating system is missing");
  }
  const { os, architecture: ofHost, variant: variantOfHost } = host;
  return isSystem
    ? normalizePlatform({ os: word, architecture: ofHost, variant: variantOfHost, ...options })
    : normalizePlatform({ os, architecture: word, ...options });
}

/** `os/architecture/variant` as far as they are there, `unknown` without an os; `parsePlatform` reads it back. */
export function formatPlatform(
  { os, architecture, variant, osVersion = "", osFeatures = [] }: Platform,
): string {
  if (os === "") return "unknown";
  const options = [osVersion, ...osFeatures].map(encoded).join("+");
  return [options === "" ? os : `${os}(${options})`, architecture, variant].filter(Boolean).join("/");
}

/** The platform of the machine that davit runs on, from `Deno.build`. */
export function hostPlatform({ os, arch }: { os: string; arch: string }): Platform {
  return normalizePlatform({ os, architecture: arch });
}

/**
 * The platform in containerd's normal form, in which equal platforms look equal: `x86_64` is `amd64`, `arm` alone is
 * `arm/v7`, and `arm64/v8` is `arm64`.
 *
 * @see {@link https://github.com/containerd/platforms/blob/v1.0.0-rc.2/database.go}
 */
export function normalizePlatform({ os, architecture, variant, osVersion, osFeatures }: Parts): Platform {
  return platformOf({
    os: normalSystem(os),
    ...normalProcessor(architecture, variant),
    osVersion,
    osFeatures: osFeatures?.filter((feature, i) => feature !== "" && osFeatures.indexOf(feature) === i)
      .toSorted(),
  });
}

/** @throws {SyntaxError} when the object is not a valid platform. */
export function readPlatform(json: JsonObject): Platform {
  return platformOf({
    os: json.string("os") ?? "",
    architecture: json.string("architecture") ?? "",
    variant: json.string("variant"),
    osVersion: json.string("os.version"),
    osFeatures: json.strings("os.features"),
  });
}

function platformOf({ os, architecture, variant, osVersion, osFeatures = [] }: Parts): Platform {
  return {
    os,
    architecture,
    ...(variant && { variant }),
    ...(osVersion && { osVersion }),
    ...(osFeatures.length > 0 && { osFeatures }),
  };
}

function normalSystem(os: string): string {
  const lower = os.toLowerCase();
  return lower === "macos" ? "darwin" : lower;
}

function normalProcessor(architecture: string, variant = ""): { architecture: string; variant: string } {
  const [name, kind] = [architecture.toLowerCase(), variant.toLowerCase()];
  switch (name) {
    case "i386":
      return { architecture: "386", variant: "" };
    case "x86_64":
    case "x86-64":
    case "amd64":
      return { architecture: "amd64", variant: kind === "v1" ? "" : kind };
    case "aarch64":
    case "arm64":
      return {
        architecture: "arm64",
        variant: kind.replace(/^v?8(?:\.0)?$/, "").replace(/^v?9(?:\.0)?$/, "v9"),
      };
    case "armhf":
      return { architecture: "arm", variant: "v7" };
    case "armel":
      return { architecture: "arm", variant: "v6" };
    case "arm":
      return { architecture: "arm", variant: kind === "" ? "v7" : kind.replace(/^[5-8]$/, "v$&") };
    default:
      return { architecture: name, variant: kind };
  }
}

function encoded(option: string): string {
  return option.replace(/[%+()/]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
