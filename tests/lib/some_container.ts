import { busyboxImage, importWithCtr, ociArchive } from "../real/images.ts";
import type { DaemonSetting } from "./both_transports.ts";

/** The image that {@linkcode importBusybox} brings. */
export const busyboxName = "docker.io/library/busybox:latest";

/** Imports and unpacks an image that runs. */
export async function importBusybox({ containerd, namespaced }: DaemonSetting): Promise<void> {
  const archive = ociArchive([await busyboxImage(busyboxName)]);
  await importWithCtr(containerd, namespaced.name, archive, { unpack: true });
}

/** Creates a container of busybox by means of ctr, and does not start it. */
export async function createContainer(
  { containerd, namespaced }: DaemonSetting,
  id: string,
  flags: string[] = [],
): Promise<void> {
  await containerd.ctr(["containers", "create", ...flags, busyboxName, id], { namespace: namespaced.name });
}
