import { assertEquals } from "@std/assert";
import { toFileUrl } from "@std/path";
import { followTaskLog } from "../../../lib/run/log.ts";
import { removeContainer } from "../../../lib/run/remove.ts";
import { runTest, startBusybox } from "./setting.ts";

runTest(
  "followTaskLog() begins anew when somebody empties the log, as logrotate does",
  async ({ client }) => {
    const file = await Deno.makeTempFile({ prefix: "davit-test-log-" });
    try {
      const { containerId } = await startBusybox(client, ["sleep", "600"], { output: toFileUrl(file) });
      await Deno.writeTextFile(file, "one\ntwo\n");
      const decoder = new TextDecoder();
      let text = "";
      for await (const bytes of followTaskLog(client, containerId, { follow: true })) {
        text += decoder.decode(bytes);
        if (text === "one\ntwo\n") await Deno.writeTextFile(file, "new\n"); // truncates it
        if (text.endsWith("new\n")) await removeContainer(client, containerId, { force: true });
      }
      assertEquals(text, "one\ntwo\nnew\n");
    } finally {
      await Deno.remove(file);
    }
  },
  { series: ["2"], timeoutMs: 30_000 },
);
