/** Sandboxes that run, for tests: only containerd 1.7 has shims for them. */
import { SandboxController } from "../../lib/transport/methods.ts";
import { openSocket } from "../../lib/transport/socket.ts";
import type { Containerd } from "../real/containerd.ts";
import { run } from "../real/process.ts";

/** Starts a shim for a sandbox, which needs a record that ctr writes. */
export async function startSandbox(containerd: Containerd, namespace: string, id: string): Promise<void> {
  const config = `${containerd.root}/${id}.json`;
  await Deno.writeTextFile(config, JSON.stringify({ ociVersion: "1.0.2", root: { path: "/" } }));
  await containerd.ctr(["sandboxes", "run", config, id], { namespace, check: false }); // it fails after the record
  await using transport = await openSocket({ path: containerd.address });
  const call = { namespace, action: "start a sandbox" };
  await transport.unary(SandboxController.create, { sandboxId: id }, call).catch((error) => {
    // It runs: containerd 1.7 fails to tell others of it.
    if (!String(error).includes("envelope topic")) throw error;
  });
}

/** The process ids of the shims of a namespace. */
export async function shimsOf(namespace: string): Promise<string[]> {
  const { stdout } = await run("pgrep", ["--full", `containerd-shim.* -namespace ${namespace} `], {
    check: false,
  });
  return stdout.split("\n").filter((line) => line !== "");
}
