import { quoted } from "./quoted.ts";

/** How many bytes an index, manifest or config may have: 8 MiB. */
export const maxDocumentBytes: number = 8 * 1024 * 1024;

const maxDepth = 32;

interface Primitives {
  string: string;
  number: number;
  boolean: boolean;
}

/**
 * One object of a JSON document. Its readers check types and name the member in every complaint.
 *
 * A document means here what it means to containerd, or is refused: null is absent, and what Go's decoder and
 * JavaScript's understand differently (names that occur twice, or in another case) is an error.
 */
export class JsonObject {
  readonly #document: string;
  readonly #path: string;
  readonly #members: Readonly<Record<string, unknown>>;

  private constructor(members: object, { document, path }: { document: string; path: string }) {
    this.#document = document;
    this.#path = path;
    this.#members = members as Record<string, unknown>;
  }

  /**
   * Parses a document; `document` says in errors which one: `image index "sha256:…"`.
   *
   * @throws {SyntaxError} when the bytes are no JSON object, too many, nested too deep, or ambiguous.
   */
  static parse(bytes: Uint8Array, document: string): JsonObject {
    const value = parseStrictly(bytes, document);
    if (!isObject(value)) throw new SyntaxError(`Cannot parse ${document}: not a JSON object`);
    return new JsonObject(value, { document, path: "" });
  }

  /** Whether the member is there at all, be it null. */
  has(key: string): boolean {
    return this.#member(key) !== undefined;
  }

  string(key: string): string | undefined {
    return this.#primitive(key, "string");
  }

  /** A number that is written without a fraction and without an exponent: Go's decoder takes no other for a whole one. */
  number(key: string): number | undefined {
    const value = this.#member(key);
    if (value instanceof OtherNumber) throw this.error(key, `is not a whole number: ${value.text}`);
    return this.#primitive(key, "number");
  }

  boolean(key: string): boolean | undefined {
    return this.#primitive(key, "boolean");
  }

  strings(key: string): string[] | undefined {
    return this.#array(key)?.map((value, i) => {
      if (typeof value !== "string") throw this.error(`${key}[${i}]`, "is not a string");
      return value;
    });
  }

  stringMap(key: string): Record<string, string> | undefined {
    const object = this.object(key);
    if (object === undefined) return undefined;
    const entries = Object.entries(object.#members).map(([name, value]): [string, string] => {
      if (typeof value !== "string") throw this.error(`${key}[${quoted(name)}]`, "is not a string");
      return [name, value];
    });
    return Object.fromEntries(entries);
  }

  object(key: string): JsonObject | undefined {
    const value = this.#member(key) ?? undefined;
    return value === undefined ? undefined : this.#child(key, value);
  }

  objects(key: string): JsonObject[] | undefined {
    return this.#array(key)?.map((value, i) => this.#child(`${key}[${i}]`, value));
  }

  /** The error to throw when a member is not what its reader needs. */
  error(key: string, reason: string): SyntaxError {
    return new SyntaxError(`Cannot parse ${this.#document}: ${this.#path}${key} ${reason}`);
  }

  #primitive<T extends keyof Primitives>(key: string, type: T): Primitives[T] | undefined {
    const value = this.#member(key) ?? undefined;
    if (value !== undefined && typeof value !== type) throw this.error(key, `is not a ${type}`);
    return value as Primitives[T] | undefined;
  }

  #array(key: string): unknown[] | undefined {
    const value = this.#member(key) ?? undefined;
    if (value !== undefined && !Array.isArray(value)) throw this.error(key, "is not an array");
    return value;
  }

  #child(key: string, value: unknown): JsonObject {
    if (!isObject(value)) throw this.error(key, "is not an object");
    return new JsonObject(value, { document: this.#document, path: `${this.#path}${key}.` });
  }

  #member(key: string): unknown {
    const twin = Object.keys(this.#members).find((name) => name !== key && isSameToGo(name, key));
    if (twin !== undefined) throw this.error(key, `is spelt ${quoted(twin)}`);
    return this.#members[key];
  }
}

function parseStrictly(bytes: Uint8Array, document: string): unknown {
  const refuse = (reason: string) => new SyntaxError(`Cannot parse ${document}: ${reason}`);
  if (bytes.length > maxDocumentBytes) {
    throw refuse(`${bytes.length} bytes are more than the limit of ${maxDocumentBytes}`);
  }
  let flaw, value;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    flaw = structuralFlaw(text);
    value = flaw ?? (otherNumber.test(text) ? JSON.parse(text, withOtherNumbers) : JSON.parse(text));
  } catch {
    throw refuse("not valid JSON");
  }
  if (flaw !== undefined) throw refuse(flaw);
  return value;
}

/** What JSON.parse lets pass: any depth, which takes it seconds, and the last of several members with one name. */
function structuralFlaw(text: string): string | undefined {
  const open: Set<string>[] = [];
  const colon = /\s*:/y;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{" || character === "[") {
      if (open.push(new Set()) > maxDepth) return `nested deeper than ${maxDepth}`;
    } else if (character === "}" || character === "]") {
      open.pop();
    } else if (character === '"') {
      const start = i;
      i = endOfString(text, start);
      colon.lastIndex = i + 1;
      if (!colon.test(text)) continue;
      const name = JSON.parse(text.slice(start, i + 1));
      if (open.at(-1)?.has(name)) return `the name ${quoted(name)} occurs twice in one object`;
      open.at(-1)?.add(name);
    }
  }
}

/** Finds what may be a number with a fraction or an exponent; it could also be in a text. */
const otherNumber = /\d[.eE][\d+-]+\s*[,\]}]/;

/** A number as it is written, because its value does not tell. */
class OtherNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function withOtherNumbers(_name: string, value: unknown, context?: { source?: string }): unknown {
  const { source = "" } = context ?? {};
  return typeof value === "number" && /[.eE]/.test(source) ? new OtherNumber(source) : value;
}

/** Where the quote is that closes the string, or where the text ends. */
function endOfString(text: string, start: number): number {
  let end = start;
  let backslashes;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
  } while (backslashes % 2 === 1);
  return end;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Go's decoder ignores case, and takes "ſ" for "s" and the Kelvin sign for "k". */
function isSameToGo(name: string, key: string): boolean {
  return name.length === key.length && name.toUpperCase().toLowerCase() === key.toUpperCase().toLowerCase();
}
