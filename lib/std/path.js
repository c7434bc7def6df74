// @ts-self-types="./path.d.ts"
export { basename } from "npm:deno-std@1.4.0/path/basename.js";
export { dirname } from "npm:deno-std@1.4.0/path/dirname.js";
export { fromFileUrl } from "npm:deno-std@1.4.0/path/from_file_url.js";
export { globToRegExp } from "npm:deno-std@1.4.0/path/glob_to_regexp.js";
export { isAbsolute } from "npm:deno-std@1.4.0/path/is_absolute.js";
export { join } from "npm:deno-std@1.4.0/path/join.js";
export { relative } from "npm:deno-std@1.4.0/path/relative.js";
export { resolve } from "npm:deno-std@1.4.0/path/resolve.js";
export { toFileUrl } from "npm:deno-std@1.4.0/path/to_file_url.js";
