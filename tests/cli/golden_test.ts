/** The JSON of every verb, as the golden file of its noun has it. */
import { assertEquals } from "@std/assert";
import { connect } from "davit";
import { join } from "@std/path";
import { run } from "../../cli/app.ts";
import { nouns, verbs } from "../../cli/verbs.ts";
import type { Containerd } from "../real/containerd.ts";
import type { Series } from "../real/releases.ts";
import { realTest } from "../real/test.ts";
import { CapturedIo } from "./captured_io.ts";
import { furnish, type Furnished, readings, running, stored } from "./furnished.ts";

const folder = new URL("golden/", import.meta.url);
const renew = "If that is meant, renew the file with DAVIT_UPDATE_GOLDEN=1 and tell of it in docs/output.md";
const isRenewal = Deno.env.get("DAVIT_UPDATE_GOLDEN") === "1";

/** Verbs that print bytes as they are, and those that need more than a containerd: their own tests see their rows. */
const without: ReadonlySet<string> = new Set([
  ...["content get", "snapshots diff", "containers logs", "logs", "tasks attach"],
  ...["images pull", "images push", "pull", "content fetch", "images mount", "images unmount"],
  ...["plugin run", "plugin new", "plugin types", "plugin test", "context use"],
]);

/** What the verbs print that write; in this order, behind those that read. */
function writings({ app, folder }: Furnished): [string, string[]][] {
  const inStored = (verb: string, ...words: string[]): [string, string[]] => [
    verb,
    ["-n", stored, ...verb.split(" "), ...words],
  ];
  const inRunning = (verb: string, ...words: string[]): [string, string[]] => [
    verb,
    ["-n", running, ...verb.split(" "), ...words],
  ];
  const archive = join(folder, "app.tar");
  const log = new URL(`file://${join(folder, "exec.log")}`).href;
  return [
    inStored("namespaces create", "fresh"),
    inStored("namespaces label", "fresh", "owner=ops"),
    inStored("namespaces remove", "fresh"),
    inStored("images tag", app.name, "example.com/app:2"),
    inStored("images pin", "example.com/app:2"),
    inStored("images unpin", "example.com/app:2"),
    inStored("images copy", app.name, "--to", "copied"),
    inStored("images export", archive, app.name),
    inStored("images import", archive),
    inStored("images unpack", app.name),
    inStored("images prune", "--unused", "--min-age", "0s", "--dry-run"),
    inStored("images remove", "example.com/app:2"),
    inStored("content ingest", "upload-2", join(folder, "web.log")),
    inStored("content prune", "--older-than", "0s", "--dry-run"),
    inStored("content abort", "half"),
    inStored(
      "content remove",
      `sha256:${"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`,
    ),
    inStored("snapshots prepare", "draft"),
    inStored("snapshots commit", "base", "draft"),
    inStored("snapshots view", "look", "base"),
    inStored("snapshots unpack", app.target.digest),
    inStored("snapshots remove", "look", "base"),
    inStored("snapshots prune", "--dry-run"),
    inRunning("tasks pause", "web"),
    inRunning("tasks resume", "web"),
    inRunning("tasks update", "web", "--memory-limit", "1GiB", "--cpus", "0.5"),
    inRunning("tasks exec", "-d", "--exec-id", "more", "--log-uri", log, "web", "sleep", "600"),
    inRunning("tasks start", "-d", "idle"),
    inRunning("tasks wait", "idle"),
    inRunning("tasks remove", "idle"),
    inRunning("run", "-d", "--null-io", "busybox", "other", "true"),
    inRunning("tasks wait", "other"),
    inRunning("containers prune", "--older-than", "0s", "--dry-run"),
    inRunning("containers create", "busybox", "third"),
    inRunning("containers remove", "third"),
    inRunning("tasks kill", "web", "-s", "KILL"),
    inRunning("sandboxes list"), // which others make: see below
    inRunning("sandboxes remove", "pod"),
    inStored("leases create", "fresh"),
    inStored("leases prune", "--dry-run"),
    inStored("leases remove", "fresh"),
  ];
}

realTest("the JSON of every verb is what the golden file of its noun has", async (t, containerd) => {
  const files = await Deno.makeTempDir({ prefix: "davit-golden-" });
  try {
    const furnished = await furnish(containerd, files);
    const printed = new Map<string, unknown>([["events", await someEvent(containerd)]]);
    const commands = [
      ...readings(furnished).map(({ verb, argv, exit = 0 }) => [verb, argv, exit] as const),
      ...writings(furnished).map(([verb, argv]) => [verb, argv, 0] as const),
    ];
    const { series } = containerd.release;
    for (const [verb, argv, exit] of commands) {
      const isTooOld = series === "1.6" && /deprecations|sandboxes/.test(verb);
      if (verb === "sandboxes list" && !isTooOld) await makeSandbox(containerd);
      printed.set(verb, isTooOld ? [] : await json(containerd, argv, exit));
    }
    const kept = [...allVerbs()].filter((verb) => !without.has(verb));
    const advice =
      "Every verb has a command line: in furnished.ts if it reads, else in writings() of this file";
    assertEquals([...printed.keys()].sort(), kept.sort(), advice);
    const root = new URL("../../", import.meta.url).pathname;
    const places = [[containerd.root, "<root>"], [files, "<folder>"], [root, "<davit>/"]] as const;
    for (const [noun, values] of byNoun(printed)) {
      if (noun === "sandboxes" && series === "1.6") continue;
      await t.step(noun, async () => await compare(noun, steady(values, places), series));
    }
  } finally {
    await Deno.remove(files, { recursive: true });
  }
}, { fresh: true });

