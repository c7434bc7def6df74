import { assertEquals, assertThrows } from "@std/assert";
import { parseProcessConfig } from "../../../lib/oci/process_config.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

Deno.test("parseProcessConfig() reads what an image says of its process", () => {
  const config = {
    User: "1000:www",
    Env: ["PATH=/bin"],
    Entrypoint: ["/entry"],
    Cmd: ["serve"],
    WorkingDir: "/srv",
    StopSignal: "SIGQUIT",
  };
  assertEquals(parseProcessConfig(bytes({ config })), {
    user: "1000:www",
    env: ["PATH=/bin"],
    entrypoint: ["/entry"],
    command: ["serve"],
    workingDir: "/srv",
    stopSignal: "SIGQUIT",
  });
});

Deno.test("parseProcessConfig() takes null and missing parts as empty, and nothing of another type", () => {
  const empty = { user: "", env: [], entrypoint: [], command: [], workingDir: "", stopSignal: "" };
  assertEquals(parseProcessConfig(bytes({})), empty);
  assertEquals(parseProcessConfig(bytes({ config: { Entrypoint: null, Cmd: null } })), empty);
  assertThrows(
    () => parseProcessConfig(bytes({ config: { Cmd: "sh" } })),
    SyntaxError,
    "Cmd is not an array",
  );
});
