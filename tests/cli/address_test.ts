import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { hintForDenied, hintForUnreachable, socketPath } from "../../cli/address.ts";
import { UsageError } from "../../cli/errors.ts";

Deno.test("socketPath() takes paths, relative ones and unix URLs", () => {
  assertEquals(
    ["/run/x.sock", "x.sock", "../x.sock", "unix:///run/x.sock", "unix:/run/x.sock", "unix://x.sock"].map(
      socketPath,
    ),
    [
      "/run/x.sock",
      join(Deno.cwd(), "x.sock"),
      join(Deno.cwd(), "../x.sock"),
      "/run/x.sock",
      "/run/x.sock",
      join(Deno.cwd(), "x.sock"),
    ],
  );
});

Deno.test("socketPath() refuses what is no path of a socket", () => {
  for (const address of ["", "unix://", "tcp://127.0.0.1:1", "http://x", "npipe:////./pipe/containerd"]) {
    assertThrows(() => socketPath(address), UsageError, "expected the path of a unix socket");
  }
  const long = `/${"x".repeat(107)}`;
  assertThrows(
    () => socketPath(long),
    UsageError,
    `Cannot use address "${long}": 108 bytes, a unix socket may have 107`,
  );
});

Deno.test("hintForDenied() names the group when the group would help", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.chmod(path, 0o600);
    assertEquals(await hintForDenied(path), "run davit as root");
    await Deno.chmod(path, 0o660);
    const { gid } = await Deno.stat(path);
    assertEquals(
      await hintForDenied(path),
      `run davit as root${gid ? `, or as a member of the group ${gid}` : ""}`,
    );
    assertEquals(await hintForDenied(join(path, "beyond")), "run davit as root");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("hintForUnreachable() names a socket of others, asks after the daemon, or says how to name a socket", async () => {
  const path = await Deno.makeTempFile({ suffix: ".sock" });
  await Deno.remove(path);
  using _listener = Deno.listen({ transport: "unix", path });
  const hints = [await hintForUnreachable(path), await hintForUnreachable("/nowhere.sock")];
  if (hints[0]!.includes("has one")) return; // this machine has such a socket
  assertEquals(hints, [
    "is containerd running?",
    "name containerd's socket with --address or $CONTAINERD_ADDRESS",
  ]);
});
