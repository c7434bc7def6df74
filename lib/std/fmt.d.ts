/** The part of `@std/fmt` that davit uses. */

/** A number of bytes in words; `binary` counts in KiB, MiB, … */
export function formatBytes(bytes: number, options?: { binary?: boolean }): string;

/** A number of milliseconds in words: `3d 4h`. */
export function formatDuration(
  milliseconds: number,
  options?: { style?: "narrow" | "digital" | "full"; ignoreZero?: boolean },
): string;
