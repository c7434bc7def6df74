/** How bad a finding is: something does not work or is open to others; it will hurt one day; it only takes space. */
export type Severity = "error" | "warning" | "note";

/** Something that is not as it should be. */
export interface Finding {
  /** What was looked for: `broken-image`, `expired-lease`, … */
  check: string;
  /** How bad it is. */
  severity: Severity;
  /** Absent for what is about containerd as a whole, or its machine. */
  namespace?: string | undefined;
  /** What it is about: `image "example.com/app:1"`. */
  what: string;
  /** Why it matters. */
  why: string;
  /** The commands that mend it, one after the other, each as its words; `davit` stands for this program. */
  commands: readonly (readonly string[])[];
  /** How `mendFinding` mends it; absent for what somebody has to decide. */
  mend?: Mend | undefined;
}

/** What can be done without anybody being asked: nothing that somebody might still want goes. */
export type Mend =
  | { kind: "lease"; id: string }
  | { kind: "ingest"; ref: string; updatedAt: Date }
  | { kind: "garbage" }
  | { kind: "pipes"; folder: string };

/** The words of a command line of davit for one namespace. */
export function davitIn(namespace: string, ...words: string[]): string[] {
  return ["davit", "-n", namespace, ...words];
}

/** An argument that is a name, whatever it begins with. */
export function argument(name: string): string[] {
  return name.startsWith("-") ? ["--", name] : [name];
}
