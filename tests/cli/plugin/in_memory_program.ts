/** davit with a containerd in memory that has a namespace and nothing in it. */
import { InMemoryContainerd } from "davit/testing";
import { run } from "../../../cli/app.ts";
import { ProcessIo } from "../../../cli/io.ts";

const containerd = new InMemoryContainerd({ namespaces: { default: {} } });
Deno.exit(await run(Deno.args, new ProcessIo(), { connect: () => Promise.resolve(containerd) }));
