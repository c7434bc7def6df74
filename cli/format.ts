/** Values as people read them, one cell of a table each. */
import { escapeControls } from "./escape.ts";
import { toJson } from "./json.ts";
import type { Column } from "./verb.ts";

/** What stands in a cell of a table that is empty, so that the others stay the same field for awk. */
export const nothing = "-";

/** One value as the text of a cell, empty when there is none. `now` is what ages count from. */
export function formatCell(value: unknown, as: Column["as"], now: Date): string {
  return escapeControls(textOf(value, as, now));
}

/** `72.7 MiB`; whole bytes below 1 KiB. */
export function formatBytes(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  if (bytes < 1024) return `${bytes} B`;
  let size = bytes / 1024;
  let unit = 0;
  // What rounds to 1024.0 belongs to the next unit.
  while (size >= 1023.95 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size.toFixed(1)} ${units[unit]}`;
}

/** `3m ago`, `in 2h`: the largest whole unit. */
export function formatAge(instant: Date, now: Date): string {
  const seconds = Math.trunc((now.getTime() - instant.getTime()) / 1000);
  if (seconds === 0) return "now";
  const span = formatSpan(Math.abs(seconds));
  return seconds > 0 ? `${span} ago` : `in ${span}`;
}

/** `a=1,b=2`, in the order of the keys; what is more than a text or a number, as JSON. */
export function formatLabels(labels: Readonly<Record<string, unknown>>): string {
  const valueOf = (value: unknown) => typeof value === "object" ? toJson(value) : String(value);
  return Object.keys(labels).sort().map((key) => `${key}=${valueOf(labels[key])}`).join(",");
}

function textOf(value: unknown, as: Column["as"], now: Date): string {
  if (value === undefined || value === null) return "";
  if (as === "bytes" && (typeof value === "number" || typeof value === "bigint")) {
    return formatBytes(Number(value));
  }
  if (value instanceof Date) return instantText(value, as, now);
  if (Array.isArray(value)) return value.map(String).join(",");
  if (typeof value === "object") return formatLabels(value as Record<string, unknown>);
  return String(value);
}

function instantText(instant: Date, as: Column["as"], now: Date): string {
  if (!(instant.getTime() > 0)) return ""; // containerd does not know it
  return as === "age" ? formatAge(instant, now) : instant.toISOString();
}

function formatSpan(seconds: number): string {
  const units: [string, number][] = [["y", 365 * 86_400], ["d", 86_400], ["h", 3_600], ["m", 60]];
  for (const [unit, length] of units) {
    if (seconds >= length) return `${Math.floor(seconds / length)}${unit}`;
  }
  return `${seconds}s`;
}
