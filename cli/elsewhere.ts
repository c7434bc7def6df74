import {
  findImage,
  type Image,
  mapNamespaces,
  type NamespacedClient,
  nearest,
  NotFoundError,
  selectImages,
} from "../mod.ts";
import { CliError } from "./errors.ts";
import type { VerbContext } from "./verb.ts";

type Context = Pick<VerbContext, "allNamespaces" | "client" | "namespace" | "signal">;

/** How many namespaces a hint names. */
const namedAtMost = 3;

/** Says which other namespaces have what this one lacks: `"k8s.io" and 2 more`; `undefined` when none has. */
export async function elsewhere(
  { client, namespace, signal }: Omit<Context, "allNamespaces">,
  find: (client: NamespacedClient) => AsyncIterable<unknown>,
): Promise<string | undefined> {
  const places: string[] = [];
  const work = async (client: NamespacedClient) =>
    client.name !== namespace && await hasAny(find(client)) && client.name;
  for await (const place of mapNamespaces(await client(), work, { signal })) {
    if (place) places.push(JSON.stringify(place));
  }
  const more = places.splice(namedAtMost).length;
  if (more > 0) places.push(`${more} more`);
  return places.length < 2 ? places[0] : `${places.slice(0, -1).join(", ")} and ${places.at(-1)}`;
}

/**
 * An image by its name or a short form of it.
 *
 * @throws {CliError} when there is none, with a hint where it is.
 */
export async function requireImage(
  client: NamespacedClient,
  { name, action, context }: { name: string; action: string; context: Context },
): Promise<Image> {
  try {
    return await findImage(client, name, { signal: context.signal });
  } catch (error) {
    throw error instanceof NotFoundError ? await missingImage(name, { action, context }) : error;
  }
}

/** The error for a name or glob that no image has, here or with `-A` anywhere. */
export async function missingImage(
  pattern: string,
  { action, context }: { action: string; context: Context },
): Promise<CliError> {
  const { allNamespaces, namespace } = context;
  const where = allNamespaces ? "any namespace" : `namespace ${JSON.stringify(namespace)}`;
  const hint = allNamespaces ? undefined : await hintForImage(pattern, context);
  const message = `Cannot ${action} image ${JSON.stringify(pattern)} in ${where}: not found`;
  return new CliError(message, { code: "not_found", hint });
}

/** The error for a blob that is not there, here or with `-A` anywhere. */
export async function missingContent(
  digest: string,
  { action, context }: { action: string; context: Context },
): Promise<CliError> {
  const { allNamespaces, namespace, signal } = context;
  const where = allNamespaces ? "any namespace" : `namespace ${JSON.stringify(namespace)}`;
  const places = allNamespaces ? undefined : await elsewhere(context, async function* ({ content }) {
    if (await content.find(digest, { signal })) yield digest;
  });
  const hint = places && `it is in namespace ${places}`;
  return new CliError(`Cannot ${action} content ${digest} in ${where}: not found`, {
    code: "not_found",
    hint,
  });
}

/** For `catch` behind a call about a namespace: where it is not there, says which one was probably meant. */
export function nearNamespace(
  name: string,
  { client, signal }: Pick<Context, "client" | "signal">,
): (error: unknown) => Promise<never> {
  return async (error) => {
    if (!(error instanceof NotFoundError)) throw error;
    const near = await nearAbsent(name, { client, signal });
    const hint = near && `did you mean ${JSON.stringify(near)}?`;
    throw new CliError(error.message, { code: error.code, hint, cause: error });
  };
}

/** The namespace that was probably meant by a name that none has. */
export async function nearAbsent(
  name: string,
  { client, signal }: Pick<Context, "client" | "signal">,
): Promise<string | undefined> {
  const names = await Array.fromAsync((await client()).namespaces.list({ signal }), ({ name }) => name);
  return names.includes(name) ? undefined : nearest(name, names);
}

async function hintForImage(pattern: string, context: Context): Promise<string | undefined> {
  const { client, namespace, signal } = context;
  const here = (await client()).namespace(namespace);
  const complete = await findImage(here, pattern, { signal }).catch(() => undefined);
  if (complete) return `did you mean ${JSON.stringify(complete.name)}?`;
  const places = await elsewhere(context, async function* (client) {
    const { images } = await selectImages(client, [pattern], { signal });
    yield* images.length > 0 ? images : await findImage(client, pattern, { signal }).then(Array.of, () => []);
  });
  return places && `it is in namespace ${places}`;
}

async function hasAny(items: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of items) return true;
  return false;
}
