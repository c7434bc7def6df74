import { escapeJsonControls } from "./escape.ts";

/** A value as JSON: instants in RFC 3339, big integers as digits, bytes in base64. */
export function toJson(value: unknown, { indent = 0 } = {}): string {
  return escapeJsonControls(JSON.stringify(plain(value), digitsOf, indent) ?? "null");
}

/** Integers of a document that is not ours stay numbers, however big. */
export function exactly(document: unknown): unknown {
  if (typeof document === "bigint") return new ExactInteger(document);
  if (typeof document !== "object" || document === null) return document;
  if (Array.isArray(document)) return document.map(exactly);
  return Object.fromEntries(Object.entries(document).map(([key, member]) => [key, exactly(member)]));
}

class ExactInteger {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

function digitsOf(_key: string, value: unknown): unknown {
  // TypeScript does not know yet what ECMAScript has for it.
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  return typeof value === "bigint" ? rawJSON(String(value)) : value;
}

/** A value of nothing but what JSON has; a bigint stands for a number with all its digits. */
export function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof ExactInteger) return value.value;
  if (value instanceof BigInt) return plain(value.valueOf());
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return value.toBase64();
  if (Array.isArray(value)) return value.map(plain);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
}
