import type { DocumentSource } from "./document.ts";
import { JsonObject } from "./json.ts";
import { quoted } from "./quoted.ts";

/**
 * What an image says of the process to start in a container; parts that are missing are empty.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties}
 */
export interface ProcessConfig {
  /** `USER` or `USER:GROUP`, by name or number. */
  user: string;
  /** `KEY=VALUE` each. */
  env: string[];
  entrypoint: string[];
  /** What follows the entrypoint when nobody says otherwise. */
  command: string[];
  workingDir: string;
  /** By name or number. */
  stopSignal: string;
}

/**
 * Parses what an image's configuration says of its process.
 *
 * @throws {SyntaxError} when it is malformed, ambiguous or too large.
 */
export function parseProcessConfig(
  bytes: Uint8Array,
  { digest }: Pick<DocumentSource, "digest"> = {},
): ProcessConfig {
  const json = JsonObject.parse(
    bytes,
    digest === undefined ? "image config" : `image config ${quoted(digest)}`,
  ).object("config");
  return {
    user: json?.string("User") ?? "",
    env: json?.strings("Env") ?? [],
    entrypoint: json?.strings("Entrypoint") ?? [],
    command: json?.strings("Cmd") ?? [],
    workingDir: json?.string("WorkingDir") ?? "",
    stopSignal: json?.string("StopSignal") ?? "",
  };
}
