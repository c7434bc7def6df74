import { assertEquals, assertRejects } from "@std/assert";
import { CliError } from "../../../cli/errors.ts";
import { openPlugin } from "../../../cli/plugin/host.ts";
import { PluginFolder } from "./plugin_folder.ts";

const endless = "await new Promise(() => {});\nexport default 1;\n";

Deno.test("openPlugin() gives up on a plugin that does not finish loading", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.write("endless.ts", endless);
  const error = await assertRejects(
    () => openPlugin(path, { timeoutMs: 50 }),
    CliError,
    "not done within 50 ms",
  );
  assertEquals(error.code, "deadline_exceeded");
});

Deno.test("openPlugin() rejects with the reason of its signal", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.write("endless.ts", endless);
  const reason = new Error("enough");
  assertEquals(await openPlugin(path, { signal: AbortSignal.abort(reason) }).catch((error) => error), reason);
  const controller = new AbortController();
  const opening = openPlugin(path, { signal: controller.signal }).catch((error) => error);
  setTimeout(() => controller.abort(reason), 50);
  assertEquals(await opening, reason);
});
