/** docs/cron.md: every command line is run as cron would run it, and prints what the page shows. */
import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { connect } from "davit";
import type { Containerd } from "./real/containerd.ts";
import { importWithCtr, manyImages, ociArchive } from "./real/images.ts";
import { lackOfPromtool, promtool } from "./real/promtool.ts";
import { realTest } from "./real/test.ts";

const page = await Deno.readTextFile(new URL("../docs/cron.md", import.meta.url));
const main = fromFileUrl(new URL("../cli/main.ts", import.meta.url));

/** A command line of the page, and the lines that follow it there. */
interface Example {
  command: string;
  output: string[];
}

realTest("docs/cron.md: every command prints what the page shows, as cron runs it", async (t, containerd) => {
  await using stage = await Stage.set(containerd);
  for (const { command, output } of examples()) {
    await t.step(command.slice(0, 80), async () => {
      const printed = (await stage.run(command)).printed;
      assert(
        matches(printed, output),
        `${command}\nprints:\n${printed.join("\n")}\nthe page has:\n${output.join("\n")}`,
      );
    });
  }
  for (const line of cronLines()) {
    await t.step(line.slice(0, 80), async () => {
      const [, command = ""] = /^(?:\S+ ){5}root (.*)$/.exec(line)!;
      const { code, printed } = await stage.run(command.replaceAll("\\%", "%"));
      assertEquals(code, 0, printed.join("\n"));
    });
  }
  await using client = await connect({ address: containerd.address });
  const left = await Array.fromAsync(client.namespaces.list(), ({ name }) => name);
  assertEquals(left, ["build", "staging"], "the purge of CI took its namespaces and no other");
}, { series: ["2"], fresh: true });

const ignore = await lackOfPromtool() !== undefined;

