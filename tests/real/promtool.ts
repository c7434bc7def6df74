import { join } from "@std/path";
import { debianPackage } from "./debian.ts";
import { type Output, run, type RunOptions } from "./process.ts";

/** Why there is no promtool here, if there is none; without Debian a test that needs it is skipped. */
export async function lackOfPromtool(): Promise<string | undefined> {
  if (Deno.env.get("DAVIT_REQUIRE_REAL") === "1") return undefined;
  return await debianPackage("prometheus").then(() => undefined, (error) => String(error));
}

/** Runs Debian's promtool: what Prometheus itself thinks of metrics and rules. */
export async function promtool(args: string[], options: RunOptions = {}): Promise<Output> {
  return await run(join(await debianPackage("prometheus"), "usr/bin/promtool"), args, options);
}
