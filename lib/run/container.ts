import type { NamespacedClient } from "../client.ts";
import {
  AlreadyExistsError,
  containerdError,
  DeadlineExceededError,
  NotFoundError,
  OutcomeUnknownError,
} from "../errors.ts";
import { equals } from "../filters.ts";
import { readRootfs, type Rootfs } from "../image/rootfs.ts";
import type { Image } from "../images.ts";
import { parseConfig } from "../oci/config.ts";
import { containerLabels, stopSignalLabel } from "../oci/container_labels.ts";
import { checkIdentifier } from "../oci/identifier.ts";
import { parseProcessConfig, type ProcessConfig } from "../oci/process_config.ts";
import { quoted } from "../oci/quoted.ts";
import { buildSpec, type SpecOptions } from "../oci/spec.ts";
import type { RuntimeSpec, RuntimeUser } from "../oci/spec/runtime_spec.ts";
import { resolveUser, type UserFiles } from "../oci/spec/user.ts";
import type { Progress } from "../progress.ts";
import type { HeldLease } from "../leases.ts";
import { Comeback, isLost } from "./comeback.ts";
import { readHost } from "./host.ts";
import type { Mount } from "../snapshots.ts";
import type { CallOptions } from "../transport/transport.ts";
import { readUserFiles, readUserFilesBelow } from "./user_files.ts";

/** A container to make: of an image, of a folder, or as a spec says. */
export interface ContainerOptions extends SpecOptions, CallOptions {
  /** Up to 76 letters and digits, between which `.`, `_` and `-` may stand. */
  id: string;
  /** Unpacked if it is not. */
  image?: Pick<Image, "name" | "target" | "labels"> | undefined;
  /** The absolute path of a folder to use as it is, instead of an image. */
  rootfs?: string | undefined;
  /** Says everything, instead of an image. */
  spec?: RuntimeSpec | undefined;
  /** `USER` or `USER:GROUP`, by name or number. Default: that of the image, or root. */
  user?: string | undefined;
  /** Paths of devices of the host, or of folders of them. */
  devices?: readonly string[] | undefined;
  /** By key, besides those of the image. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** Default: that of the namespace's label `containerd.io/defaults/runtime`, or `io.containerd.runc.v2`. */
  runtime?: string | undefined;
  /** Default: that of the namespace's label `containerd.io/defaults/snapshotter`, or `overlayfs`. */
  snapshotter?: string | undefined;
  /** `linux/arm64`. Default: that of this machine. */
  platform?: string | undefined;
  /** Called with what is unpacked. */
  onProgress?: ((state: Progress) => void) | undefined;
}

/** A container that was made, and what its first process will see as its root. */
export interface CreatedContainer {
  /** The one that was asked for. */
  id: string;
  /** Empty for one without a snapshot. */
  rootfs: Mount[];
}

const cleanupMs = 10_000;

/**
 * Makes a container with a snapshot of its own, and does not start it. When that fails, nothing of it is left.
 *
 * ```ts
 * import { createContainer, type NamespacedClient, startTask } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const image = await client.images.get("docker.io/library/nginx:latest");
 *   await createContainer(client, { id: "web", image, env: ["TZ=UTC"], memoryLimit: 256 * 1024 * 1024 });
 *   await startTask(client, "web", { output: new URL("file:///var/log/web.log") });
 * }
 * ```
 *
 * @throws {NotFoundError} when a part of the image is missing.
 * @throws {NoSuchPlatformError} when it is for other platforms only.
 * @throws {AlreadyExistsError} when there is a container of that id, or a snapshot.
 * @throws {SyntaxError} when the id, the user or a document of the image is malformed, or nothing says what to run.
 */
export async function createContainer(
  client: NamespacedClient,
  options: ContainerOptions,
): Promise<CreatedContainer> {
  return await makeContainer(client, { options, comeback: new Comeback(client) });
}

/** The same for somebody who has more to clear up than this has. */
export async function makeContainer(
  client: NamespacedClient,
  { options, comeback }: { options: ContainerOptions; comeback: Comeback },
): Promise<CreatedContainer> {
  const { id, signal, timeoutMs } = options;
  checkIdentifier(id, "a container id");
  const call = { signal, timeoutMs };
  const { image, platform } = options;
  const choosing = chooseBase(client, options);
  if (image === undefined) {
    return await new Maker(client, { options, call, comeback, ...await choosing }).makeWithoutImage();
  }
  const reading = Promise.all([readRootfs(client, image, { platform, action: "run", ...call }), choosing]);
  reading.catch(() => {}); // thrown below
  const labels = { "davit/operation": "containers create" };
  const lease = await client.leases.acquire({ prefix: "davit-create", labels }, call);
  try {
    const [rootfs, base] = await reading;
    const maker = new Maker(client.withLease(lease.id), { options, call, comeback, ...base });
    return await maker.makeFromImage(image, rootfs);
  } catch (error) {
    await comeback.after(error);
    throw error;
  } finally {
    await release(client, { lease, comeback });
  }
}

/** Lets go of a lease. When containerd is lost, it looks for it first before it deletes it once more; else it expires. */
async function release(
  { leases }: NamespacedClient,
  { lease, comeback }: { lease: HeldLease; comeback: Comeback },
): Promise<void> {
  const error = await leases.delete(lease.id).then(() => undefined, (error) => error);
  if (!isLost(error)) return;
  await comeback.after(error);
  const filters = [equals("id", lease.id)];
  const left = await Array.fromAsync(leases.list({ filters, timeoutMs: cleanupMs })).catch(() => []);
  if (left.length > 0) await lease[Symbol.asyncDispose]();
}

/** What a container stands on. */
interface Base {
  runtime: string;
  snapshotter: string;
}

