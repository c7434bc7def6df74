import { followTaskLog } from "../../../mod.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Print what a container wrote to the file of --log-uri",
  examples: ["containers logs web", "containers logs -f --tail 100 web"],
  args: [{ name: "ID", summary: "of a container whose task is there, running or not", completes: "task" }],
  options: {
    follow: { type: "boolean", short: "f", summary: "go on until the task ends" },
    tail: { type: "integer", min: 0, placeholder: "N", summary: "begin with the last N lines [all]" },
  },
  bytes: true,
  async *run({ args: [id = ""], options: { follow, tail }, namespaced, signal }): AsyncIterable<Uint8Array> {
    yield* followTaskLog(await namespaced(), id, { follow, tailLines: tail, signal });
  },
});
