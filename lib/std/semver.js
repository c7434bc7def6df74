// @ts-self-types="./semver.d.ts"
export { compare } from "npm:deno-std@1.4.0/semver/compare.js";
export { parseRange } from "npm:deno-std@1.4.0/semver/parse_range.js";
export { satisfies } from "npm:deno-std@1.4.0/semver/satisfies.js";
export { tryParse } from "npm:deno-std@1.4.0/semver/try_parse.js";
