import type { NamespacedClient } from "../client.ts";
import { AlreadyExistsError, type ContainerdError, containerdError, NotFoundError } from "../errors.ts";
import { quoted } from "../oci/quoted.ts";
import type { RuntimeProcess } from "../oci/spec/runtime_spec.ts";
import type { Mount } from "../snapshots.ts";
import type { ExitStatus, ProcessIo } from "../tasks.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Comeback, isLost } from "./comeback.ts";
import { type Copying, ProcessPipes, type ProcessStreams } from "./copying.ts";
import { deleteProcess, discardProcess, isShimGone, type ProcessId } from "./deletion.ts";
import { makeFifos, removeFifos } from "./fifos.ts";
import { Pause } from "./pause.ts";

/** Where the input of a process comes from and its output goes to. */
export interface StartOptions extends CallOptions {
  /** Copied until the process ends. Without, its pipes wait for somebody to attach. */
  streams?: ProcessStreams | undefined;
  /** A terminal of its own, with only one output. */
  terminal?: boolean | undefined;
  /** `null` for nowhere; else a URI for containerd such as `file:///var/log/web.log`. Default: pipes. */
  output?: "null" | URL | undefined;
}

/** How long containerd may be away while a process is waited for, in milliseconds. */
const patienceMs = 120_000;

/**
 * A process that was started in a container, or attached to.
 *
 * ```ts
 * import { type NamespacedClient, startTask } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const process = await startTask(client, "web", { streams: {} });
 *   setTimeout(() => process.kill(15).catch(() => {}), 10_000);
 *   console.log((await process.wait()).exitStatus);
 *   await process.delete();
 * }
 * ```
 */
export class RunningProcess implements Disposable {
  /** The container that it runs in. */
  readonly containerId: string;
  /** Of one that exec started; absent for a container's first one. */
  readonly execId: string | undefined;
  /** On the host. */
  readonly pid: number;
  /** Where it reads and writes. */
  readonly io: ProcessIo;
  readonly #client: NamespacedClient;
  readonly #exit: Promise<ExitStatus>;
  readonly #pipes: ProcessPipes | undefined;
  readonly #copying: Copying | undefined;
  readonly #over: AbortController;

  /**
   * For {@linkcode startContainer}, {@linkcode startTask}, {@linkcode execProcess} and {@linkcode attachTask}.
   */
  constructor({ client, containerId, execId, pid, io, exit, over, pipes, copying }: Parts) {
    this.#client = client;
    this.containerId = containerId;
    this.execId = execId;
    this.pid = pid;
    this.io = io;
    this.#exit = exit;
    this.#over = over;
    this.#pipes = pipes;
    this.#copying = copying;
  }

