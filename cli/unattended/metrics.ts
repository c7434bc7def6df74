import type { RunRecord } from "./record.ts";

interface Metric {
  name: string;
  help: string;
  samples: readonly { labels?: Readonly<Record<string, string>>; value: number }[];
}

const lastSuccess = "davit_job_last_success_timestamp_seconds";

/**
 * A run as metrics of Prometheus, for node_exporter's textfile collector. `before` is what the file said until now:
 * a run that failed does not forget when the last one succeeded.
 */
export function metricsOf(record: RunRecord, before: string | undefined): string {
  const { exit, job, durationMs, endedAt, calls, counts, attempts } = record;
  const endedSeconds = Date.parse(endedAt) / 1000;
  const succeededAt = exit === 0 ? endedSeconds : sampleOf(before ?? "", lastSuccess);
  const metrics: Metric[] = [
    {
      name: "davit_job_last_run_timestamp_seconds",
      help: "When the job last ended.",
      samples: [{ value: endedSeconds }],
    },
    {
      name: lastSuccess,
      help: "When the job last ended with exit code 0.",
      samples: succeededAt === undefined ? [] : [{ value: succeededAt }],
    },
    { name: "davit_job_exit_code", help: "What the job last ended with.", samples: [{ value: exit }] },
    {
      name: "davit_job_duration_seconds",
      help: "How long the job took.",
      samples: [{ value: durationMs / 1000 }],
    },
    { name: "davit_job_attempts", help: "How often the job was tried.", samples: [{ value: attempts }] },
    {
      name: "davit_job_items",
      help: "What became of the items of the job.",
      samples: Object.entries(counts).map(([status, value]) => ({ labels: { status }, value })),
    },
    { name: "davit_job_calls", help: "Calls to containerd.", samples: [{ value: calls.number }] },
  ];
  return metrics.map((metric) => textOf(metric, job)).join("");
}

function textOf({ name, help, samples }: Metric, job: string): string {
  if (samples.length === 0) return "";
  const lines = samples.map(({ labels, value }) => `${name}{${labelsOf({ job, ...labels })}} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join("")}`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`).join(",");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function sampleOf(text: string, name: string): number | undefined {
  const [, value] = new RegExp(`^${name}\\{.*\\} (\\S+)$`, "m").exec(text) ?? [];
  return Number.isFinite(Number(value)) && value !== undefined ? Number(value) : undefined;
}
