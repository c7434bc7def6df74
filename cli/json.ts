import { escapeJsonControls } from "./escape.ts";

/** A value as JSON: instants in RFC 3339, big integers as digits, bytes in base64. */
export function toJson(value: unknown, { indent = 0 } = {}): string {
  return escapeJsonControls(JSON.stringify(plain(value), undefined, indent) ?? "null");
}

/** A value of nothing but what JSON has. */
export function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof BigInt) return plain(value.valueOf());
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return value.toBase64();
  if (Array.isArray(value)) return value.map(plain);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
}
