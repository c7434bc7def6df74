import { assertEquals } from "@std/assert";
import { run } from "../../cli/app.ts";
import { readMetrics } from "../../lib/task_metrics.ts";
import { CannedTransport } from "../cli/canned_transport.ts";
import { CapturedIo } from "../cli/captured_io.ts";

/** What a host with cgroups of version 2 counts, encoded by buf with the `metrics.proto` of containerd/cgroups 3.0.3. */
const full =
  "CgQIBxBkEg8IoMuYARDgxlsYwIQ9IAMiIQhvEICAgAqAAoCAgBiIAoCAgCCQAoAgmAKAQKACgI7OHDIaCggICBjoByDQDwoOCAgQEBge" +
  "IIDkl9ASKAM6CQgBEAIaAzJNQkIEIAkoAg==";
const unlimited = "CgIIARIAIg+AAgGIAv///////////wE=";

function metric(id: string, base64: string) {
  return {
    id,
    timestamp: { seconds: 1_700_000_000n, nanos: 0 },
    data: { typeUrl: "io.containerd.cgroups.v2.Metrics", value: Uint8Array.fromBase64(base64) },
  };
}

Deno.test("readMetrics() understands what hosts with cgroups of version 2 tell", async () => {
  assertEquals(await readMetrics(metric("web", full)), {
    id: "web",
    timestamp: new Date(1_700_000_000_000),
    cgroup: "v2",
    pids: 7,
    pidsLimit: 100,
    cpuNs: 2_500_000_000,
    cpuUserNs: 1_500_000_000,
    cpuSystemNs: 1_000_000_000,
    memory: 48 * 1024 ** 2,
    memoryLimit: 64 * 1024 ** 2,
    memoryPeak: 60_000_000,
    swap: 4096,
    cache: 20 * 1024 ** 2,
    oomKills: 2,
    readBytes: 1030,
    writtenBytes: 5_000_002_000,
  });
  const { memory, memoryLimit, pidsLimit, memoryPeak, oomKills, readBytes } = await readMetrics(
    metric("idle", unlimited),
  );
  assertEquals({ memory, memoryLimit, pidsLimit, memoryPeak, oomKills, readBytes }, {
    memory: 1,
    memoryLimit: undefined,
    pidsLimit: undefined,
    memoryPeak: undefined,
    oomKills: undefined,
    readBytes: 0,
  });
});

Deno.test("tasks metrics shows what hosts with cgroups of version 2 tell", async () => {
  const metrics = [metric("web", full), metric("idle", unlimited)];
  const transport = new CannedTransport({ "Tasks/Metrics": () => ({ metrics }) });
  const io = new CapturedIo();
  const argv = ["tasks", "metrics", "-o", "wide"];
  assertEquals(await run(argv, io, { connect: () => Promise.resolve(transport) }), 0);
  const cells = io.stdout.trimEnd().split("\n").map((line) => line.trim().split(/ {2,}/));
  assertEquals(cells, [
    [
      "TASK",
      "CPU",
      "MEMORY",
      "LIMIT",
      "PIDS",
      "READ",
      "WRITTEN",
      "CACHE",
      "SWAP",
      "PEAK",
      "OOM KILLS",
      "CGROUP",
    ],
    [
      "web",
      "2.500s",
      "48.0 MiB",
      "64.0 MiB",
      "7",
      "1.0 KiB",
      "4.7 GiB",
      "20.0 MiB",
      "4.0 KiB",
      "57.2 MiB",
      "2",
      "v2",
    ],
    ["idle", "0.000s", "1 B", "-", "1", "0 B", "0 B", "0 B", "0 B", "-", "-", "v2"],
  ]);
});
