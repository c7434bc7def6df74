import { diagnose, type Finding, mendFinding, type NamespacedClient } from "../../mod.ts";
import { defaultAddress, socketPath } from "../address.ts";
import { canJudge, isAlive, thisOwner } from "../owner.ts";
import { shellQuoted } from "../shell.ts";
import { defineVerb } from "../verb.ts";

interface Row extends Pick<Finding, "check" | "severity" | "namespace" | "what" | "why"> {
  /** For a shell. */
  command: string;
  /** With `--fix`, or what it would do. */
  status: "found" | "mended" | "would be mended" | "failed";
}

export default defineVerb({
  summary: "Say what is wrong with this containerd, why that matters, and what mends it",
  examples: ["doctor", "doctor -n k8s.io", "doctor --fix", "doctor -o json"],
  options: {
    fix: {
      type: "boolean",
      summary:
        "mend what is safe: remove leases of dead runs and expired ones, own abandoned writes and pipes, garbage",
    },
    olderThan: {
      type: "duration",
      default: 86_400_000,
      summary: "a write that rested for this time counts as given up",
    },
  },
  columns: [
    { header: "SEVERITY", key: "severity" },
    { header: "NAMESPACE", key: "namespace" },
    { header: "WHAT", key: "what" },
    { header: "WHY", key: "why" },
    { header: "STATUS", key: "status" },
    { header: "COMMAND", key: "command" },
    { header: "CHECK", key: "check", wide: true },
  ],
  plans: true,
  repeatable: true,
  async *run(context): AsyncIterable<Row> {
    const {
      options: { fix, olderThan },
      onlyNamespace,
      address,
      client,
      dryRun,
      log,
      failed,
      found,
      signal,
    } = context;
    const connection = await client();
    const here = await thisOwner();
    if (!canJudge(here)) log.warn("This davit may not look at processes, and so cannot tell which ones died");
    const findings = diagnose(connection, {
      address: socketPath(address ?? defaultAddress),
      only: onlyNamespace,
      isAlive: (owner) => isAlive(owner, here),
      staleMs: olderThan,
      signal,
    });
    let collector: NamespacedClient | undefined;
    for await (const finding of findings) {
      const { check, severity, namespace, what, why, commands, mend } = finding;
      const row = { check, severity, namespace, what, why, command: commandLine(commands, address) };
      if (!fix || mend === undefined) {
        found();
        yield { ...row, status: "found" };
        continue;
      }
      if (dryRun) {
        found();
        yield { ...row, status: "would be mended" };
        continue;
      }
      try {
        if (await mendFinding(connection, finding, { signal })) {
          if (namespace !== undefined) collector ??= connection.namespace(namespace);
          yield { ...row, status: "mended" };
        }
      } catch (error) {
        signal.throwIfAborted();
        failed(error);
        yield { ...row, status: "failed" };
      }
    }
    await collector?.leases.collectGarbage({ signal });
  },
});

/** For a shell; with the address that was given, so that it is the same containerd that is mended. */
function commandLine(commands: Finding["commands"], address: string | undefined): string {
  const lines = commands.map(([program = "", ...words]) => {
    const where = program === "davit" && address !== undefined ? ["-a", address] : [];
    return [program, ...where, ...words].map(shellQuoted).join(" ");
  });
  return lines.join(" && ");
}
