import { defineVerb } from "../verb.ts";
import { version } from "../version.ts";

export default defineVerb({
  summary: "Show the version of davit and of what it runs on",
  examples: ["version", "version -o json"],
  columns: [
    { header: "DAVIT", key: "davit" },
    { header: "DENO", key: "deno" },
    { header: "V8", key: "v8" },
    { header: "TARGET", key: "target" },
  ],
  run: () => ({ davit: version, deno: Deno.version.deno, v8: Deno.version.v8, target: Deno.build.target }),
});
