/** What containerd takes for names, labels and digests, and how it refuses others. */
import { isContentDigest } from "../oci/descriptor.ts";
import { Refusal, refusal } from "./refusal.ts";

const longestName = 76;
const largestLabel = 4096;

/** Refuses what cannot name a namespace. */
export function checkNamespaceName(name: string): void {
  const flaw = flawOf(name);
  if (flaw !== undefined) throw refusal("invalid_argument", flaw);
  if (name === "version") throw new Refusal("unknown", "incompatible value"); // a bucket of its database
}

/** Refuses a namespace header that names none. */
export function checkHeader(name: string): void {
  if (name === "") throw refusal("failed_precondition", "namespace is required");
  const flaw = flawOf(name);
  if (flaw !== undefined) throw refusal("invalid_argument", `namespace validation: ${flaw}`);
}

/** Refuses a digest that containerd cannot compute. */
export function checkDigest(digest: string): void {
  if (!isContentDigest(digest)) throw refusal("invalid_argument", `"${digest}" failed validation`);
}

/** Refuses labels that are too long or have no key. */
export function checkLabels(labels: Readonly<Record<string, string>>): void {
  const encoder = new TextEncoder();
  for (const [key, value] of Object.entries(labels)) {
    const size = encoder.encode(key).length + encoder.encode(value).length;
    if (size > largestLabel) {
      const text =
        `label key and value length (${size} bytes) greater than maximum size (${largestLabel} bytes)`;
      throw refusal("invalid_argument", `${text}, key: ${key.slice(0, 64)}`);
    }
    if (key === "") throw new Refusal("unknown", "key required");
  }
}

/** Labels as containerd keeps them: none is empty. */
export function keptLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));
}

/** The labels after an update whose mask has some or all of them. */
export function updatedLabels(
  before: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
  mask: readonly string[],
): Record<string, string> {
  if (mask.includes("labels")) return keptLabels(given);
  const changes = mask.filter((path) => path.startsWith("labels.")).map((path) =>
    path.slice("labels.".length)
  );
  return keptLabels({ ...before, ...Object.fromEntries(changes.map((key) => [key, given[key] ?? ""])) });
}

function flawOf(name: string): string | undefined {
  if (name === "") return "identifier must not be empty";
  if (new TextEncoder().encode(name).length > longestName) {
    return `identifier "${name}" greater than maximum length (${longestName} characters)`;
  }
  const valid = /^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$/;
  return valid.test(name) ? undefined : `identifier "${name}" must match ${valid.source}`;
}
