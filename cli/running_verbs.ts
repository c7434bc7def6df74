/** The nouns and verbs for what runs: a part of the list in `verbs.ts`. */
import type { LoadVerb, Noun, VerbEntry } from "./verbs.ts";

const list = { name: "list", aliases: ["ls"] };
const remove = { name: "remove", aliases: ["rm", "delete", "del"] };

export const runningNouns: readonly Noun[] = [
  {
    name: "containers",
    aliases: ["container", "c"],
    summary: "What tasks are started from",
    verbs: [
      { ...list, summary: "List containers", load: () => import("./verbs/containers/list.ts") },
      {
        name: "create",
        summary: "Make a container without starting it; tasks start does that",
        load: () => import("./verbs/containers/create.ts"),
      },
      {
        name: "info",
        summary: "Show all about a container, with the spec that its runtime gets",
        load: () => import("./verbs/containers/info.ts"),
      },
      {
        name: "label",
        summary: "Set and remove labels of a container, or show them",
        load: () => import("./verbs/containers/label.ts"),
      },
      {
        name: "logs",
        summary: "Print what a container wrote to the file of --log-uri",
        load: () => import("./verbs/containers/logs.ts"),
      },
      {
        ...remove,
        summary: "Remove containers with their tasks and snapshots; not while a task runs",
        load: () => import("./verbs/containers/remove.ts"),
      },
      {
        name: "prune",
        summary: "Remove the containers in which nothing runs",
        load: () => import("./verbs/containers/prune.ts"),
      },
    ],
  },
  {
    name: "tasks",
    aliases: ["task", "t"],
    summary: "The processes of containers",
    verbs: [
      {
        ...list,
        summary: "List tasks: the processes of containers",
        load: () => import("./verbs/tasks/list.ts"),
      },
      {
        name: "start",
        summary: "Start what a container was created for",
        load: () => import("./verbs/tasks/start.ts"),
      },
      {
        name: "attach",
        summary: "Take over input and output of a task until it ends, and remove it then",
        load: () => import("./verbs/tasks/attach.ts"),
      },
      {
        name: "exec",
        summary: "Run one more command in a container that runs",
        load: () => import("./verbs/tasks/exec.ts"),
      },
      { name: "kill", summary: "Send a signal to tasks", load: () => import("./verbs/tasks/kill.ts") },
      {
        name: "pause",
        summary: "Stop all processes of containers where they are",
        load: () => import("./verbs/tasks/pause.ts"),
      },
      {
        name: "resume",
        summary: "Let paused processes go on",
        load: () => import("./verbs/tasks/resume.ts"),
      },
      {
        name: "update",
        summary: "Change how much tasks may use, until they end",
        load: () => import("./verbs/tasks/update.ts"),
      },
      {
        name: "ps",
        summary: "List the processes of a container, as the host sees them",
        load: () => import("./verbs/tasks/ps.ts"),
      },
      {
        name: "metrics",
        aliases: ["metric"],
        summary: "Show what tasks use of processors, memory and disks",
        load: () => import("./verbs/tasks/metrics.ts"),
      },
      {
        name: "wait",
        summary: "Wait for the end of a task, and end with its exit code",
        load: () => import("./verbs/tasks/wait.ts"),
      },
      {
        ...remove,
        summary: "Remove tasks that have ended; their containers stay",
        load: () => import("./verbs/tasks/remove.ts"),
      },
    ],
  },
  {
    name: "sandboxes",
    aliases: ["sandbox", "sb", "s"],
    summary: "What containers of a pod share",
    verbs: [
      {
        ...list,
        summary: "List sandboxes: what containers of a pod share; since containerd 1.7",
        load: () => import("./verbs/sandboxes/list.ts"),
      },
      {
        ...remove,
        summary: "Remove sandboxes, and end what runs of them; containers in them stay",
        load: () => import("./verbs/sandboxes/remove.ts"),
      },
    ],
  },
];

/** Those without a noun. */
export const runningVerbs: readonly (VerbEntry & { load: LoadVerb })[] = [
  {
    name: "run",
    summary: "Run a command in a new container",
    load: () => import("./verbs/run.ts"),
  },
  {
    name: "logs",
    summary: "Print what a container wrote: short for containers logs",
    load: () => import("./verbs/logs.ts"),
  },
  {
    name: "events",
    aliases: ["event"],
    summary: "Show what happens from now on, in this namespace or with -A in all",
    load: () => import("./verbs/events.ts"),
  },
];