  /**
   * Waits for the end of the process and of its output, also while containerd is away.
   *
   * @throws {NotFoundError} when somebody deleted it meanwhile, or it ended while containerd was away, which forgot it.
   * @throws {ContainerdError} when its shim died.
   * @throws what a stream threw; the process then still runs.
   */
  async wait({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<ExitStatus> {
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal!.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort);
    const trouble = [aborted.promise, ...(this.#copying ? [this.#copying.failure] : [])];
    // What a process wrote is there also when nobody knows how it ended.
    const isOver = this.#exit.then(() => {}, (error) => {
      if (isLost(error)) throw error;
    });
    try {
      await Promise.race([isOver, ...trouble]);
      if (this.#copying) await Promise.race([this.#copying.drained(), ...trouble]);
      return await this.#exit;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Sends a signal, by its number. @throws {NotFoundError} when the process has ended. */
  async kill(signal: number, options: CallOptions = {}): Promise<void> {
    const { containerId, execId } = this;
    await this.#client.tasks.kill({ containerId, execId, signal }, options);
  }

  /** Tells its terminal how many characters it shows. */
  async resize(size: { columns: number; rows: number }, options: CallOptions = {}): Promise<void> {
    await this.#client.tasks.resizePty(this.containerId, { execId: this.execId, ...size, ...options });
  }

  /** Deletes the process, which must have ended, and its pipes. Nothing to delete is fine. */
  async delete(options: CallOptions = {}): Promise<void> {
    const { containerId, execId } = this;
    await Promise.all([
      deleteProcess(this.#client, { containerId, execId, ...options }),
      removeFifos(this.io), // it has ended, and its output was read
    ]);
    this[Symbol.dispose]();
  }

  /** Ends the process, if it has not ended, and deletes it; for when something else went wrong. */
  async discard(): Promise<void> {
    this.#copying?.ignoreRest(); // read it must be, or the shim is stuck with it
    await discardProcess(this.#client, this);
    await removeFifos(this.io);
    this[Symbol.dispose]();
  }

  /** Lets go of its pipes; it goes on, and others may attach to it. */
  [Symbol.dispose](): void {
    this.#over.abort();
    this.#copying?.stop();
    this.#pipes?.[Symbol.dispose]();
  }
}

interface Parts {
  client: NamespacedClient;
  containerId: string;
  execId?: string | undefined;
  pid: number;
  io: ProcessIo;
  exit: Promise<ExitStatus>;
  /** Ends the waiting for the end. */
  over: AbortController;
  pipes?: ProcessPipes | undefined;
  copying?: Copying | undefined;
}

/** A process to start: a container's first one, on its mounts, or another one. */
export type ProcessToStart =
  | { containerId: string; execId?: undefined; rootfs: readonly Mount[] }
  | { containerId: string; execId: string; process: RuntimeProcess };

/**
 * Starts a process in a container. When that fails, nothing of it is left.
 *
 * @throws {AlreadyExistsError} when the container has a task, or a process of that exec id.
 * @throws {NotFoundError} when there is no such container, or no task in it for another process.
 */
export async function startProcess(
  client: NamespacedClient,
  target: ProcessToStart,
  { streams, terminal = false, output, io: prepared, comeback = new Comeback(client), ...options }:
    & StartOptions
    & { io?: ProcessIo; comeback?: Comeback } = {},
): Promise<RunningProcess> {
  const { tasks } = client;
  const { containerId, execId } = target;
  const io = prepared ?? await makeIo({ streams, terminal, output });
  using stack = new DisposableStack();
  let isSent = false;
  try {
    const pipes = stack.use(await ProcessPipes.open(io));
    isSent = true;
    if (target.execId === undefined) {
      await tasks.create({ containerId, rootfs: target.rootfs, io }, options);
    } else {
      await tasks.exec({ containerId, execId: target.execId, process: target.process, io }, options);
    }
    const over = new AbortController();
    const exit = waitThroughRestarts(client, { containerId, execId }, over.signal);
    exit.catch(() => {}); // whoever waits for it learns of it
    stack.defer(() => over.abort());
    const { pid } = await tasks.start(containerId, { execId, ...options });
    await pipes.handOver(); // those of an exec the shim opens only now
    const endInput = () => endInputOf(client, { containerId, execId }, over.signal);
    const copying = streams && pipes.copy(streams, endInput);
    if (copying) stack.move();
    return new RunningProcess({
      client,
      containerId,
      execId,
      pid,
      io,
      exit,
      over,
      ...(copying && { pipes, copying }),
    });
  } catch (error) {
    // A process that was there before is somebody else's.
    if (isSent && !(error instanceof AlreadyExistsError)) {
      await comeback.after(error);
      await discardProcess(client, { containerId, execId });
    }
    await removeFifos(io);
    throw error;
  }
}

/**
 * Takes over input and output of a task that somebody started with pipes. Only one should have them at a time.
 *
 * ```ts
 * import { attachTask, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const stdout = async (bytes: Uint8Array) => void await Deno.stdout.write(bytes);
 *   using process = await attachTask(client, "web", { streams: { stdout, stderr: stdout } });
 *   const { exitStatus } = await process.wait();
 *   console.log(exitStatus);
 * }
 * ```
 *
 * @throws {NotFoundError} when the container has no task.
 * @throws {FailedPreconditionError} when its output goes elsewhere.
 */
export async function attachTask(
  client: NamespacedClient,
  containerId: string,
  { streams, ...options }: CallOptions & { streams: ProcessStreams },
): Promise<RunningProcess> {
  const { pid, io } = await client.tasks.get(containerId, options);
  using stack = new DisposableStack();
  const pipes = stack.use(await ProcessPipes.open(io));
  if (!pipes.hasOutput) {
    throw containerdError({
      code: "failed_precondition",
      reason: io.stdout === "" ? "its output goes nowhere" : `its output goes to ${quoted(io.stdout)}`,
      outcome: "refused",
      action: "attach to",
      resource: `task ${quoted(containerId)}`,
      namespace: client.name,
    });
  }
  const over = new AbortController();
  const exit = waitThroughRestarts(client, { containerId }, over.signal);
  exit.catch(() => {}); // whoever waits for it learns of it
  await pipes.handOver();
  const copying = pipes.copy(streams, () => endInputOf(client, { containerId }, over.signal));
  stack.move();
  return new RunningProcess({ client, containerId, pid, io, exit, over, pipes, copying });
}

/** Makes the pipes of a process, if it is to have some. */
export async function makeIo({ streams, terminal, output }: StartOptions): Promise<ProcessIo> {
  if (output === "null") return { stdin: "", stdout: "", stderr: "", terminal: false };
  if (output) {
    return {
      stdin: "",
      stdout: output.href,
      stderr: terminal ? "" : output.href,
      terminal: terminal === true,
    };
  }
  const stdin = streams === undefined || streams.stdin !== undefined;
  return { ...await makeFifos({ stdin, terminal: terminal === true }), terminal: terminal === true };
}

/** Waits for the end of a process for as long as containerd comes back: its containers go on without it. */
async function waitThroughRestarts(
  { tasks }: NamespacedClient,
  { containerId, execId }: ProcessId,
  signal: AbortSignal,
): Promise<ExitStatus> {
  let lostAt: number | undefined;
  let wasLost = false;
  for (;;) {
    try {
      return await tasks.wait(containerId, { execId, signal });
    } catch (error) {
      if (isShimGone(error)) throw because(error, "its shim died, and nobody knows how it ended");
      if (wasLost && error instanceof NotFoundError) {
        throw because(error, "it ended while containerd was away, which has forgotten how");
      }
      if (!isLost(error)) throw error;
      wasLost = true;
      lostAt ??= Date.now();
      if (Date.now() - lostAt > patienceMs) throw error;
    }
    using pause = new Pause(200);
    await pause.over;
    signal.throwIfAborted();
    const isBack = await tasks.get(containerId, { execId, signal }).then(
      () => true,
      (error) => !isLost(error),
    );
    if (isBack) lostAt = undefined;
  }
}

/** Ends the input of a process, if it is still there, also when containerd is just away. */
async function endInputOf(
  { tasks }: NamespacedClient,
  { containerId, execId }: ProcessId,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await tasks.closeStdin(containerId, { execId, signal });
    } catch (error) {
      if (!isLost(error)) return; // it has ended
    }
    using pause = new Pause(200);
    await pause.over;
  }
}

/** The same error for a reason that says what it means. From 1.7 on, containerd drops what ended while it was away. */
function because(error: ContainerdError, reason: string): ContainerdError {
  return containerdError({ ...error.details, reason }, { cause: error });
}
