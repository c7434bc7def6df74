import type { NamespacedClient } from "../client.ts";
import { checkIdentifier } from "../oci/identifier.ts";
import type { RuntimeSpec } from "../oci/spec/runtime_spec.ts";
import { buildProcess, type SpecOptions } from "../oci/spec.ts";
import { resolveUser } from "../oci/spec/user.ts";
import type { ExitStatus } from "../tasks.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Comeback } from "./comeback.ts";
import { type ContainerOptions, makeContainer } from "./container.ts";
import { makeIo, type RunningProcess, type StartOptions, startProcess } from "./process.ts";
import { removeFifos } from "./fifos.ts";
import { removeContainer } from "./remove.ts";
import { readUserFilesBelow } from "./user_files.ts";

/** A container to make and to start. */
export interface RunOptions extends ContainerOptions, Omit<StartOptions, "terminal"> {
  /** A terminal of its own, with only one output; where there is a `spec`, that decides. */
  terminal?: boolean | undefined;
}

/** Another process for a container that runs. */
export interface ExecOptions extends StartOptions, Pick<SpecOptions, "env" | "cwd"> {
  /** The container, in which a task has to run. */
  containerId: string;
  /** Default: one that is made up. */
  execId?: string | undefined;
  /** The program and its arguments. */
  command: readonly string[];
  /** `USER` or `USER:GROUP`, by name or number; the groups are those of the container's own files. */
  user?: string | undefined;
}

const cleanupMs = 10_000;

/**
 * Makes a container and starts it. When that fails, nothing of it is left.
 *
 * ```ts
 * import { type NamespacedClient, startContainer } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const image = await client.images.get("docker.io/library/nginx:latest");
 *   const output = new URL("file:///var/log/web.log");
 *   using process = await startContainer(client, { id: "web", image, output });
 *   console.log(process.pid);
 * }
 * ```
 *
 * @throws as {@linkcode createContainer} does, and {@linkcode startProcess}.
 */
export async function startContainer(client: NamespacedClient, options: RunOptions): Promise<RunningProcess> {
  const { streams, output, terminal, signal, timeoutMs } = options;
  const how = { streams, output, terminal: options.spec?.process?.terminal ?? terminal, signal, timeoutMs };
  const comeback = new Comeback(client);
  // Each takes a program of its own, so they go side by side.
  const [made, created] = await Promise.allSettled([
    makeIo(how),
    makeContainer(client, { options, comeback }),
  ]);
  if (made.status === "rejected" || created.status === "rejected") {
    if (made.status === "fulfilled") await removeFifos(made.value);
    if (created.status === "fulfilled") {
      await removeContainer(client, created.value.id, { timeoutMs: cleanupMs }).catch(() => {});
    }
    throw created.status === "rejected" ? created.reason : (made as PromiseRejectedResult).reason;
  }
  const { id, rootfs } = created.value;
  try {
    return await startProcess(client, { containerId: id, rootfs }, { ...how, io: made.value, comeback });
  } catch (error) {
    await removeContainer(client, id, { force: true, timeoutMs: cleanupMs }).catch(() => {});
    throw error;
  }
}

/**
 * Runs a container from its making to its end and removes it, whatever happens.
 *
 * ```ts
 * import { type NamespacedClient, runContainer } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const image = await client.images.get("docker.io/library/busybox:latest");
 *   const lines: string[] = [];
 *   const { exitStatus } = await runContainer(client, {
 *     id: "listing",
 *     image,
 *     command: ["ls", "/"],
 *     streams: { stdout: (bytes) => Promise.resolve(void lines.push(new TextDecoder().decode(bytes))) },
 *   });
 *   return { exitStatus, lines };
 * }
 * ```
 *
 * @throws as {@linkcode startContainer} does, and {@linkcode RunningProcess.wait}.
 */
export async function runContainer(client: NamespacedClient, options: RunOptions): Promise<ExitStatus> {
  const process = await startContainer(client, { streams: {}, ...options });
  try {
    const status = await process.wait(options);
    await process.delete();
    return status;
  } finally {
    await process.discard();
    await removeContainer(client, options.id, { force: true, timeoutMs: cleanupMs }).catch(() => {});
  }
}

/**
 * Starts the task of a container that was created, as its spec says.
 *
 * @throws {NotFoundError} when there is no such container.
 * @throws {AlreadyExistsError} when it has a task.
 */
export async function startTask(
  client: NamespacedClient,
  containerId: string,
  options: Omit<StartOptions, "terminal"> = {},
): Promise<RunningProcess> {
  const { signal, timeoutMs } = options;
  const call = { signal, timeoutMs };
  const { snapshotter, snapshotKey } = await client.containers.get(containerId, call);
  const { process } = await client.containers.spec(containerId, call);
  const rootfs = snapshotKey === "" ? [] : await client.snapshots(snapshotter).mounts(snapshotKey, call);
  return await startProcess(client, { containerId, rootfs }, { ...options, terminal: process?.terminal });
}

/**
 * Starts another process in a container that runs, with the environment and rights of its first one.
 *
 * ```ts
 * import { execProcess, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const stdout = async (bytes: Uint8Array) => void await Deno.stdout.write(bytes);
 *   const process = await execProcess(client, { containerId: "web", command: ["ps"], streams: { stdout } });
 *   try {
 *     await process.wait();
 *   } finally {
 *     await process.discard();
 *   }
 * }
 * ```
 *
 * @throws {NotFoundError} when there is no such container, or nothing runs in it.
 * @throws {AlreadyExistsError} when it has a process of that exec id.
 * @throws {SyntaxError} when exec id or user are malformed, or the user is not in the container's files.
 */
export async function execProcess(
  client: NamespacedClient,
  { containerId, execId = `exec-${crypto.randomUUID()}`, command, env, cwd, user, ...options }: ExecOptions,
): Promise<RunningProcess> {
  checkIdentifier(execId, "an exec id"); // to containerd, an empty one is the container's first process
  const { signal, timeoutMs, terminal } = options;
  const call: CallOptions = { signal, timeoutMs };
  const spec: RuntimeSpec = await client.containers.spec(containerId, call);
  const { pid } = await client.tasks.get(containerId, call);
  const files = user === undefined ? undefined : await readUserFilesBelow(`/proc/${pid}/root`);
  const process = buildProcess(spec, {
    command,
    env,
    cwd,
    terminal,
    user: files && resolveUser(user!, files),
  });
  return await startProcess(client, { containerId, execId, process }, options);
}