interface Work extends Base {
  options: ContainerOptions;
  call: CallOptions;
  comeback: Comeback;
}

/** Makes one container. */
class Maker {
  readonly #client: NamespacedClient;
  readonly #work: Work;

  constructor(client: NamespacedClient, work: Work) {
    this.#client = client;
    this.#work = work;
  }

  async makeWithoutImage(): Promise<CreatedContainer> {
    const { options: { rootfs, spec, ...options } } = this.#work;
    const files = () => (rootfs === undefined ? Promise.resolve({}) : readUserFilesBelow(rootfs));
    await this.#create({
      spec: spec ?? await this.#buildSpec({ files }),
      labels: { ...options.labels },
    });
    return { id: options.id, rootfs: [] };
  }

  /** The client's lease has to hold the snapshot until the container does. */
  async makeFromImage(
    image: NonNullable<ContainerOptions["image"]>,
    { config: { digest }, configBytes, chainId }: Rootfs,
  ): Promise<CreatedContainer> {
    const { snapshotter, options: { id, labels } } = this.#work;
    const config = parseProcessConfig(configBytes, { digest });
    const rootfs = await this.#prepare(image, chainId);
    try {
      await this.#create({
        image: image.name,
        spec: await this.#buildSpec({ config, files: () => readUserFiles(rootfs) }),
        labels: {
          ...containerLabels(parseConfig(configBytes, { digest }).labels),
          ...containerLabels(image.labels),
          ...(config.stopSignal && { [stopSignalLabel]: config.stopSignal }),
          ...labels,
        },
        snapshotter,
        snapshotKey: id,
      });
      return { id, rootfs };
    } catch (error) {
      await this.#work.comeback.after(error);
      await this.#client.snapshots(snapshotter).remove(id, { timeoutMs: cleanupMs }).catch(() => {});
      throw error;
    }
  }

  /** Makes the container's own snapshot on top of those of the image, which is unpacked if need be. */
  async #prepare(image: Pick<Image, "name" | "target">, parent: string): Promise<Mount[]> {
    const { call, snapshotter, options: { id, platform, onProgress } } = this.#work;
    const snapshots = this.#client.snapshots(snapshotter);
    try {
      return await snapshots.prepare({ key: id, parent }, call);
    } catch (error) {
      if (error instanceof AlreadyExistsError) throw await this.#taken(error);
      if (isUncertain(error)) {
        await this.#work.comeback.after(error);
        await snapshots.remove(id, { timeoutMs: cleanupMs }).catch(() => {});
      }
      if (!(error instanceof NotFoundError)) throw error;
    }
    const { unpackImage } = await import("../image/unpack.ts"); // seldom needed
    await unpackImage(this.#client, image, { platform, snapshotter, onProgress, ...call });
    return await snapshots.prepare({ key: id, parent }, call);
  }

  async #create(
    container: {
      image?: string;
      spec: RuntimeSpec;
      labels: Record<string, string>;
      snapshotter?: string;
      snapshotKey?: string;
    },
  ): Promise<void> {
    const { call, runtime, options: { id } } = this.#work;
    const { containers } = this.#client;
    try {
      await containers.create({ id, runtime, ...container }, call);
    } catch (error) {
      if (isUncertain(error)) {
        await this.#work.comeback.after(error);
        await containers.delete(id, { timeoutMs: cleanupMs }).catch(() => {});
      }
      throw error;
    }
  }

  async #buildSpec(
    { config, files }: { config?: ProcessConfig; files: () => Promise<UserFiles> },
  ): Promise<RuntimeSpec> {
    const { options } = this.#work;
    const user = await userFor(options.user ?? config?.user ?? "", files);
    const { devices, privileged = false, hostNetwork = false, id, rootfs } = options;
    const host = await readHost({ ...(devices && { devices }), privileged, hostNetwork });
    return buildSpec({ namespace: this.#client.name, id, image: config, rootfs, user, host, options });
  }

  /** A snapshot without a container is what a run leaves that was killed at a bad moment. */
  async #taken(error: AlreadyExistsError): Promise<Error> {
    const { call, snapshotter, options: { id } } = this.#work;
    const isContainer = await this.#client.containers.get(id, call).then(() => true, () => false);
    const details = { ...error.details, action: "create", resource: `container ${quoted(id)}` };
    if (isContainer) return containerdError({ ...details, reason: "already exists" });
    const reason = `there is a snapshot of that key in ${snapshotter}, of no container`;
    return containerdError({ ...details, reason });
  }
}

/** Numbers for both user and group need no files, and so no root. */
async function userFor(text: string, files: () => Promise<UserFiles>): Promise<RuntimeUser> {
  return resolveUser(text, /^\d+:\d+$/.test(text) && !isRoot() ? {} : await files());
}

/** A sandbox does not say who runs it, and lets nobody read what root may. */
function isRoot(): boolean {
  try {
    return Deno.uid() === 0;
  } catch {
    return false;
  }
}

/** What the options say, else the namespace's labels, else what containerd takes. */
async function chooseBase(
  { name, namespaces }: NamespacedClient,
  { runtime, snapshotter, signal, timeoutMs }: ContainerOptions,
): Promise<Base> {
  const all = await Array.fromAsync(namespaces.list({ signal, timeoutMs }));
  const labels = all.find((namespace) => namespace.name === name)?.labels ?? {};
  return {
    runtime: runtime ?? labels["containerd.io/defaults/runtime"] ?? "io.containerd.runc.v2",
    snapshotter: snapshotter ?? labels["containerd.io/defaults/snapshotter"] ?? "overlayfs",
  };
}

/** It may have been done all the same. */
function isUncertain(error: unknown): boolean {
  return error instanceof OutcomeUnknownError || error instanceof DeadlineExceededError;
}
