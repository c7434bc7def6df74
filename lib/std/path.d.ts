/** The part of `@std/path` that davit uses. */
export function basename(path: string | URL, suffix?: string): string;
export function dirname(path: string | URL): string;
export function fromFileUrl(url: string | URL): string;
export function globToRegExp(
  glob: string,
  options?: { extended?: boolean; globstar?: boolean; caseInsensitive?: boolean },
): RegExp;
export function isAbsolute(path: string): boolean;
export function join(path: string | URL, ...paths: string[]): string;
export function relative(from: string, to: string): string;
export function resolve(...paths: string[]): string;
export function toFileUrl(path: string): URL;
