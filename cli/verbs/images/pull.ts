import { pullOptions } from "../../pull_options.ts";
import { pulledColumns, type PulledRow, pullNamed, widePulledColumns } from "../../pulling.ts";
import { unpackOptions } from "../../unpack_options.ts";
import { defineVerb } from "../../verb.ts";

const { platform, allPlatforms, ...others } = pullOptions;

export default defineVerb({
  summary: "Pull images from registries, and unpack them",
  examples: [
    "images pull busybox",
    "-n k8s.io images pull registry.example.com/app:1 registry.example.com/sidecar:1",
    "images pull registry.example.com/app:1 --user ci --password-stdin < token",
  ],
  args: [{ name: "REF", summary: "reference, short ones as docker has them", repeats: true }],
  options: {
    platform: { ...platform, summary: "only these platforms, and unpack them [this machine's]" },
    allPlatforms: { ...allPlatforms, summary: "all platforms; unpacked is this machine's" },
    noUnpack: { type: "boolean", summary: "leave the unpacking to whoever runs an image first" },
    ...unpackOptions,
    ...others,
  },
  columns: [
    ...pulledColumns,
    { header: "CHAIN ID", key: "chainIds", as: "list" },
    ...widePulledColumns,
    { header: "SNAPSHOTTER", key: "snapshotter", wide: true },
  ],
  repeatable: true,
  run(context): AsyncIterable<PulledRow> {
    const { noUnpack, snapshotter = context.snapshotter } = context.options;
    return pullNamed(context, { unpack: !noUnpack, snapshotter });
  },
});
