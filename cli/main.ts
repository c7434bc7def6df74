/** davit's command line. */
import { run } from "./app.ts";
import { Interrupted } from "./errors.ts";
import { ProcessIo } from "./io.ts";

const controller = new AbortController();

for (const name of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(name, () => {
    const interruption = new Interrupted(name);
    // The first one lets the run clean up, the second does not wait for it.
    if (controller.signal.aborted) Deno.exit(interruption.exit);
    controller.abort(interruption);
  });
}

Deno.exit(await run(Deno.args, new ProcessIo(), { signal: controller.signal }));
