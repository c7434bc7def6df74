import { definePlugin } from "davit";

export default definePlugin({
  name: "sample-plugin",
  summary: "Show the images of a namespace, and then each one that comes or goes",
  examples: ["sample-plugin -n build --once"],
  options: {
    once: { type: "boolean", summary: "end after what is there already" },
  },
  columns: [
    { header: "TIME", key: "time" },
    { header: "WHAT", key: "what" },
    { header: "REF", key: "name" },
  ],
  endless: true,
  access: { namespaces: "current", write: false },

  async *run({ client, options, signal }) {
    for await (const { name } of client.images.list({ signal })) {
      yield { time: new Date().toISOString(), what: "is there", name };
    }
    if (options.once) return;
    const filters = ['topic~="^/images/"'];
    for await (const { timestamp, topic, details } of client.events.subscribe({ filters, signal })) {
      yield {
        time: timestamp.toISOString(),
        what: topic.replace("/images/", ""),
        name: String(details.name),
      };
    }
  },
});