Deno.test(
  "docs/cron.md: Prometheus takes the alerts, and fires them when it should",
  { ignore },
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "davit-rules-" });
    try {
      const [rules, test] = [join(folder, "davit.yaml"), join(folder, "test.yaml")];
      await Deno.writeTextFile(rules, fileOf("/etc/prometheus/rules/davit.yaml"));
      await promtool(["check", "rules", rules]);
      await Deno.writeTextFile(test, alertTests);
      await promtool(["test", "rules", test]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

const alertTests = `
rule_files: [davit.yaml]
evaluation_interval: 1h
tests:
  - interval: 1h
    input_series:
      - { series: 'davit_job_exit_code{job="weekly-prune",instance="a"}', values: '0 3 3' }
      - { series: 'davit_job_exit_code{job="doctor",instance="a"}', values: '3x80' }
      - { series: 'davit_job_last_success_timestamp_seconds{job="nightly-copy",instance="a"}', values: '0x80' }
    alert_rule_test:
      - { eval_time: 0h, alertname: DavitJobFailed, exp_alerts: [] }
      - eval_time: 1h
        alertname: DavitJobFailed
        exp_alerts:
          - exp_labels: { job: weekly-prune, instance: a }
            exp_annotations: { summary: weekly-prune on a ended with exit code 3 }
      - { eval_time: 47h, alertname: DavitFoundSomething, exp_alerts: [] }
      - eval_time: 49h
        alertname: DavitFoundSomething
        exp_alerts:
          - exp_labels: { job: doctor, instance: a }
            exp_annotations: { summary: davit doctor on a finds something that nobody has mended }
      - { eval_time: 25h, alertname: DavitJobMissing, exp_alerts: [] }
      - eval_time: 27h
        alertname: DavitJobMissing
        exp_alerts:
          - exp_labels: { job: nightly-copy, instance: a }
            exp_annotations: { summary: nightly-copy on a last went well 1d 3h 0m 0s ago }
`;

/** What the page speaks of: images to copy and prune, namespaces of CI, davit where it is on a real machine. */
class Stage implements AsyncDisposable {
  readonly #folder: string;
  readonly #locks: string[];

  private constructor(folder: string, locks: string[]) {
    this.#folder = folder;
    this.#locks = locks;
  }

  static async set(containerd: Containerd): Promise<Stage> {
    const folder = await Deno.makeTempDir({ prefix: "davit-cron-" });
    const names = ["0.9.0", "1.0.0", "1.1.0", "1.9.0", "1.10.0"].map((tag) => `example.com/app:${tag}`);
    const images = (await manyImages({ count: 5, seed: 60 })).map((image, at) => ({
      ...image,
      name: names[at]!,
    }));
    await importWithCtr(containerd, "build", ociArchive(images));
    for (const namespace of ["ci-4711", "ci-4712"]) {
      await importWithCtr(containerd, namespace, ociArchive(images.slice(0, 1)));
    }
    const stage = new Stage(folder, []);
    for (const place of ["/var/lib/davit/x", "/var/lib/node_exporter/x"]) {
      await Deno.mkdir(dirname(stage.#placed(place)), { recursive: true });
    }
    const path = stage.#placed("/etc/davit/copy.yaml");
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, fileOf("/etc/davit/copy.yaml"));
    const program = stage.#placed("/usr/local/bin/davit");
    await Deno.mkdir(dirname(program), { recursive: true });
    const deno = `'${Deno.execPath()}' run -A --no-check '${main}'`;
    await Deno.writeTextFile(program, `#!/bin/sh\nexec ${deno} --address '${containerd.address}' "$@"\n`);
    await Deno.chmod(program, 0o755);
    return stage;
  }

  /** Runs a command line as cron does; what it prints, without the folder that stands for the root. */
  async run(command: string): Promise<{ code: number; printed: string[] }> {
    const [, lock] = /--lock (\S+)/.exec(command) ?? [];
    if (lock !== undefined) this.#locks.push(lock);
    // Arguments of a schedule are text that stays as it is.
    const [own = "", ...scheduled] = command.split(" -- ");
    const placed = [this.#placed(own), ...scheduled].join(" -- ");
    const { code, stdout, stderr } = await new Deno.Command("/usr/bin/env", {
      args: ["-i", "PATH=/usr/bin:/bin", "HOME=/root", "sh", "-c", placed],
      stdin: "null",
    }).output();
    const text = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
    return { code, printed: text.replaceAll(this.#folder, "").split("\n").filter((line) => line !== "") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
    for (const lock of new Set(this.#locks)) await Deno.remove(`/run/davit/${lock}.lock`).catch(() => {});
    await Deno.remove("/run/davit").catch(() => {}); // unless something else is in it
  }

  #placed(text: string): string {
    return text.replace(
      /(?<![\w.])\/(?:etc\/davit|var\/lib|usr\/local\/bin)\//g,
      (place) => this.#folder + place,
    );
  }
}

function examples(): Example[] {
  const found: Example[] = [];
  for (const [, block = ""] of page.matchAll(/```console\n([\s\S]*?)```/g)) {
    for (const line of block.trimEnd().split("\n")) {
      if (line.startsWith("$ ")) found.push({ command: line.slice(2), output: [] });
      else if (line !== "") found.at(-1)!.output.push(line);
    }
  }
  return found;
}

function cronLines(): string[] {
  return [...page.matchAll(/```cron\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
    block.trimEnd().split("\n")
  );
}

/** The file of which the page shows the text below its path. */
function fileOf(path: string): string {
  const [, after = ""] = page.split(`\`${path}\`:\n`);
  const [, text] = /^\n```\w+\n([\s\S]*?)```/.exec(after) ?? [];
  if (text === undefined) throw new Error(`docs/cron.md does not show ${path}`);
  return text;
}

/** `…` stands for anything within a line. */
function matches(printed: readonly string[], shown: readonly string[]): boolean {
  return printed.length === shown.length && shown.every((line, at) => {
    const pattern = line.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*");
    return new RegExp(`^${pattern}$`).test(printed[at]!);
  });
}
