import type { Descriptor } from "../../lib/oci/descriptor.ts";

/** A manifest that nobody has: containerd does not look. */
export const someTarget: Descriptor = {
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: `sha256:${"5".repeat(64)}`,
  size: 529,
};

/** What `images.create` takes, for tests that care for no more than the name. */
export function someImage(name: string): { name: string; target: Descriptor } {
  return { name, target: someTarget };
}
