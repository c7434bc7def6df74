import type { Verb } from "../verb.ts";
import pull from "./images/pull.ts";

export default {
  ...pull,
  summary: "Pull images from registries, and unpack them: short for images pull",
  examples: ["pull busybox", "pull registry.example.com/app:1 registry.example.com/sidecar:1"],
} satisfies Verb;
