// @ts-self-types="./fmt.d.ts"
export { format as formatBytes } from "npm:deno-std@1.4.0/fmt/bytes.js";
export { format as formatDuration } from "npm:deno-std@1.4.0/fmt/duration.js";
