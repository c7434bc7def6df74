import { overridden } from "../../context_in_use.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "List the contexts of the configuration, and which one counts",
  examples: ["context list"],
  choosesContext: true,
  columns: [
    { header: "NAME", key: "name" },
    { header: "ADDRESS", key: "address" },
    { header: "NAMESPACE", key: "namespace" },
    { header: "DEFAULT", key: "isDefault" },
    { header: "USED BY", key: "usedBy" },
  ],
  run({ plugins: { config: { context, contexts } }, origins, log }) {
    for (const warning of overridden(origins, contexts)) log.warn(warning);
    return Object.entries(contexts).map(([name, { address, namespace }]) => ({
      name,
      address,
      namespace,
      isDefault: name === context,
      usedBy: name === origins.context?.value ? origins.context.by : undefined,
    }));
  },
});
