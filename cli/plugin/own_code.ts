import { fromFileUrl } from "@std/path";

/**
 * What workers may read beside their plugin: the folder of the bundle, of which davit's own code loads parts when it needs
 * them. From source, Deno has loaded all of them before.
 */
export function ownCode(): string[] {
  const davit = import.meta.resolve("davit");
  return davit.endsWith(".js") ? [fromFileUrl(new URL(".", davit))] : [];
}

/** What the reader of YAML, which davit brings along, wants to know of the environment; nothing is secret in it. */
export const ownVariables: readonly string[] = ["LOG_STREAM", "LOG_TOKENS"];