async function json(containerd: Containerd, argv: readonly string[], exit: number): Promise<unknown> {
  const io = new CapturedIo();
  const code = await run(["--address", containerd.address, "-o", "json", ...argv], io);
  assertEquals(code, exit, `${argv.join(" ")}\n${io.stderr}`);
  if (io.stdout === "") return "nothing";
  const value = JSON.parse(io.stdout);
  // Which holes are known is up to the release, and which plugins come with davit is no matter here.
  if (argv.includes("doctor")) return value.filter(({ check }: { check: string }) => check !== "known-hole");
  if (argv.includes("plugin") && argv.includes("list")) {
    return value.filter(({ name }: { name: string }) => name === "image-sync");
  }
  return value;
}

async function makeSandbox({ address }: Containerd): Promise<void> {
  await using client = await connect({ address });
  const labels = { owner: "ops" };
  await client.namespace(running).sandboxes.create({ id: "pod", runtime: "io.containerd.runc.v2", labels });
}

/** The first event of a change, for which it is made until it is seen. */
async function someEvent(containerd: Containerd): Promise<unknown> {
  const io = new CapturedIo();
  const controller = new AbortController();
  const argv = ["--address", containerd.address, "-n", stored, "events", "-o", "jsonl"];
  const ended = run([...argv, 'topic=="/images/update"'], io, { signal: controller.signal });
  while (io.stdout === "") {
    await json(containerd, ["-n", stored, "images", "label", "example.com/app:1", "owner=ops"], 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  controller.abort();
  await ended;
  return [JSON.parse(io.stdout.split("\n")[0]!)];
}

function* allVerbs(): Iterable<string> {
  for (const noun of nouns) yield* noun.verbs.map(({ name }) => `${noun.name} ${name}`);
  yield* verbs.map(({ name }) => name);
}

/** The file of a verb alone is `alone.json`. */
function byNoun(printed: ReadonlyMap<string, unknown>): Map<string, Record<string, unknown>> {
  const files = new Map<string, Record<string, unknown>>();
  for (const [verb, value] of [...printed].sort(([a], [b]) => a < b ? -1 : 1)) {
    const noun = verb.includes(" ") ? verb.split(" ")[0]! : "alone";
    files.set(noun, { ...files.get(noun), [verb]: value });
  }
  return files;
}

async function compare(noun: string, values: unknown, series: Series): Promise<void> {
  const file = new URL(`${noun}.json`, folder);
  if (isRenewal && series === "2") {
    await Deno.writeTextFile(file, `${JSON.stringify(values, undefined, 2)}\n`);
  }
  const golden = JSON.parse(await Deno.readTextFile(file));
  // The older ones do not tell in lists when content was changed.
  if (series !== "2") { for (const row of golden["content list"] ?? []) delete row.updatedAt; }
  assertEquals(values, golden, `${file.pathname}: the JSON is another one. ${renew}`);
}

/** Fields whose values differ from run to run, from machine to machine, or with what is not our own. */
const changing: ReadonlySet<string> = new Set([
  ...["pid", "command", "version", "revision", "uuid", "pidns", "davit", "deno", "v8", "target"],
  ...[
    "bytes",
    "snapshotBytes",
    "inodes",
    "cgroup",
    "cpuNs",
    "cpuUserNs",
    "cpuSystemNs",
    "memory",
    "memoryLimit",
  ],
  ...[
    "memoryPeak",
    "swap",
    "cache",
    "pids",
    "readBytes",
    "writtenBytes",
    "spec",
    "completion",
    "snapshotters",
  ],
]);

/** The same value with what {@linkcode changing} names, times, and the `places` taken out. */
function steady(value: unknown, places: readonly (readonly [string, string])[], key = ""): unknown {
  if (changing.has(key) && typeof value !== "object") return `<${typeof value}>`;
  if (key === "spec" || key === "snapshotters") return `<${key}>`;
  if (Array.isArray(value)) return value.map((item) => steady(item, places, key));
  if (typeof value === "object" && value !== null) {
    // What a snapshot takes is up to the filesystem below it.
    const isSnapshot = "inodes" in value;
    const members = Object.entries(value).map(([key, member]) => {
      return [key, isSnapshot && key === "size" ? "<number>" : steady(member, places, key)];
    });
    // The daemon gives labels in another order each time.
    return Object.fromEntries(
      key === "labels" ? members.sort(([a], [b]) => `${a}` < `${b}` ? -1 : 1) : members,
    );
  }
  if (typeof value !== "string") return value;
  return places.reduce((text, [place, name]) => text.replaceAll(place, name), value)
    .replace(/\/snapshots\/\d+\//, "/snapshots/<number>/")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
}
