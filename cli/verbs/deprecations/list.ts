import type { Verb } from "../../verb.ts";
import deprecations from "../daemon/deprecations.ts";

export default {
  ...deprecations,
  examples: ["deprecations list", "deprecations list -o json"],
} satisfies Verb;
