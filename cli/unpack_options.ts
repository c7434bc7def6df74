import type { Options } from "../mod.ts";

/** The option of verbs that unpack. */
export const unpackOptions = {
  snapshotter: {
    type: "string",
    placeholder: "NAME",
    completes: "snapshotter",
    summary: "what unpacks [$CONTAINERD_SNAPSHOTTER, the namespace's default, overlayfs]",
  },
} as const satisfies Options;

/** The options of verbs that do nothing else. */
export const unpackingOptions = {
  platform: {
    type: "string",
    placeholder: "OS/ARCH",
    summary: "which one of its platforms [this machine's]",
  },
  ...unpackOptions,
  syncFs: { type: "boolean", summary: "wait until the files are on the disk (containerd 2.0 and later)" },
} as const satisfies Options;
