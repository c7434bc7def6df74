import { assertEquals, assertMatch } from "@std/assert";
import { metricsOf } from "../../../cli/unattended/metrics.ts";
import type { RunRecord } from "../../../cli/unattended/record.ts";
import { hostileNames } from "../../lib/hostile.ts";
import { lackOfPromtool, promtool } from "../../real/promtool.ts";

const record: RunRecord = {
  id: "1",
  job: 'nightly "copy"',
  verb: "images copy",
  arguments: [],
  version: "0",
  startedAt: "2026-01-01T00:00:00.000Z",
  endedAt: "2026-01-01T00:00:02.500Z",
  durationMs: 2500,
  attempts: 1,
  exit: 0,
  items: [],
  counts: { copied: 3, failed: 1 },
  failures: [],
  calls: { number: 7, sentBytes: 1, receivedBytes: 2 },
};

Deno.test("metricsOf() writes one sample a line, with help and type, and escapes labels", () => {
  const text = metricsOf(record, undefined);
  assertMatch(
    text,
    /^# HELP davit_job_last_run_timestamp_seconds .+\n# TYPE davit_job_last_run_timestamp_seconds gauge\n/,
  );
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assertEquals(samples, [
    'davit_job_last_run_timestamp_seconds{job="nightly \\"copy\\""} 1767225602.5',
    'davit_job_last_success_timestamp_seconds{job="nightly \\"copy\\""} 1767225602.5',
    'davit_job_exit_code{job="nightly \\"copy\\""} 0',
    'davit_job_duration_seconds{job="nightly \\"copy\\""} 2.5',
    'davit_job_attempts{job="nightly \\"copy\\""} 1',
    'davit_job_items{job="nightly \\"copy\\"",status="copied"} 3',
    'davit_job_items{job="nightly \\"copy\\"",status="failed"} 1',
    'davit_job_calls{job="nightly \\"copy\\""} 7',
  ]);
});

Deno.test("metricsOf() remembers the last success over failures, and has none before the first", () => {
  const failed = { ...record, exit: 3, endedAt: "2026-01-02T00:00:00.000Z" };
  assertMatch(
    metricsOf(failed, metricsOf(record, undefined)),
    /last_success_timestamp_seconds\{.*\} 1767225602.5\n/,
  );
  assertEquals(metricsOf(failed, undefined).includes("last_success"), false);
  assertEquals(metricsOf(failed, "garbage").includes("last_success"), false);
});

const ignore = await lackOfPromtool() !== undefined;

for (const job of ["nightly", ...hostileNames]) {
  const name = `Prometheus reads the metrics of job ${JSON.stringify(job.slice(0, 20))}`;
  Deno.test(name, { ignore }, async () => {
    const before = metricsOf(record, undefined);
    const text = metricsOf({ ...record, job, exit: 3, counts: { [job]: 2, copied: 1 } }, before);
    const { stdout, stderr } = await promtool(["check", "metrics"], {
      stdin: new TextEncoder().encode(text),
    });
    assertEquals(stdout + stderr, "", text); // it says what it would have otherwise
  });
}
