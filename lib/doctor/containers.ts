import { NotFoundError } from "../errors.ts";
import { snapshotKey } from "../gc/graph.ts";
import { quoted } from "../oci/quoted.ts";
import { argument, davitIn, type Finding } from "./finding.ts";
import type { NamespaceScene, Scene } from "./scene.ts";
import type { CallOptions } from "../transport/transport.ts";

/** Finds containers without what they stand on: their image, their snapshot, or what keeps snapshots. */
export async function* findBrokenContainers(
  { namespaces, snapshotters, options }: Scene,
): AsyncIterable<Finding> {
  for (const scene of namespaces) {
    const names = new Set(scene.images.map(({ name }) => name));
    for (const { id, image, snapshotter, snapshotKey: key } of scene.containers) {
      const common = { namespace: scene.name, what: `container ${quoted(id)}` };
      const removal = davitIn(scene.name, "containers", "remove", id);
      if (image !== "" && !names.has(image) && await isImageGone(scene, image, options)) {
        yield {
          ...common,
          check: "container-without-image",
          severity: "warning",
          why: `its image ${quoted(image)} is gone; it can be run, and not be made again`,
          commands: [davitIn(scene.name, "images", "pull", ...argument(image))],
        };
      }
      if (key === "") continue;
      if (!snapshotters.includes(snapshotter)) {
        yield {
          ...common,
          check: "snapshotter-not-loaded",
          severity: "error",
          why: `it is in snapshotter ${quoted(snapshotter)}, which containerd has not or could not start`,
          commands: [["davit", "daemon", "plugins"]],
        };
      } else if (await isSnapshotGone(scene, { snapshotter, key, options })) {
        yield {
          ...common,
          check: "container-without-snapshot",
          severity: "error",
          why: `its snapshot ${quoted(key)} in ${snapshotter} is gone, and with it all that it wrote`,
          commands: [removal],
        };
      }
    }
  }
}

async function isImageGone(
  { inside }: NamespaceScene,
  image: string,
  options: CallOptions,
): Promise<boolean> {
  try {
    await inside.images.get(image, options);
    return false; // it came after the list
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    throw error;
  }
}

async function isSnapshotGone(
  { inside, graph }: NamespaceScene,
  { snapshotter, key, options }: { snapshotter: string; key: string; options: CallOptions },
): Promise<boolean> {
  if (graph.nodes.has(snapshotKey(snapshotter, key))) return false;
  try {
    await inside.snapshots(snapshotter).stat(key, options);
    return false; // it came after the list
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    throw error;
  }
}
