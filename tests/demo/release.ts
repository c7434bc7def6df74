import { copyImages, definePlugin } from "davit";

export default definePlugin({
  name: "release",
  summary: "Copy the images of a namespace to another one, under the tag of a release",
  options: {
    to: { type: "string", required: true, summary: "where they go" },
    tag: { type: "string", required: true, summary: "the release" },
  },
  columns: [
    { header: "REF", key: "image" },
    { header: "STATUS", key: "status" },
    { header: "MOVED", key: "bytesMoved", as: "bytes" },
  ],
  access: { namespaces: "any", write: "images" },

  async *run({ client, options: { to, tag }, signal }) {
    const rename = (name: string) => name.replace(/(:[^:/]+)?$/, `:${tag}`);
    yield* copyImages(client, { from: client.name, to: [to], rename, signal });
  },
});
