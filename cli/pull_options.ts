import type { Options } from "../mod.ts";
import { registryOptions } from "./registry_options.ts";

/** The options of verbs that pull. */
export const pullOptions = {
  platform: {
    type: "list",
    commas: true,
    placeholder: "OS/ARCH",
    summary: "only these platforms [this machine's]",
  },
  allPlatforms: { type: "boolean", summary: "all platforms" },
  label: { type: "list", placeholder: "KEY=VALUE", summary: "label of the images" },
  maxConcurrentDownloads: {
    type: "integer",
    min: 1,
    max: 64,
    default: 3,
    placeholder: "N",
    summary: "blobs that come at once, of all images together",
  },
  ...registryOptions,
} as const satisfies Options;
