/** davit with a containerd that has no images, and knows of no other call. */
import { run } from "../../../cli/app.ts";
import { ProcessIo } from "../../../cli/io.ts";
import { containerdError, type ErrorCode } from "../../../mod.ts";
import { CannedTransport } from "../canned_transport.ts";

const transport = new CannedTransport({
  "Images/List": () => ({ images: [] }),
  "Namespaces/List": () => ({ namespaces: [] }),
  /** Fails with the code that is the image's name. */
  "Images/Get": ({ name }: { name: ErrorCode }, { action, resource }) => {
    throw containerdError({ code: name, reason: "refused", outcome: "refused", action, resource });
  },
});

Deno.exit(await run(Deno.args, new ProcessIo(), { connect: () => Promise.resolve(transport) }));
