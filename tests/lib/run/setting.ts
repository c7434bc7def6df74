import { assertEquals } from "@std/assert";
import { dirname } from "@std/path";
import type { NamespacedClient } from "../../../lib/client.ts";
import { findImage } from "../../../lib/image/tag.ts";
import type { ExitStatus } from "../../../lib/tasks.ts";
import { type RunOptions, startContainer } from "../../../lib/run/run.ts";
import { removeContainer } from "../../../lib/run/remove.ts";
import type { RunningProcess } from "../../../lib/run/process.ts";
import { Client } from "../../../lib/client.ts";
import { guarded } from "../../../lib/transport/guard.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import type { Containerd } from "../../real/containerd.ts";
import { realTest, type RealTestOptions, uniqueNamespace } from "../../real/test.ts";
import { busyboxName, importBusybox } from "../some_container.ts";

/** What a test of containers that run gets. */
export interface RunSetting {
  containerd: Containerd;
  /** The client of a namespace of its own, with busybox unpacked in it. */
  client: NamespacedClient;
}

/** Registers a test of what runs in containers, on every containerd; nothing may be left running after it. */
export function runTest(
  name: string,
  body: (setting: RunSetting) => Promise<void>,
  options?: RealTestOptions,
): void {
  realTest(name, async (_, containerd) => {
    await using connection = new Client(guarded(await openSocket({ path: containerd.address })));
    const client = connection.namespace(uniqueNamespace());
    await importBusybox({ containerd, client: connection, namespaced: client });
    await body({ containerd, client });
  }, options);
}

/** What a process wrote. */
export class Captured {
  readonly #chunks: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] };

  /** Streams to run a process with. */
  streams(stdin?: ReadableStream<Uint8Array>) {
    const take = (name: "stdout" | "stderr") => (bytes: Uint8Array) => {
      this.#chunks[name].push(bytes);
      return Promise.resolve();
    };
    return { ...(stdin && { stdin }), stdout: take("stdout"), stderr: take("stderr") };
  }

  get stdout(): string {
    return this.#text("stdout");
  }

  get stderr(): string {
    return this.#text("stderr");
  }

  /** Resolves once stdout has a text. */
  async until(text: string): Promise<void> {
    while (!this.stdout.includes(text)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  #text(name: "stdout" | "stderr"): string {
    const decoder = new TextDecoder();
    return this.#chunks[name].map((chunk) => decoder.decode(chunk, { stream: true })).join("");
  }
}

/** Starts a container of busybox. */
export async function startBusybox(
  client: NamespacedClient,
  command: readonly string[],
  options: Partial<RunOptions> = {},
): Promise<RunningProcess> {
  const image = await findImage(client, busyboxName);
  return await startContainer(client, {
    id: `c-${crypto.randomUUID().slice(0, 8)}`,
    image,
    command,
    ...options,
  });
}

/** Runs a container of busybox to its end and removes it. */
export async function runBusybox(
  client: NamespacedClient,
  command: readonly string[],
  { stdin, ...options }: Partial<RunOptions> & { stdin?: ReadableStream<Uint8Array> } = {},
): Promise<ExitStatus & { stdout: string; stderr: string }> {
  const captured = new Captured();
  const process = await startBusybox(client, command, { streams: captured.streams(stdin), ...options });
  const status = await process.wait();
  await process.delete();
  await removeContainer(client, process.containerId);
  const folder = dirname(process.io.stdout);
  assertEquals(await Deno.lstat(folder).catch(() => "gone"), "gone", `the folder ${folder} of pipes is left`);
  return { ...status, stdout: captured.stdout, stderr: captured.stderr };
}

/** What is left of containers: tasks, records, snapshots of their own, leases, shims and folders of pipes. */
export async function leftOf({ client, containerd }: RunSetting): Promise<string[]> {
  const left: string[] = [];
  for await (const { id } of client.tasks.list()) left.push(`task ${id}`);
  for await (const { id } of client.containers.list()) left.push(`container ${id}`);
  for await (const { key, kind } of client.snapshots("overlayfs").list()) {
    if (kind !== "committed") left.push(`snapshot ${key}`);
  }
  for await (const { id } of client.leases.list()) left.push(`lease ${id}`);
  left.push(...await shimsOf(containerd, client.name));
  return left;
}

/** The process that a process is a child of: of a container's first one its shim. */
export async function parentOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** The command lines of the shims of a namespace; a shim ends a moment after its task is deleted. */
async function shimsOf({ address }: Containerd, namespace: string): Promise<string[]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const shims: string[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      const line = /^\d+$/.test(name) ? await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "") : "";
      if (line.includes(`shim`) && line.includes(`\0${namespace}\0`) && line.includes(address)) {
        shims.push(`shim ${line.replaceAll("\0", " ")}`);
      }
    }
    if (shims.length === 0 || Date.now() > deadline) return shims;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
