/** The image of a container: one that is there, or that a registry has. */
import {
  findImage,
  type Image,
  type NamespacedClient,
  NotFoundError,
  type Options,
  pullImages,
} from "../mod.ts";
import { requireImage } from "./elsewhere.ts";
import { CliError } from "./errors.ts";
import { registryOptions } from "./registry.ts";
import type { VerbContext } from "./verb.ts";

const { plainHttp, skipVerify, hostsDir } = registryOptions;

/** The options that say whether an image is pulled. A user has another meaning here: who logs in is in docker's file. */
export const pullOptions = {
  pull: {
    type: "string",
    choices: ["missing", "always", "never"],
    default: "never",
    placeholder: "WHEN",
    summary: "when to pull the image",
  },
  ...{ plainHttp, skipVerify, hostsDir },
} as const satisfies Options;

/**
 * Finds the image of that name, or pulls it.
 *
 * @throws {CliError} when there is none, with a hint where it is or how it comes.
 */
export async function imageFor(
  client: NamespacedClient,
  name: string,
  context: VerbContext<typeof pullOptions>,
): Promise<Image> {
  const { options: { pull }, signal } = context;
  if (pull === "always") return await pulled(client, name, context);
  if (pull === "missing") {
    return await findImage(client, name, { signal }).catch(async (error) => {
      if (!(error instanceof NotFoundError)) throw error;
      return await pulled(client, name, context);
    });
  }
  return await requireImage(client, { name, action: "run", context }).catch((error) => {
    if (!(error instanceof CliError) || error.hint !== undefined) throw error;
    throw new CliError(error.message, { code: error.code, hint: "--pull missing pulls it", cause: error });
  });
}

async function pulled(
  client: NamespacedClient,
  name: string,
  { options, progress, signal, registry: open }: VerbContext<typeof pullOptions>,
): Promise<Image> {
  const { plainHttp, skipVerify, hostsDir } = options;
  const flags = { user: undefined, passwordStdin: false, ca: [], cert: undefined, key: undefined };
  await using registry = await open(name, { ...flags, plainHttp, skipVerify, hostsDir });
  // What is unpacked and where, is for whoever makes the container.
  for await (
    const result of pullImages(client, [name], { registry, unpack: false, onProgress: progress, signal })
  ) {
    if (result.error !== undefined) throw result.error;
    return await client.images.get(result.image, { signal });
  }
  throw new Error(`Cannot pull image ${JSON.stringify(name)}: nothing came`);
}
