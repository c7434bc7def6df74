import type { Image } from "../images.ts";
import { isContentDigest } from "../oci/descriptor.ts";
import { isAlias, repositoryOf } from "./choice.ts";
import type { RetentionDecision } from "./retention.ts";

/**
 * Kubernetes files an image under its tags, under each repository with its digest, and under the digest of its config.
 * The digests go with the last name that they belong to, judged or not, and never without it: a repository's digest
 * belongs to the tags there, that of the config to all of them.
 */
export function settleAliases(
  decisions: Map<string, RetentionDecision>,
  images: readonly Image[],
): void {
  const targets = new Set([...decisions.values()].map(({ image }) => image.target.digest));
  for (const [target, names] of Map.groupBy(images, ({ target }) => target.digest)) {
    if (!targets.has(target)) continue;
    const isId = ({ name }: Image) => isContentDigest(name);
    const [ids, others] = [names.filter(isId), names.filter((image) => !isId(image))];
    const [digests, tags] = [others.filter(isAlias), others.filter((image) => !isAlias(image))];
    for (const image of digests) {
      const repository = repositoryOf(image.name);
      follow(image, tags.filter(({ name }) => repositoryOf(name) === repository), decisions);
    }
    for (const image of ids) follow(image, others, decisions);
  }
}

/** Lets a name do as those to which it belongs do. */
function follow(image: Image, owners: readonly Image[], decisions: Map<string, RetentionDecision>): void {
  const [first] = owners;
  if (first === undefined) return;
  const staying = owners.find(({ name }) => decisions.get(name)?.action !== "remove");
  if (staying === undefined) {
    decisions.set(image.name, { image, action: "remove", reason: `belongs to ${first.name}, which goes` });
  } else if (decisions.has(image.name)) {
    decisions.set(image.name, { image, action: "keep", reason: `belongs to ${staying.name}, which stays` });
  }
}
