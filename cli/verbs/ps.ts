import type { Verb } from "../verb.ts";
import list from "./containers/list.ts";

export default {
  ...list,
  summary: "List containers: short for containers list",
  examples: ["ps", "ps -A -o wide"],
} satisfies Verb;
