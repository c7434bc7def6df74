/** What a plugin may do, in words, before it does anything. */
import { accessOf, type Definition } from "./definition.ts";
import { alternatives, flagName } from "../options.ts";
import { inBoth, lesser } from "./run.ts";
import { type Grants, type HostFlags, type Permission, permissions } from "./settings.ts";

/** One thing that a plugin may do, or not. */
export interface Permit {
  plugin: string;
  may: string;
  /** Who says so. */
  by: string;
}

/** What is known of a plugin and its user before it runs. */
export interface Circumstances {
  grants: Grants;
  flags: HostFlags;
  /** The user allows nothing to be written at all. */
  noWrites: boolean;
  /** That of `-n`. */
  namespace: string;
  /** All that the plugin's code may read. */
  folder: string;
}

/** What a plugin may do and who says so: what it declares, what its user takes from that, and what is granted to it. */
export function permitsOf(definition: Definition, circumstances: Circumstances): Permit[] {
  const { grants, flags, folder } = circumstances;
  const plugin = definition.name;
  const permit = (may: string, by: string): Told => ({ may, by });
  const granted = permissions.flatMap((permission) =>
    grants.permissions[permission].map((value) =>
      permit(
        `${verbs[permission]} ${value}${permission === "run" ? ", which may do all that you may" : ""}`,
        flags.permissions[permission].includes(value) ? `--allow-${permission}` : "configuration",
      )
    )
  );
  const lacks = permissions.filter((permission) => grants.permissions[permission].length === 0);
  return [
    reading(definition, circumstances),
    writing(definition, circumstances),
    ...given(definition).map((may) => permit(may, "plugin")),
    permit(`read files in ${folder}`, "davit"),
    ...granted,
    ...(lacks.length === 0
      ? []
      : [permit(`not ${alternatives(lacks.map((lack) => lacking[lack]))}`, "davit")]),
  ].map((found) => ({ plugin, ...found }));
}

const verbs: Readonly<Record<Permission, string>> = {
  read: "read",
  net: "connect to",
  env: "read the variable",
  run: "run",
};

const lacking: Readonly<Record<Permission, string>> = {
  read: "read other files",
  net: "use the network",
  env: "read the environment",
  run: "run programs",
};

type Told = Omit<Permit, "plugin">;

function reading(definition: Definition, { grants: { limits }, namespace }: Circumstances): Told {
  const { namespaces } = accessOf(definition);
  const declared = namespaces === "current" ? [namespace] : namespaces;
  const narrowing = limits.filter((limit) => limit.namespaces !== undefined);
  const allowed = narrowing.reduce((all, limit) => inBoth(all, limit.namespaces!), declared);
  return {
    may: allowed === "any"
      ? "see all that is in containerd, in all namespaces"
      : allowed.length === 0
      ? "see nothing in containerd"
      : `see what is in ${allowed.length === 1 ? "namespace" : "namespaces"} ${
        allowed.map((name) => JSON.stringify(name)).join(", ")
      }, and in no other`,
    by: [
      "plugin",
      ...narrowing.map(({ remedy }) => remedy === "flag" ? "--allow-namespace" : "configuration"),
    ]
      .join(", less by "),
  };
}

function writing(definition: Definition, { grants: { limits }, noWrites }: Circumstances): Told {
  const { write } = accessOf(definition);
  const allowed = limits.reduce((all, limit) => lesser(all, limit.write ?? all), write);
  if (noWrites && allowed !== false) return { may: writes.nothing, by: "plugin, less by --no-writes" };
  return {
    may: allowed === false ? writes.nothing : writes[allowed],
    by: allowed === write ? "plugin" : "plugin, less by configuration",
  };
}

const writes = {
  nothing: "change nothing in containerd",
  images: "create, change and delete images, content, leases and namespaces there, but start nothing",
  all: "do anything there, which is as good as root",
};

/** What davit hands over beside the values of flags. */
function given({ options = {} }: Definition): string[] {
  return Object.entries(options).flatMap(([name, { type, env }]) => [
    ...(env === undefined ? [] : [`get the text of $${env}, for --${flagName(name)}`]),
    ...(type === "file" ? [`get the text of the file that --${flagName(name)} names`] : []),
  ]);
}
