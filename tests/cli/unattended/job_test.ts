import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { run } from "../../../cli/app.ts";
import type { RunRecord } from "../../../cli/unattended/record.ts";
import type { Containerd } from "../../real/containerd.ts";
import { importWithCtr, manyImages, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { CapturedIo } from "../captured_io.ts";
import { davit } from "../verbs/davit.ts";

realTest("--report and --metrics write down what became of every item", async (_t, containerd) => {
  await using folder = await temporaryFolder();
  const [from, to] = [uniqueNamespace(), uniqueNamespace()];
  await importWithCtr(containerd, from, ociArchive(await manyImages({ count: 3 })));
  const [report, metrics] = [join(folder.path, "run.json"), join(folder.path, "davit.prom")];
  const job = ["--lock", "nightly", "--report", report, "--metrics", metrics];
  const copy = ["images", "copy", "**", "nothing:*", "--from", from, "--to", to, ...job];
  const { code, stdout, stderr } = await davit(containerd, copy, { env: { XDG_RUNTIME_DIR: folder.path } });
  assertEquals(code, 3, stderr);
  assertEquals(stdout.trim().split("\n").length, 4);

  const record: RunRecord = JSON.parse(await Deno.readTextFile(report));
  assertEquals([record.job, record.verb, record.exit, record.attempts], ["nightly", "images copy", 3, 1]);
  assertEquals(record.counts, { copied: 3 });
  const images = (record.items as { image: string }[]).map(({ image }) => image);
  assertEquals(images, [0, 1, 2].map((at) => `example.com/many/app-00${at}:latest`));
  assertEquals(record.failures.map(({ code }) => code), ["not_found"]);
  assert(record.calls.number > 5 && record.calls.sentBytes > 0);
  assertEquals(record.arguments.slice(-copy.length), copy);
  assert(Date.parse(record.endedAt) >= Date.parse(record.startedAt));
  const text = await Deno.readTextFile(metrics);
  assertMatch(text, /davit_job_exit_code\{job="nightly"\} 3\n/);
  assertMatch(text, /davit_job_items\{job="nightly",status="copied"\} 3\n/);
  assertEquals((await Array.fromAsync(Deno.readDir(folder.path), ({ name }) => name)).sort(), [
    "davit",
    "davit.prom",
    "run.json",
  ]);
}, { series: ["2"] });

realTest("--report is written when the run fails, or its time is up", async (_t, containerd) => {
  await using folder = await temporaryFolder();
  const report = join(folder.path, "run.json");
  const { code } = await davit(containerd, ["images", "inspect", "nothing", "--report", report]);
  assertEquals(code, 4);
  assertEquals(JSON.parse(await Deno.readTextFile(report)).failures[0].code, "not_found");
  containerd.freeze();
  try {
    const late = await davit(containerd, ["images", "list", "--report", report, "--timeout", "300ms"]);
    assertEquals(late.code, 8);
    assertEquals(JSON.parse(await Deno.readTextFile(report)).exit, 8);
  } finally {
    containerd.thaw();
  }
}, { series: ["2"] });

realTest("a record that cannot be written fails a run that went well", async (_t, containerd) => {
  const { code, stderr } = await davit(containerd, [
    "namespaces",
    "list",
    "--report",
    "/nowhere/at/all.json",
  ]);
  assertEquals(code, 1);
  assertMatch(stderr, /Cannot write to "\/nowhere\/at\/all.json": no such file/);
}, { series: ["2"] });

realTest("--lock lets one of two runs begin, and the next one after a kill", async (_t, containerd) => {
  await using folder = await temporaryFolder();
  const env = { XDG_RUNTIME_DIR: folder.path };
  containerd.freeze(); // so that the first one is not done too soon
  const held = spawn(containerd, ["namespaces", "list", "--lock", "job", "--connect-timeout", "60s"], env);
  try {
    await until(async () =>
      (await Deno.readTextFile(join(folder.path, "davit/job.lock")).catch(() => "")) !== ""
    );
    const second = await davit(containerd, ["namespaces", "list", "--lock", "job"], { env });
    assertEquals([second.code, second.stdout], [11, ""], second.stderr);
    assertMatch(second.stderr, new RegExp(`lock "job" is held by process ${held.pid}, since 20`));
    const other = await davit(containerd, ["version", "--lock", "another"], { env });
    assertEquals(other.code, 0);
  } finally {
    held.kill("SIGKILL");
    await held.status;
    containerd.thaw();
  }
  const after = await davit(containerd, ["namespaces", "list", "--lock", "job"], { env });
  assertEquals(after.code, 0);
}, { series: ["2"] });

realTest(
  "--retries tries again until containerd is there, and shows the rows once",
  async (_t, containerd) => {
    await using folder = await temporaryFolder();
    const report = join(folder.path, "run.json");
    await containerd.stop();
    const running = davit(containerd, ["namespaces", "list", "-q", "--retries", "20", "--report", report]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await containerd.restart();
    const { code, stderr } = await running;
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /Attempt 1 of 21 failed; the next one is in \d\.\d s/);
    assert(JSON.parse(await Deno.readTextFile(report)).attempts > 1);
  },
  { series: ["2"], fresh: true },
);

Deno.test("--retries does not repeat what would fail again, and stops when the time is up", async () => {
  const io = new CapturedIo();
  const began = performance.now();
  const argv = [
    "--address",
    "/nowhere/containerd.sock",
    "namespaces",
    "list",
    "--retries",
    "50",
    "--timeout",
    "2s",
  ];
  assertEquals(await run(argv, io), 7);
  assert(performance.now() - began < 20_000);
  assert(io.stderr.includes("Attempt 1 of 51"));
});

function spawn({ address }: Containerd, argv: string[], env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      new URL("../../../cli/main.ts", import.meta.url).pathname,
      "--address",
      address,
      ...argv,
    ],
    env,
    stdout: "null",
    stderr: "null",
  }).spawn();
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "davit-job-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
