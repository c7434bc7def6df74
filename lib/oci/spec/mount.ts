import { parse } from "@std/csv";
import { quoted } from "../quoted.ts";
import type { RuntimeMount } from "./runtime_spec.ts";

const fields: ReadonlyMap<string, keyof RuntimeMount> = new Map([
  ["type", "type"],
  ["source", "source"],
  ["src", "source"],
  ["destination", "destination"],
  ["dst", "destination"],
  ["options", "options"],
]);

/**
 * A mount from a line of CSV: `type=bind,source=/srv,destination=/data,options=rbind:ro`. A field in quotes may hold
 * commas, a value `=`.
 *
 * @throws {SyntaxError} when it is malformed, a field is unknown or given twice, or one that is needed is missing.
 */
export function parseMount(text: string): RuntimeMount {
  const mount: RuntimeMount = { destination: "" };
  for (const field of readRecord(text)) {
    const at = field.indexOf("=");
    if (at < 0) throw unusable(text, `${quoted(field)} is not of the form KEY=VALUE`);
    const [key, value] = [field.slice(0, at), field.slice(at + 1)];
    const member = fields.get(key);
    if (!member) {
      throw unusable(text, `unknown field ${quoted(key)}; there are ${[...fields.keys()].join(", ")}`);
    }
    if (mount[member]) throw unusable(text, `${member} is given twice`);
    if (member === "options") mount.options = value.split(":");
    else mount[member] = value;
  }
  if (!mount.destination) throw unusable(text, "destination is missing");
  if (!mount.destination.startsWith("/")) throw unusable(text, "destination is not an absolute path");
  const isBind = mount.type === "bind" || mount.options?.some((option) => /^r?bind$/.test(option));
  if (!mount.type && !isBind) throw unusable(text, "type is missing");
  if (isBind && !mount.source) throw unusable(text, "source is missing");
  return mount;
}

function readRecord(text: string): string[] {
  let records: string[][];
  try {
    records = parse(text);
  } catch (error) {
    throw unusable(text, `its quotes are malformed: ${(error as Error).message}`);
  }
  if (records.length !== 1) {
    throw unusable(text, records.length === 0 ? "it is empty" : "it is several lines");
  }
  return records[0]!;
}

function unusable(text: string, reason: string): SyntaxError {
  return new SyntaxError(`Cannot use mount ${quoted(text)}: ${reason}`);
}
