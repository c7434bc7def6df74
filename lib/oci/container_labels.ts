/** Prefixes of labels with which containerd and Kubernetes are told what to do, such as what to start again as root. */
const reservedPrefixes = ["containerd.io/", "io.containerd.", "io.cri-containerd"];

/** What containerd allows a key and its value to have together. */
const maxBytes = 4096;

/** The label that says how a container wants to be told to end. */
export const stopSignalLabel = "io.containerd.image.config.stop-signal";

/** The labels of an image that its containers get: none that means something to whoever runs them. */
export function containerLabels(imageLabels: Readonly<Record<string, string>>): Record<string, string> {
  const encoder = new TextEncoder();
  return Object.fromEntries(
    Object.entries(imageLabels).filter(([key, value]) =>
      key !== "" && value !== "" && encoder.encode(key + value).length <= maxBytes &&
      !reservedPrefixes.some((prefix) => key.startsWith(prefix))
    ),
  );
}
