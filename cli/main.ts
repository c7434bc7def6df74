/** davit's command line. */
import { run } from "./app.ts";
import { Interrupted } from "./errors.ts";
import { ProcessIo } from "./io.ts";

const controller = new AbortController();
const io = new ProcessIo();

for (const name of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(name, () => {
    if (io.signals.areForwarded) return;
    const interruption = new Interrupted(name);
    // The first one lets the run clean up, the second does not wait for it.
    if (controller.signal.aborted) Deno.exit(interruption.exit);
    controller.abort(interruption);
  });
}

Deno.exit(await run(Deno.args, io, { signal: controller.signal }));
