import { quoted } from "../oci/quoted.ts";
import { assertImageName } from "../oci/reference.ts";
import type { ArchivedImage } from "./oci_layout.ts";

/** Which names the images of an archive get. */
export interface ImportNames {
  /**
   * The repository of names that are a tag alone. When it is given, names that an archive of OCI gives in full count
   * only if they begin with it. Default: `import-<date>`.
   */
  baseName?: string | undefined;
  /** Every image gets a name by its digest, too: that of the repository, `@` and the digest. */
  digests?: boolean | undefined;
  /** A name for the archive's index of all its images, which is not kept otherwise. */
  indexName?: string | undefined;
}

/** An image and a name that it gets. */
export interface NamedImage extends Pick<ArchivedImage, "target"> {
  name: string;
}

/**
 * The names of images, each once. An image without a name gets one by its digest, unless the index
 * of all has a name.
 *
 * @throws {SyntaxError} when two images have one name, a name is no reference, or no image is left.
 */
export function nameImages(images: readonly ArchivedImage[], names: ImportNames): NamedImage[] {
  const found = new Map<string, NamedImage>();
  for (const image of images) {
    for (const name of namesOf(image, names)) {
      const { target } = found.get(name) ?? image;
      if (target.digest !== image.target.digest) {
        throw new SyntaxError(`Cannot import archive: it has two images named ${quoted(name)}`);
      }
      found.set(name, { name, target: image.target });
    }
  }
  if (found.size > 0 || names.indexName !== undefined) return [...found.values()];
  throw new SyntaxError(
    `Cannot import archive: the name of no image in it begins with ${quoted(names.baseName!)}`,
  );
}

function namesOf(
  { name, ref, target: { digest } }: ArchivedImage,
  { baseName, digests, indexName }: ImportNames,
): string[] {
  const repository = baseName ?? `import-${new Date().toISOString().slice(0, 10)}`;
  const byDigest = `${repository}@${digest}`;
  const given = name ?? (ref && fullName(ref, { repository, filters: baseName !== undefined }));
  if (given !== undefined) assertImageName(given);
  if (given !== undefined) return digests ? [given, byDigest] : [given];
  return digests || (ref === undefined && indexName === undefined) ? [byDigest] : [];
}

/** `undefined` for a name of another repository. */
function fullName(
  ref: string,
  { repository, filters }: { repository: string; filters: boolean },
): string | undefined {
  if (!/[/:@]/.test(ref)) return `${repository}:${ref}`;
  const isUnder = ref.startsWith(repository) && /^[/:@]?$/.test(ref.charAt(repository.length));
  return filters && !isUnder ? undefined : ref;
}
