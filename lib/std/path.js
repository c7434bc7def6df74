// @ts-self-types="./path.d.ts"
// The posix ones: the others ask for the platform, which loads a part of Node.
export { basename } from "npm:deno-std@1.4.0/path/posix/basename.js";
export { dirname } from "npm:deno-std@1.4.0/path/posix/dirname.js";
export { fromFileUrl } from "npm:deno-std@1.4.0/path/posix/from_file_url.js";
export { globToRegExp } from "npm:deno-std@1.4.0/path/posix/glob_to_regexp.js";
export { isAbsolute } from "npm:deno-std@1.4.0/path/posix/is_absolute.js";
export { join } from "npm:deno-std@1.4.0/path/posix/join.js";
export { relative } from "npm:deno-std@1.4.0/path/posix/relative.js";
export { resolve } from "npm:deno-std@1.4.0/path/posix/resolve.js";
export { toFileUrl } from "npm:deno-std@1.4.0/path/posix/to_file_url.js";
