import type { Verb } from "../verb.ts";
import logs from "./containers/logs.ts";

export default {
  ...logs,
  summary: "Print what a container wrote: short for containers logs",
  examples: ["logs web", "logs -f --tail 100 web"],
} satisfies Verb;
