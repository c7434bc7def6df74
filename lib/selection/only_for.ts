import { formatPlatform, type Platform } from "../oci/platform.ts";

/**
 * Why an image stays that should go if it is for nothing but some platforms; `undefined` when it is not for any other.
 * `has` are those of which it is complete. Platforms are compared as they are written: `linux/amd64` is not
 * `linux/386`, though it runs that as well.
 */
export function platformReason(has: readonly Platform[], wanted: readonly Platform[]): string | undefined {
  if (has.length === 0) return "complete for no platform that is known";
  const others = has.filter((platform) => !wanted.some((one) => isSame(one, platform)));
  const [other] = others;
  if (other === undefined) return undefined;
  return `is for ${formatPlatform(other)}${others.length < has.length ? ", too" : ""}`;
}

/** Platforms in words: `linux/arm64 and linux/arm/v7`. */
export function platformWords(platforms: readonly Platform[]): string {
  return new Intl.ListFormat("en").format(platforms.map((platform) => formatPlatform(platform)));
}

function isSame(asked: Platform, { os, architecture, variant, osVersion }: Platform): boolean {
  return asked.os === os && asked.architecture === architecture && asked.variant === variant &&
    (asked.osVersion === undefined || asked.osVersion === osVersion);
}
