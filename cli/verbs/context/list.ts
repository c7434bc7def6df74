import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "List the contexts of the configuration",
  examples: ["context list"],
  columns: [
    { header: "NAME", key: "name" },
    { header: "ADDRESS", key: "address" },
    { header: "NAMESPACE", key: "namespace" },
    { header: "DEFAULT", key: "isDefault" },
  ],
  run({ plugins: { config: { context, contexts } } }) {
    return Object.entries(contexts).map(([name, { address, namespace }]) => ({
      name,
      address,
      namespace,
      isDefault: name === context,
    }));
  },
});
