import type { NamespacedClient } from "../client.ts";
import { contentReferences } from "../gc/references.ts";
import type { Image } from "../images.ts";
import type { CallOptions } from "../transport/transport.ts";
import { lacking, unbound } from "./copy_labels.ts";
import type { Found } from "./presence.ts";

/** A single image is read with less than it takes to list all content of two namespaces. */
const worthListing = 2;

/** Where an image is to be, under which name, and what images are there. */
export interface CopyTarget {
  client: NamespacedClient;
  images: ReadonlyMap<string, Image>;
}

/**
 * The images that every target has just as the source does: the same target digest, and below it all that labels lead
 * to; and the labels that they are to have. They need not be read. An image with parts that the source lacks is never among them.
 */
export async function findUnchanged(
  images: readonly Image[],
  { source, targets, rename, labels, options }: {
    source: NamespacedClient;
    targets: readonly CopyTarget[];
    rename: (name: string) => string;
    labels: Readonly<Record<string, string>>;
    options: CallOptions;
  },
): Promise<Set<Image>> {
  const alike = images.filter(({ name, target }) =>
    targets.every(({ images }) => {
      const there = images.get(rename(name));
      return there?.target.digest === target.digest &&
        Object.keys(lacking(labels, there.labels)).length === 0;
    })
  );
  if (alike.length < worthListing) return new Set();
  const clients = [source, ...targets.map(({ client }) => client)];
  const [here, ...everywhere] = await Promise.all(clients.map((client) => contentOf(client, options)));
  const unchanged = everywhere.map((there) => new Comparison(here!, there));
  return new Set(alike.filter(({ target }) => unchanged.every((both) => both.isSame(target.digest))));
}

async function contentOf({ content }: NamespacedClient, options: CallOptions): Promise<Found> {
  const found = new Map();
  for await (const info of content.list(options)) found.set(info.digest, info);
  return found;
}

/** What two namespaces have in common. */
class Comparison {
  readonly #here: Found;
  readonly #there: Found;
  readonly #known = new Map<string, boolean>();

  constructor(here: Found, there: Found) {
    this.#here = here;
    this.#there = there;
  }

  /** Whether a document and all below it are the same there. One that refers to nothing tells too little. */
  isSame(digest: string): boolean {
    return contentReferences(this.#here.get(digest)?.labels ?? {}).length > 0 && this.#isSameBelow(digest);
  }

  #isSameBelow(digest: string): boolean {
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    this.#known.set(digest, true); // content cannot refer to itself but by labels gone wrong
    const [here, there] = [this.#here.get(digest), this.#there.get(digest)];
    const isSame = here !== undefined && there !== undefined &&
      Object.keys(lacking(wanted(here.labels), there.labels)).length === 0 &&
      contentReferences(here.labels).every((child) => this.#isSameBelow(child));
    this.#known.set(digest, isSame);
    return isSame;
  }
}

/** What a copy would give a blob there, with the references that its document stands behind. */
function wanted(labels: Readonly<Record<string, string>>): Record<string, string> {
  const references = Object.entries(labels).filter(([label]) =>
    label.startsWith("containerd.io/gc.ref.content")
  );
  return { ...unbound(labels), ...Object.fromEntries(references) };
}
