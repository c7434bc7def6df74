/** The part of `@std/yaml` that davit uses. */
export function stringify(data: unknown, options?: { lineWidth?: number; skipInvalid?: boolean }): string;
