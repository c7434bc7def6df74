/** Every noun and verb: one line for each verb, its code loaded when it runs. */
import { ownNouns } from "./own_verbs.ts";
import { runningNouns, runningVerbs } from "./running_verbs.ts";
import { storedNouns } from "./stored_verbs.ts";
import type { Verb } from "./verb.ts";

/** Loads the module of a verb. */
export type LoadVerb = () => Promise<{ default: Verb }>;

/** A verb in the list. */
export interface VerbEntry {
  name: string;
  aliases?: readonly string[];
  summary: string;
  /** Absent where the next word names a plugin, which is the verb. */
  load?: LoadVerb;
}

/** What verbs work on. */
export interface Noun {
  name: string;
  aliases?: readonly string[];
  summary: string;
  verbs: readonly VerbEntry[];
}

const list = { name: "list", aliases: ["ls"] };
const create = { name: "create", aliases: ["c"] };
const remove = { name: "remove", aliases: ["rm", "delete", "del"] };

export const nouns: readonly Noun[] = [
  {
    name: "namespaces",
    aliases: ["namespace", "ns"],
    summary: "What keeps the images and containers of different users apart",
    verbs: [
      { ...list, summary: "List namespaces", load: () => import("./verbs/namespaces/list.ts") },
      { ...create, summary: "Create a namespace", load: () => import("./verbs/namespaces/create.ts") },
      {
        name: "label",
        summary: "Set and remove labels of a namespace",
        load: () => import("./verbs/namespaces/label.ts"),
      },
      {
        name: "inspect",
        summary: "Show all about a namespace",
        load: () => import("./verbs/namespaces/inspect.ts"),
      },
      {
        ...remove,
        summary:
          "Remove namespaces that hold no images and no containers; with --purge, with all that they hold",
        load: () => import("./verbs/namespaces/remove.ts"),
      },
    ],
  },
  ...storedNouns,
  ...runningNouns,
  ...ownNouns,
];

/** Verbs that need no noun. */
export const verbs: readonly (VerbEntry & { load: LoadVerb })[] = [
  ...runningVerbs,
  {
    name: "completion",
    summary: "Print a script that lets a shell complete davit's command lines",
    load: () => import("./verbs/completion.ts"),
  },
  {
    name: "df",
    summary: "Show what namespaces take of the disk, and what of that could be free; images df: by image",
    load: () => import("./verbs/df.ts"),
  },
  {
    name: "doctor",
    summary: "Say what is wrong with this containerd, why that matters, and what mends it",
    load: () => import("./verbs/doctor.ts"),
  },
  {
    name: "info",
    summary: "Show what containerd says about itself: short for daemon info",
    load: () => import("./verbs/info.ts"),
  },
  {
    name: "pull",
    summary: "Pull images from registries, and unpack them: short for images pull",
    load: () => import("./verbs/pull.ts"),
  },
  {
    name: "ps",
    summary: "List containers: short for containers list",
    load: () => import("./verbs/ps.ts"),
  },
  {
    name: "version",
    summary: "Show the version of davit and of what it runs on",
    load: () => import("./verbs/version.ts"),
  },
  {
    name: "why",
    summary:
      "Say what keeps content, a snapshot, a lease or what an image points to alive, in all namespaces",
    load: () => import("./verbs/why.ts"),
  },
];
