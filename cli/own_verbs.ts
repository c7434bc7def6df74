/** The nouns for the daemon as a whole, and for davit itself, its plugins and runs: a part of the list in `verbs.ts`. */
import type { Noun } from "./verbs.ts";

const list = { name: "list", aliases: ["ls"] };

export const ownNouns: readonly Noun[] = [
  {
    name: "daemon",
    summary: "The containerd that davit is connected to",
    verbs: [
      {
        name: "info",
        summary: "Show what containerd says about itself",
        load: () => import("./verbs/daemon/info.ts"),
      },
      {
        name: "plugins",
        summary: "List the plugins that containerd consists of",
        load: () => import("./verbs/daemon/plugins.ts"),
      },
      {
        name: "deprecations",
        summary: "List what was used and what later versions of containerd will not have",
        load: () => import("./verbs/daemon/deprecations.ts"),
      },
      {
        name: "version",
        summary: "Show the version of containerd",
        load: () => import("./verbs/daemon/version.ts"),
      },
    ],
  },
  {
    name: "deprecations",
    summary: "As ctr has it: davit daemon deprecations",
    verbs: [
      {
        ...list,
        summary: "List what was used and what later versions of containerd will not have",
        load: () => import("./verbs/deprecations/list.ts"),
      },
    ],
  },
  {
    name: "plugin",
    aliases: ["plugins"],
    summary: "Verbs from TypeScript files; also davit FILE and davit NAME",
    verbs: [
      {
        ...list,
        summary: "List the plugins that are installed, what they may reach, and what is wrong with them",
        load: () => import("./verbs/plugin/list.ts"),
      },
      {
        name: "info",
        summary: "Show what a plugin says of itself, and what it may reach",
        load: () => import("./verbs/plugin/info.ts"),
      },
      { name: "run", summary: "Run a plugin, by its file or by its name" },
      {
        name: "new",
        summary: "Write a plugin that works, its test, and what editors need, into this folder",
        load: () => import("./verbs/plugin/new.ts"),
      },
      {
        name: "test",
        summary: "Run the tests of plugins, on a containerd in memory",
        load: () => import("./verbs/plugin/test.ts"),
      },
      {
        name: "types",
        summary: "Write the types of the API into a folder of plugins, for editors",
        load: () => import("./verbs/plugin/types.ts"),
      },
    ],
  },
  {
    name: "context",
    aliases: ["contexts"],
    summary: "The containerds that the configuration has names for; --context takes one",
    verbs: [
      {
        ...list,
        summary: "List the contexts of the configuration, and which one counts",
        load: () => import("./verbs/context/list.ts"),
      },
      {
        name: "show",
        summary: "Show which containerd and which namespace commands are for, and what says so",
        load: () => import("./verbs/context/show.ts"),
      },
      {
        name: "use",
        summary: "Use a context from now on where no flag and no variable says otherwise",
        load: () => import("./verbs/context/use.ts"),
      },
    ],
  },
  {
    name: "schedule",
    summary: "Command lines of davit that run by the clock",
    verbs: [
      {
        name: "systemd",
        summary: "Print a service and a timer of systemd that run a command line of davit",
        load: () => import("./verbs/schedule/systemd.ts"),
      },
      {
        name: "cron",
        summary: "Print a line for /etc/cron.d that runs a command line of davit",
        load: () => import("./verbs/schedule/cron.ts"),
      },
    ],
  },
];
