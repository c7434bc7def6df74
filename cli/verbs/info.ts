import type { Verb } from "../verb.ts";
import info from "./daemon/info.ts";

export default {
  ...info,
  summary: "Show what containerd says about itself: short for daemon info",
  examples: ["info", "info -o yaml"],
} satisfies Verb;
