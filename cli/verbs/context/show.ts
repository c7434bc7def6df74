import { defaultAddress } from "../../address.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Show which containerd and which namespace commands are for, and what says so",
  examples: ["context show", "context show --context prod -o json"],
  choosesContext: true,
  columns: [
    { header: "CONTEXT", key: "context" },
    { header: "ADDRESS", key: "address" },
    { header: "BY", key: "addressBy" },
    { header: "NAMESPACE", key: "namespace" },
    { header: "BY", key: "namespaceBy" },
  ],
  run({ origins: { context, address, namespace } }) {
    return {
      context: context?.value,
      contextBy: context?.by,
      address: address?.value ?? defaultAddress,
      addressBy: address?.by ?? "default",
      namespace: namespace?.value ?? "default",
      namespaceBy: namespace?.by ?? "default",
    };
  },
});
