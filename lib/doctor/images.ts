import type { NamespacedClient } from "../client.ts";
import { NotFoundError } from "../errors.ts";
import { checkImages } from "../image/check.ts";
import type { Image } from "../images.ts";
import { parseReference } from "../oci/reference.ts";
import { quoted } from "../oci/quoted.ts";
import { argument, davitIn, type Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";
import type { CallOptions } from "../transport/transport.ts";

/** Finds images of which this machine's platform lacks parts. One that is for other platforms only lacks nothing. */
export async function* findBrokenImages({ namespaces, options }: Scene): AsyncIterable<Finding> {
  for (const { name: namespace, inside, images, graph } of namespaces) {
    const known = new Set(
      [...graph.nodes.values()].flatMap(({ kind, id }) => kind === "content" ? [id] : []),
    );
    const checks = checkImages(inside, images, { known, ...options });
    for await (const { image, status, missing, reason } of checks) {
      if (status === "complete" || (status !== "error" && missing.length === 0)) continue;
      if (!await isStill(inside, image, options)) continue; // it was removed while it was looked at
      const lack = missing.length === 0
        ? reason
        : `${missing.length} blobs are missing: ${missing[0]!.digest}`;
      yield {
        check: "broken-image",
        severity: "error",
        namespace,
        what: `image ${quoted(image.name)}`,
        why: `${lack}${missing.length > 1 ? ", …" : ""}; no new container can be made from it`,
        commands: [
          isReference(image.name)
            ? davitIn(namespace, "images", "pull", ...argument(image.name))
            : davitIn(namespace, "images", "remove", ...argument(image.name)),
        ],
      };
    }
  }
}

/** Whether an image that was listed is there, and points to the same. */
async function isStill(
  { images }: NamespacedClient,
  { name, target }: Image,
  options: CallOptions,
): Promise<boolean> {
  try {
    return (await images.get(name, options)).target.digest === target.digest;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

/** Whether a registry can be asked for it. */
function isReference(name: string): boolean {
  try {
    return parseReference(name, { defaults: false }).domain !== "";
  } catch {
    return false;
  }
}
