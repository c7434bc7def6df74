/** The label by which the kubelet leaves an image alone when it makes room on the disk. */
const pinnedLabel = "io.cri-containerd.pinned";

/** The labels that pin an image, or take its pin away. */
export function pinLabels(pinned: boolean): Record<string, string> {
  return { [pinnedLabel]: pinned ? "pinned" : "" };
}

/**
 * Whether an image is pinned.
 *
 * ```ts
 * import { isPinned, pinLabels } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * assertEquals(isPinned({ labels: pinLabels(true) }), true);
 * ```
 */
export function isPinned({ labels }: { labels: Readonly<Record<string, string>> }): boolean {
  return labels[pinnedLabel] === "pinned";
}
