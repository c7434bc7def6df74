import { parse } from "@std/toml";
import { quoted } from "../oci/quoted.ts";
import { allCapabilities, apiRoot, type HostCapability } from "./host.ts";

/** One host of a `hosts.toml`, with the paths of its certificates. */
export interface HostEntry {
  /** The root of the API; `undefined` is the registry itself. */
  url: string | undefined;
  capabilities: ReadonlySet<HostCapability>;
  ca: readonly string[];
  client: { cert: string; key: string } | undefined;
  skipVerify: boolean | undefined;
  headers: readonly (readonly [name: string, value: string])[];
}

/**
 * The hosts of a `hosts.toml` in the order to try: first the mirrors, at last the server.
 *
 * @see {@link https://github.com/containerd/containerd/blob/main/docs/hosts.md}
 * @throws {SyntaxError} when it is malformed.
 */
export function parseHostsToml(text: string, path: string): HostEntry[] {
  const refuse = (reason: string) => new SyntaxError(`Cannot read ${quoted(path)}: ${reason}`);
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  const { server, host = {} } = table;
  if (server !== undefined && typeof server !== "string") throw refuse("server is not a string");
  if (!isTable(host)) throw refuse("host is not a table");
  const mirrors = Object.entries(host).map(([url, settings]) => {
    if (!isTable(settings)) throw refuse(`host ${quoted(url)} is not a table`);
    return readHost(url, settings, refuse);
  });
  return [...mirrors, readHost(server || undefined, table, refuse)];
}

function readHost(
  server: string | undefined,
  settings: Record<string, unknown>,
  refuse: (reason: string) => SyntaxError,
): HostEntry {
  const boolean = (name: string) => {
    const value = settings[name];
    if (value !== undefined && typeof value !== "boolean") throw refuse(`${name} is neither true nor false`);
    return value;
  };
  const overridePath = boolean("override_path") ?? false;
  return {
    url: server === undefined ? undefined : apiRoot(server, { overridePath }),
    capabilities: readCapabilities(settings.capabilities, refuse),
    ca: settings.ca === undefined ? [] : readStrings(settings.ca, "ca", refuse),
    client: readClient(settings.client, refuse),
    skipVerify: boolean("skip_verify"),
    headers: readHeaders(settings.header, refuse),
  };
}

function readCapabilities(
  value: unknown,
  refuse: (reason: string) => SyntaxError,
): ReadonlySet<HostCapability> {
  const names = value === undefined ? [] : readStrings(value, "capabilities", refuse);
  if (names.length === 0) return allCapabilities;
  const unknown = names.find((name) => !(allCapabilities as Set<string>).has(name.toLowerCase()));
  if (unknown !== undefined) throw refuse(`unknown capability ${quoted(unknown)}`);
  return new Set(names.map((name) => name.toLowerCase() as HostCapability));
}

/** A file with certificate and key, a list of such files, or a list of pairs of files; the first one counts. */
function readClient(value: unknown, refuse: (reason: string) => SyntaxError): HostEntry["client"] {
  const [first] = value === undefined ? [] : [value].flat();
  if (first === undefined) return undefined;
  const [cert, key = cert, ...more] = readStrings(first, "client", refuse);
  if (cert === undefined || key === undefined || more.length > 0) {
    throw refuse("client is not a pair of files");
  }
  return { cert, key };
}

function readHeaders(value: unknown, refuse: (reason: string) => SyntaxError): [string, string][] {
  if (value === undefined) return [];
  if (!isTable(value)) throw refuse("header is not a table");
  const headers = new Headers();
  return Object.entries(value).flatMap(([name, values]) =>
    readStrings(values, `header ${quoted(name)}`, refuse).map((one): [string, string] => {
      try {
        headers.append(name, one);
      } catch {
        throw refuse(`header ${quoted(name)} is malformed`);
      }
      return [name, one];
    })
  );
}

function readStrings(value: unknown, name: string, refuse: (reason: string) => SyntaxError): string[] {
  const values = [value].flat(1);
  if (!values.every((one) => typeof one === "string")) {
    throw refuse(`${name} is neither a string nor a list of them`);
  }
  return values;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
