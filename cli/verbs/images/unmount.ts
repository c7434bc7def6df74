import { resolve } from "@std/path";
import { unmountImage } from "../../../mod.ts";
import { each } from "../../each.ts";
import { CliError } from "../../errors.ts";
import { unmountAt } from "../../mount.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Unmount the files of an image",
  examples: ["images unmount /mnt", "images unmount /mnt --rm"],
  args: [{ name: "TARGET", summary: "folder at which it is mounted", repeats: true, completes: "file" }],
  options: {
    rm: { type: "boolean", summary: "also remove the snapshot, with what was changed in it" },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { rm }, namespaced, signal } = context;
    yield* each(args, {
      context,
      async work(folder) {
        const target = resolve(folder);
        const wasMounted = await unmountAt(target);
        if (rm) {
          await unmountImage(await namespaced(), target, { signal });
        } else if (!wasMounted) {
          const message = `Cannot unmount ${JSON.stringify(folder)}: nothing is mounted there`;
          throw new CliError(message, { code: "failed_precondition" });
        }
        return target;
      },
    });
  },
});
