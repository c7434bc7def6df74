import { setPinned } from "../../pin.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Let Kubernetes remove images again when the disk is full",
  examples: [
    "-n k8s.io images unpin registry.k8s.io/pause:3.9",
    "-n k8s.io images unpin 'example.com/base/**'",
  ],
  args: [{
    name: "REF",
    summary: "name, glob (* stops at /, ** does not) or filter",
    repeats: true,
    completes: "image",
  }],
  run: (context): AsyncIterable<string> => setPinned(context, false),
});
