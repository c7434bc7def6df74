import { join } from "@std/path";
import { quoted } from "../oci/quoted.ts";
import { knownSandboxes } from "../sandboxes.ts";
import type { Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

/** A shim that runs, and what it was started for. */
interface Shim {
  pid: number;
  namespace: string;
  id: string;
}

/** The kernel counts starts in hundredths of a second, on every machine that containerd runs on. */
const tickMs = 10;

/** Finds shims of this containerd that have no task: what holds a container up goes on without one. */
export async function* findLeftoverShims(
  { client, namespaces, address, youngMs, processes, options }: Scene,
): AsyncIterable<Finding> {
  const asked = new Set(namespaces.map(({ name }) => name));
  const shims = (await shimsOf(processes, address)).filter(({ namespace }) => asked.has(namespace));
  for (const [namespace, started] of Map.groupBy(shims, ({ namespace }) => namespace)) {
    const inside = client.namespace(namespace); // after the shims: what has a task now is no leftover
    const tasks = await Array.fromAsync(inside.tasks.list(options));
    const ids = new Set(tasks.map(({ id }) => id));
    for await (const { id } of knownSandboxes(inside, options)) ids.add(id);
    // The shim of a pod is called after the first container, and holds up those that came later, too.
    const parents = new Set(await Promise.all(tasks.map(({ pid }) => parentOf(processes, pid))));
    for (const { pid, id } of started) {
      if (ids.has(id) || parents.has(String(pid)) || await ageMs(processes, pid) < youngMs) continue;
      yield {
        check: "leftover-shim",
        severity: "warning",
        namespace,
        what: `process ${pid}`,
        why: `it is the shim of container ${quoted(id)}, of which no task is left`,
        // Its container first, which would go on without it.
        commands: [["kill", "-KILL", ...await childrenOf(processes, pid), String(pid)]],
      };
    }
  }
}

async function shimsOf(processes: string, address: string): Promise<Shim[]> {
  const real = await realPath(address);
  const shims: Shim[] = [];
  for (const pid of await pidsIn(processes)) {
    const argv = (await textOf(join(processes, String(pid), "cmdline"))).split("\0");
    if (!/(?:^|\/)containerd-shim[\w.-]*$/.test(argv[0] ?? "")) continue;
    const valueOf = (flag: string) =>
      argv[argv.findIndex((arg) => arg === `-${flag}` || arg === `--${flag}`) + 1];
    const [namespace, id, daemon] = [valueOf("namespace"), valueOf("id"), valueOf("address")];
    if (!namespace || !id || !daemon || await realPath(daemon) !== real) continue;
    shims.push({ pid, namespace, id });
  }
  return shims;
}

async function pidsIn(processes: string): Promise<number[]> {
  try {
    const names = await Array.fromAsync(Deno.readDir(processes), ({ name }) => name);
    return names.filter((name) => /^\d+$/.test(name)).map(Number);
  } catch {
    return []; // not Linux, or not allowed
  }
}

/** How long a process has been running; nothing for one that has ended. */
async function ageMs(processes: string, pid: number): Promise<number> {
  const startedMs = Number((await fieldsOf(processes, pid))[19]) * tickMs;
  const [uptime = ""] = (await textOf(join(processes, "uptime"))).split(" ");
  return Number.isFinite(startedMs) && uptime !== "" ? Number(uptime) * 1000 - startedMs : -1;
}

async function childrenOf(processes: string, pid: number): Promise<string[]> {
  const children: string[] = [];
  for (const other of await pidsIn(processes)) {
    if (await parentOf(processes, other) === String(pid)) children.push(String(other));
  }
  return children;
}

async function parentOf(processes: string, pid: number): Promise<string | undefined> {
  return (await fieldsOf(processes, pid))[1];
}

/** What the kernel tells of a process, from its state on: before that stands its name, which may hold anything. */
async function fieldsOf(processes: string, pid: number): Promise<string[]> {
  const stat = await textOf(join(processes, String(pid), "stat"));
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

async function realPath(path: string): Promise<string> {
  return await Deno.realPath(path).catch(() => path);
}

/** Empty for what has ended by now. */
async function textOf(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
