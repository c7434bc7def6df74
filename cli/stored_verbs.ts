/** The nouns and verbs for what containerd keeps: a part of the list in `verbs.ts`. */
import type { Noun } from "./verbs.ts";

const list = { name: "list", aliases: ["ls"] };
const create = { name: "create", aliases: ["c"] };
const remove = { name: "remove", aliases: ["rm", "delete", "del"] };

export const storedNouns: readonly Noun[] = [
  {
    name: "images",
    aliases: ["image", "i"],
    summary: "Names for what containers are made from",
    verbs: [
      { ...list, summary: "List images", load: () => import("./verbs/images/list.ts") },
      { name: "tag", summary: "Give an image more names", load: () => import("./verbs/images/tag.ts") },
      {
        name: "label",
        summary: "Set and remove labels of an image, or show them",
        load: () => import("./verbs/images/label.ts"),
      },
      {
        name: "pin",
        summary: "Keep images from being removed by Kubernetes when the disk is full",
        load: () => import("./verbs/images/pin.ts"),
      },
      {
        name: "unpin",
        summary: "Let Kubernetes remove images again when the disk is full",
        load: () => import("./verbs/images/unpin.ts"),
      },
      {
        name: "inspect",
        summary: "Show all that an image consists of, and what of it is there",
        load: () => import("./verbs/images/inspect.ts"),
      },
      {
        name: "history",
        summary: "Show the steps in which an image was built, the last one first",
        load: () => import("./verbs/images/history.ts"),
      },
      {
        name: "import",
        summary: "Import images from an OCI or docker archive, and unpack them",
        load: () => import("./verbs/images/import.ts"),
      },
      {
        name: "pull",
        summary: "Pull images from registries, and unpack them",
        load: () => import("./verbs/images/pull.ts"),
      },
      {
        name: "push",
        summary: "Push an image to a registry",
        load: () => import("./verbs/images/push.ts"),
      },
      {
        name: "export",
        summary: "Write images to an archive that containerd and docker read",
        load: () => import("./verbs/images/export.ts"),
      },
      {
        name: "copy",
        summary:
          "Copy images to other namespaces of the same containerd, without moving bytes where it shares them",
        load: () => import("./verbs/images/copy.ts"),
      },
      {
        name: "unpack",
        summary: "Unpack the layers of images into snapshots, from which containers start",
        load: () => import("./verbs/images/unpack.ts"),
      },
      {
        name: "usage",
        summary: "Show what the layers of an unpacked image take of the disk",
        load: () => import("./verbs/images/usage.ts"),
      },
      {
        name: "df",
        summary: "Show what of the content of images is theirs alone, and what others have too",
        load: () => import("./verbs/images/df.ts"),
      },
      {
        name: "mount",
        summary: "Mount the files of an image at a folder of this machine, to read them",
        load: () => import("./verbs/images/mount.ts"),
      },
      {
        name: "unmount",
        aliases: ["umount"],
        summary: "Unmount the files of an image",
        load: () => import("./verbs/images/unmount.ts"),
      },
      {
        name: "check",
        summary: "Check whether all content of images is there",
        load: () => import("./verbs/images/check.ts"),
      },
      {
        name: "prune",
        summary: "Remove images that rules let go, and say why the others stay",
        load: () => import("./verbs/images/prune.ts"),
      },
      {
        ...remove,
        summary: "Remove images; content that nothing else needs is collected afterwards",
        load: () => import("./verbs/images/remove.ts"),
      },
    ],
  },
  {
    name: "content",
    summary: "The blobs that images are made of",
    verbs: [
      {
        ...list,
        summary: "List blobs",
        load: () => import("./verbs/content/list.ts"),
      },
      {
        name: "get",
        summary: "Print the bytes of a blob, checked against its digest",
        load: () => import("./verbs/content/get.ts"),
      },
      {
        name: "fetch",
        summary: "Fetch the content of images from registries, and the images, without unpacking them",
        load: () => import("./verbs/content/fetch.ts"),
      },
      {
        name: "info",
        summary: "Show size, age and labels of a blob",
        load: () => import("./verbs/content/info.ts"),
      },
      {
        name: "ingest",
        summary: "Write a blob; unless a lease holds it, it stays until it is removed",
        load: () => import("./verbs/content/ingest.ts"),
      },
      {
        name: "label",
        summary: "Set and remove labels of a blob, or show them",
        load: () => import("./verbs/content/label.ts"),
      },
      {
        name: "active",
        summary: "List blobs that are being written, or were not written to their end",
        load: () => import("./verbs/content/active.ts"),
      },
      {
        name: "abort",
        summary: "Throw away what was written of blobs that are not complete",
        load: () => import("./verbs/content/abort.ts"),
      },
      {
        name: "verify",
        summary: "Check that the bytes of blobs are those that their digests name",
        load: () => import("./verbs/content/verify.ts"),
      },
      {
        name: "prune",
        summary: "Remove blobs that nothing refers to, and writes that were given up",
        load: () => import("./verbs/content/prune.ts"),
      },
      {
        ...remove,
        summary: "Remove blobs, even those that an image needs",
        load: () => import("./verbs/content/remove.ts"),
      },
    ],
  },
  {
    name: "snapshots",
    aliases: ["snapshot"],
    summary: "File systems of containers, and the layers that they stand on",
    verbs: [
      { ...list, summary: "List snapshots", load: () => import("./verbs/snapshots/list.ts") },
      {
        name: "tree",
        summary: "List snapshots as a tree, each below its parent",
        load: () => import("./verbs/snapshots/tree.ts"),
      },
      {
        name: "info",
        summary: "Show all about a snapshot",
        load: () => import("./verbs/snapshots/info.ts"),
      },
      {
        name: "usage",
        summary: "Show what snapshots take, each without its parents",
        load: () => import("./verbs/snapshots/usage.ts"),
      },
      {
        name: "prepare",
        summary: "Make a snapshot to write to, and show how to mount it",
        load: () => import("./verbs/snapshots/prepare.ts"),
      },
      {
        name: "view",
        summary: "Make a snapshot to read from, and show how to mount it",
        load: () => import("./verbs/snapshots/view.ts"),
      },
      {
        name: "mounts",
        aliases: ["mount", "m"],
        summary: "Print the commands that mount a snapshot, for a shell",
        load: () => import("./verbs/snapshots/mounts.ts"),
      },
      {
        name: "commit",
        summary: "Make a snapshot that was written to a parent for others, under a new name",
        load: () => import("./verbs/snapshots/commit.ts"),
      },
      {
        name: "diff",
        summary: "Print what a snapshot has beyond its parent, or another one beyond it, as a layer",
        load: () => import("./verbs/snapshots/diff.ts"),
      },
      {
        name: "unpack",
        summary: "Unpack the layers of the image that has a digest",
        load: () => import("./verbs/snapshots/unpack.ts"),
      },
      {
        name: "label",
        summary: "Set and remove labels of a snapshot, or show them",
        load: () => import("./verbs/snapshots/label.ts"),
      },
      {
        ...remove,
        summary: "Remove snapshots, children before their parents",
        load: () => import("./verbs/snapshots/remove.ts"),
      },
      {
        name: "prune",
        summary: "Remove snapshots that nothing refers to",
        load: () => import("./verbs/snapshots/prune.ts"),
      },
    ],
  },
  {
    name: "leases",
    aliases: ["lease"],
    summary: "What keeps content and snapshots from being collected as garbage",
    verbs: [
      {
        ...list,
        summary: "List leases: what keeps content from being collected while somebody works on it",
        load: () => import("./verbs/leases/list.ts"),
      },
      {
        ...create,
        summary: "Create a lease, and print its id",
        load: () => import("./verbs/leases/create.ts"),
      },
      {
        name: "info",
        summary: "Show all about a lease, with what it holds",
        load: () => import("./verbs/leases/info.ts"),
      },
      {
        name: "resources",
        summary: "List what a lease holds",
        load: () => import("./verbs/leases/resources.ts"),
      },
      {
        ...remove,
        summary: "Remove leases; what only they held is collected afterwards",
        load: () => import("./verbs/leases/remove.ts"),
      },
      {
        name: "recover",
        summary: "Remove the leases that runs of davit left behind when they died",
        load: () => import("./verbs/leases/recover.ts"),
      },
      {
        name: "prune",
        summary: "Remove leases that have expired, and those of davit's runs that died",
        load: () => import("./verbs/leases/prune.ts"),
      },
    ],
  },
];
