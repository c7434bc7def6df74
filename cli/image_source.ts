/** The image of a container: one that is there, or that a registry has. */
import { findImage, type Image, type NamespacedClient, NotFoundError, type Options } from "../mod.ts";
import { requireImage } from "./elsewhere.ts";
import { CliError } from "./errors.ts";
import { registryOptions } from "./registry_options.ts";
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
  // Most containers are of images that are there: what pulls is much to load.
  const pulled = async () => await (await import("./pulled_image.ts")).pulledImage(client, name, context);
  if (pull === "always") return await pulled();
  if (pull === "missing") {
    return await findImage(client, name, { signal }).catch(async (error) => {
      if (!(error instanceof NotFoundError)) throw error;
      return await pulled();
    });
  }
  return await requireImage(client, { name, action: "run", context }).catch((error) => {
    if (!(error instanceof CliError) || error.hint !== undefined) throw error;
    throw new CliError(error.message, { code: error.code, hint: "--pull missing pulls it", cause: error });
  });
}
