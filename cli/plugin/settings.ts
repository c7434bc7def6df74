/** What the user says of plugins as a whole: where they are, and what they may do. */
import { resolve } from "@std/path";
import type { Config, GrantConfig } from "../config.ts";

/** What plugins may do beyond what they declare, by Deno's names of the permissions. */
export type Permissions = Readonly<Record<Permission, readonly string[]>>;

export type Permission = typeof permissions[number];

export const permissions = ["read", "net", "env", "run"] as const;

/** What a command line says to the host of plugins, wherever in it. */
export interface HostFlags {
  permissions: Permissions;
  /** Of `--allow-namespace`: of those that a plugin declares, only these; all where there are none. */
  namespaces: readonly string[];
  /** Of `--plugin-dir`. */
  folders: readonly string[];
}

/** What plugins are found and run by. */
export interface PluginSettings {
  flags: HostFlags;
  config: Config;
  env(name: string): string | undefined;
}

/** What one plugin may do: the user's share of it, the rest is in its definition. */
export interface Grants {
  permissions: Permissions;
  /** Each takes away from what the plugin declares. */
  limits: readonly Limit[];
}

/** What a plugin may at most do, and who says so. */
export interface Limit {
  namespaces: readonly string[] | undefined;
  write: GrantConfig["write"];
  /** What would allow more: a flag, or a table of the configuration. */
  remedy: "flag" | "configuration";
}

const nothing: Permissions = { read: [], net: [], env: [], run: [] };

/** No flags. */
export const noFlags: HostFlags = { permissions: nothing, namespaces: [], folders: [] };

/**
 * The flags for the host of plugins, before the plugin is known whose flags are read with them. A word that looks like
 * one is one: the value of another flag could not begin with a dash.
 */
export function hostFlagsIn(argv: readonly string[]): HostFlags {
  const found = new Map<string, string[]>();
  for (let at = 0; at < argv.length && argv[at] !== "--"; at++) {
    const [, flag, given] =
      /^--(allow-(?:read|net|env|run|namespace)|plugin-dir)(?:=(.*))?$/s.exec(argv[at]!) ??
        [];
    if (flag === undefined) continue;
    const text = given ?? argv[++at] ?? "";
    found.set(flag, [...found.get(flag) ?? [], ...(flag === "plugin-dir" ? [text] : text.split(","))]);
  }
  const values = (flag: string) => (found.get(flag) ?? []).filter((value) => value !== "");
  return {
    permissions: {
      read: values("allow-read").map((path) => resolve(Deno.cwd(), path)),
      net: values("allow-net"),
      env: values("allow-env"),
      run: values("allow-run"),
    },
    namespaces: values("allow-namespace"),
    folders: values("plugin-dir"),
  };
}

/** Nothing beyond what a plugin declares, and nothing less. */
export const noGrants: Grants = { permissions: nothing, limits: [] };

/** What flags and configuration together let a plugin do. */
export function grantsOf({ flags, config }: PluginSettings, key: string | undefined): Grants {
  const { namespaces, write, ...granted }: GrantConfig =
    key !== undefined && Object.hasOwn(config.grants, key) ? config.grants[key]! : {};
  const both = (name: Permission) => [...flags.permissions[name], ...granted[name] ?? []];
  const limits: Limit[] = [
    { namespaces, write, remedy: "configuration" },
    {
      namespaces: flags.namespaces.length > 0 ? flags.namespaces : undefined,
      write: undefined,
      remedy: "flag",
    },
  ];
  return {
    permissions: { read: both("read"), net: both("net"), env: both("env"), run: both("run") },
    limits: limits.filter((limit) => limit.namespaces !== undefined || limit.write !== undefined),
  };
}
