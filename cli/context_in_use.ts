import type { ContextConfig, Origins } from "./config.ts";

/** Why a context does not say all that it says: warnings for who looks at contexts. */
export function overridden(
  { context, address, namespace }: Origins,
  contexts: Readonly<Record<string, ContextConfig>>,
): string[] {
  if (context === undefined) return [];
  const said = contexts[context.value]!;
  return ([["address", address], ["namespace", namespace]] as const)
    .filter(([key, origin]) => said[key] !== undefined && origin?.by !== context.by)
    .map(([key, origin]) =>
      `${origin!.by} counts, not the ${key} of context ${JSON.stringify(context.value)}`
    );
}
