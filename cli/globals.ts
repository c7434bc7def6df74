/** The flags that every verb has. */
import type { Options, OptionValues } from "../mod.ts";

/** How results are shown. */
export type Form = typeof forms[number];

const forms = ["table", "wide", "json", "jsonl", "yaml", "csv", "name"] as const;

export const globals = {
  address: {
    type: "string",
    placeholder: "PATH",
    completes: "file",
    summary: "containerd's socket (else $CONTAINERD_ADDRESS, /run/containerd/containerd.sock)",
  },
  namespace: {
    type: "string",
    placeholder: "NAME",
    completes: "namespace",
    summary: "namespace to work in (else $CONTAINERD_NAMESPACE, default)",
  },
  allNamespaces: { type: "boolean", summary: "list what all namespaces have" },
  output: {
    type: "string",
    choices: forms,
    default: "table",
    placeholder: "FORM",
    summary: "how to show what was found",
  },
  quiet: { type: "boolean", summary: "print names only, as -o name" },
  noHeaders: { type: "boolean", summary: "print tables and CSV without their headers" },
  dryRun: { type: "boolean", summary: "show what would be done, and do nothing" },
  yes: { type: "boolean", summary: "agree to what would be asked" },
  noWrites: { type: "boolean", summary: "refuse whatever would change something" },
  noCreateNamespace: { type: "boolean", summary: "refuse to write into a namespace that does not exist" },
  timeout: { type: "duration", summary: "end the whole command after this time" },
  context: {
    type: "string",
    placeholder: "NAME",
    completes: "context",
    summary: "the containerd and namespace that the configuration has under this name",
  },
  connectTimeout: {
    type: "duration",
    default: 2_000,
    summary: "wait this long for the socket to accept",
  },
  progress: {
    type: "string",
    choices: ["auto", "tty", "plain", "json", "none"],
    default: "auto",
    placeholder: "FORM",
    summary: "how to show how far the work is; auto: on a terminal only",
  },
  logFormat: {
    type: "string",
    choices: ["text", "json"],
    placeholder: "FORM",
    summary: "what to write to stderr; default: text, or json as the output",
  },
  lock: {
    type: "string",
    placeholder: "NAME",
    summary: "one run at a time under this name, or file; another ends at once",
  },
  retries: {
    type: "integer",
    default: 0,
    min: 0,
    max: 100,
    placeholder: "N",
    summary: "try again what failed for a cause that may pass",
  },
  report: {
    type: "string",
    placeholder: "FILE",
    completes: "file",
    summary: "write a JSON record of the run to it",
  },
  metrics: {
    type: "string",
    placeholder: "FILE",
    completes: "file",
    summary: "write metrics of the run to it, for node_exporter",
  },
  allowRead: {
    type: "list",
    commas: true,
    placeholder: "PATH",
    completes: "file",
    summary: "let a plugin read this file or folder, too",
  },
  allowNet: { type: "list", commas: true, placeholder: "HOST", summary: "let a plugin connect to this host" },
  allowEnv: {
    type: "list",
    commas: true,
    placeholder: "NAME",
    summary: "let a plugin read this variable of the environment",
  },
  allowRun: {
    type: "list",
    commas: true,
    placeholder: "PROGRAM",
    summary: "let a plugin run this program, with all your rights",
  },
  allowNamespace: {
    type: "list",
    commas: true,
    placeholder: "NAMESPACE",
    completes: "namespace",
    summary: "of the namespaces that a plugin asks for, let it reach only these",
  },
  pluginDir: {
    type: "list",
    placeholder: "FOLDER",
    completes: "file",
    summary: "look for plugins in this folder first",
  },
  debug: { type: "boolean", summary: "show each call to containerd, and where errors come from" },
  help: { type: "boolean", summary: "show help for what is named" },
  version: { type: "boolean", summary: "show the version of davit" },
} as const satisfies Options;

/** The short forms, never given another meaning. */
export const shortFlags: ReadonlyMap<string, string> = new Map([
  ["a", "address"],
  ["n", "namespace"],
  ["A", "all-namespaces"],
  ["o", "output"],
  ["q", "quiet"],
  ["h", "help"],
]);

/** The values of the global flags. */
export type Globals = OptionValues<typeof globals>;

/** Those that are for plugins alone. */
export const pluginFlags = ["allowRead", "allowNet", "allowEnv", "allowRun", "allowNamespace"] as const;

/** Names that no option of a plugin may take. */
export const reservedOptions: ReadonlySet<string> = new Set(Object.keys(globals));

/** Whether a run is to be a job that nobody watches: locked, tried again, or written down. */
export function isJob({ lock, report, metrics, retries }: Globals): boolean {
  return lock !== undefined || report !== undefined || metrics !== undefined || retries > 0;
}
