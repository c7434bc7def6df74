import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { run as davitRun } from "../../../cli/app.ts";
import { Interrupted } from "../../../cli/errors.ts";
import { connect } from "../../../mod.ts";
import { leftOf } from "../../lib/run/setting.ts";
import { busyboxName } from "../../lib/some_container.ts";
import type { Containerd } from "../../real/containerd.ts";
import { busyboxImage, importWithCtr, ociArchive } from "../../real/images.ts";
import type { Output } from "../../real/process.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, type RealTestOptions, uniqueNamespace } from "../../real/test.ts";
import { CapturedIo } from "../captured_io.ts";
import { davit } from "./davit.ts";

interface Setting {
  containerd: Containerd;
  namespace: string;
  /** Runs davit in the namespace. */
  run(...argv: string[]): Promise<Output>;
  /** The same with something on stdin. */
  feed(input: string, ...argv: string[]): Promise<Output>;
  ctr(...argv: string[]): Promise<Output>;
}

/** Registers a test of verbs in a namespace with busybox; nothing may be left in it. */
function verbTest(name: string, body: (setting: Setting) => Promise<void>, options?: RealTestOptions): void {
  realTest(name, async (_, containerd) => {
    const namespace = uniqueNamespace();
    await importWithCtr(containerd, namespace, ociArchive([await busyboxImage()]), { unpack: true });
    await body({
      containerd,
      namespace,
      run: (...argv) => davit(containerd, ["-n", namespace, ...argv]),
      feed: (input, ...argv) => davit(containerd, ["-n", namespace, ...argv], { input }),
      ctr: (...argv) => containerd.ctr(argv, { namespace, check: false }),
    });
    await using connection = await connect({ address: containerd.address });
    assertEquals(await leftOf({ containerd, client: connection.namespace(namespace) }), []);
  }, options);
}

verbTest("run ends as the command does, which gets its arguments untouched", async ({ run, feed }) => {
  assertEquals(await run("run", "--rm", "busybox", "--", "echo", "-n", "--rm", "-o"), {
    code: 0,
    stdout: "--rm -o",
    stderr: "",
  });
  assertEquals(await run("run", "--rm", busyboxName, "x", "sh", "-c", "echo out; echo err >&2; exit 42"), {
    code: 42,
    stdout: "out\n",
    stderr: "err\n",
  });
  assertEquals((await run("run", "--rm", "busybox", "x", "--", "sh", "-c", "exit 3")).code, 3);
  const status = ["grep", "Seccomp:", "/proc/self/status"];
  assertEquals((await run("run", "--rm", "--seccomp", "busybox", "x", ...status)).stdout, "Seccomp:\t2\n");
  assertEquals((await feed("some input", "run", "--rm", "busybox", "x", "cat")).stdout, "some input");
});

const refused: [argv: string[], exit: number, message: string][] = [
  [["none", "x"], 125, 'Cannot run image "none" in namespace'],
  [["busybox", "x", "nope"], 127, 'exec: "nope": executable file not found'],
  [["busybox", "echo", "hi"], 127, 'hint: "echo" was taken for the id of the container'],
  [["busybox", "x", "/etc/passwd"], 126, "permission denied"],
  [["busybox", "-x"], 125, 'Unknown flag "-x"'],
  [["busybox", "a..b"], 125, 'Cannot use "a..b" as a container id'],
  [["--user", "nobody", "busybox", "x"], 125, 'the image has no user "nobody"'],
  [["--mount", "type=bind,src=/none,dst=/x,options=rbind", "busybox", "x"], 125, "/none"],
  [["--mount", "type=bind,dst=/x", "busybox", "x"], 125, "source is missing"],
  [["--mount", "type=bind,typ=x,src=/,dst=/x", "busybox", "x"], 125, 'unknown field "typ"'],
  [["--mount", "type=bind,src=/,dst=/x,dst=/y", "busybox", "x"], 125, "destination is given twice"],
  [["--mount", 'type=bind,"src=/', "busybox", "x"], 125, "its quotes are malformed"],
  [["--mount", "type=nofs,src=x,dst=/x", "busybox", "x"], 125, "no such device"],
  [["--env", "=x", "busybox", "x"], 125, "it has no key"],
  [["--env-file", "/none", "busybox", "x"], 125, 'environment file "/none": no such file'],
  [["--env-file", "/etc", "busybox", "x"], 125, 'environment file "/etc": it is a folder'],
  [["--env-file", "/proc/self/exe", "busybox", "x"], 125, "it is not a text in UTF-8"],
  [["--cwd", "tmp", "busybox", "x"], 125, "not an absolute path"],
  [["--memory-limit", "much", "busybox", "x"], 125, "expected a size"],
  [["--memory-limit", "1", "busybox", "x"], 125, "unable to set memory limit"],
  [["--cpus", "-1", "busybox", "x"], 125, "--cpus"],
  [["--cap-add", "FLY", "busybox", "x"], 125, 'capability "FLY"'],
  [["--device", "/dev/none", "busybox", "x"], 125, 'device "/dev/none": no such file'],
  [["--device", "/etc/passwd", "busybox", "x"], 125, "it is none"],
  [["--platform", "linux/s390x", "busybox", "x"], 125, "linux/s390x"],
  [["--tty", "busybox", "x"], 125, "Cannot use a terminal: stdin is none"],
  [["--rm", "--detach", "busybox", "x"], 125, "Cannot use both --rm and --detach"],
  [["--null-io", "--log-uri", "file:///x", "busybox", "x"], 125, "Cannot use both"],
  [["--log-uri", "/x", "busybox", "x"], 125, "expected file:///PATH"],
  [["--config", "/none", "x"], 125, 'spec "/none": no such file'],
  [["--config", "/etc/passwd", "x"], 125, 'Cannot read spec "/etc/passwd"'],
  [["--config", "x", "x", "y"], 125, "more than an ID"],
  [["--seccomp-profile", "/none", "busybox", "x"], 125, 'seccomp profile "/none": no such file'],
  [["--seccomp-profile", "deno.json", "busybox", "x"], 125, "it is not in OCI's form"],
  [["--rootfs", "/none", "x", "true"], 125, "/none"],
  [["--runtime", "none", "busybox", "x"], 125, "invalid runtime name none"],
  [["--snapshotter", "none", "busybox", "x"], 125, "snapshotter not loaded"],
];

verbTest(
  "run says in one error what is wrong, with an exit code of its own, and leaves nothing",
  async ({ run }) => {
    for (const [argv, exit, message] of refused) {
      const { code, stdout, stderr } = await run("run", ...argv);
      assertEquals([code, stdout], [exit, ""], `${argv.join(" ")}: ${stderr}`);
      assertStringIncludes(stderr, message);
      const errors = stderr.split("\n").filter((line) => line.startsWith("davit: "));
      assertEquals(errors.length, 1, stderr);
    }
  },
  { series: ["2"] },
);

const refusedByExec: [argv: string[], exit: number, message: string][] = [
  [["c", "nope"], 127, 'exec: "nope": executable file not found'],
  [["c", "/etc/passwd"], 126, "permission denied"],
  [["c", "/etc"], 126, "permission denied"],
  [["-u", "nobody", "c", "true"], 125, 'the image has no user "nobody"'],
  [["--env", "=x", "c", "true"], 125, "it has no key"],
  [["--cwd", "tmp", "c", "true"], 125, "not an absolute path"],
  [["--cwd", "/none", "c", "true"], 125, "/none"],
  [["--tty", "c", "true"], 125, "Cannot use a terminal: stdin is none"],
  [["--tty", "--detach", "c", "true"], 125, "Cannot use both --tty and --detach"],
  [["--exec-id", "a..b", "c", "true"], 125, "a..b"],
  [["--exec-id", "", "c", "true"], 125, 'Cannot use "" for --exec-id'],
  [["none", "true"], 125, "not found"],
];

verbTest("tasks exec says what is wrong, and leaves the container as it was", async ({ run }) => {
  await run("run", "--detach", "--null-io", "busybox", "c", "sleep", "600");
  for (const [argv, exit, message] of refusedByExec) {
    const { code, stdout, stderr } = await run("tasks", "exec", ...argv);
    assertEquals([code, stdout], [exit, ""], `${argv.join(" ")}: ${stderr}`);
    assertStringIncludes(stderr, message);
  }
  assertEquals((await run("tasks", "ps", "--no-headers", "c")).stdout.trimEnd().split("\n").length, 1);
  await run("tasks", "pause", "c");
  assertEquals((await run("tasks", "exec", "c", "true")).code, 125);
  assertEquals((await run("containers", "rm", "-f", "c")).code, 0);
  assertEquals((await run("tasks", "exec", "c", "true")).code, 125);
});

verbTest("tasks attach and start want a terminal for what has one", async ({ run }) => {
  await run("run", "--detach", "--tty", "busybox", "c", "sh");
  const attached = await run("tasks", "attach", "c");
  assertEquals([attached.code, attached.stdout], [125, ""]);
  assertStringIncludes(attached.stderr, "Cannot use a terminal: stdin is none\nhint: the task has one");
  await run("tasks", "rm", "-f", "c");
  assertStringIncludes((await run("tasks", "start", "c")).stderr, "hint: the container wants one");
  assertStringIncludes(
    (await run("tasks", "start", "--null-io", "c")).stderr,
    "the container wants a terminal",
  );
  assertEquals((await run("tasks", "start", "--detach", "c")).code, 0);
  await run("containers", "rm", "-f", "c");
}, { series: ["2"] });

verbTest("run and attach say when somebody removes the container meanwhile", async ({ run, ctr }) => {
  const isThere = async () => {
    while (!(await run("tasks", "ls", "-q")).stdout.includes("c")) { /* again */ }
  };
  const running = run("run", "--rm", "busybox", "c", "sleep", "600");
  await isThere();
  await ctr("tasks", "rm", "--force", "c");
  await ctr("containers", "rm", "c");
  const { code, stderr } = await running;
  // The end of the process may be known before it is deleted, or not.
  if (code === 125) assertMatch(stderr, /^davit: Cannot wait for task "c" in namespace ".*": not found\n$/);
  else assertEquals([code, stderr], [137, ""]);

  await run("run", "--detach", "busybox", "c", "sleep", "600");
  const attached = run("tasks", "attach", "c");
  const removal = await run("containers", "rm", "--force", "c");
  assertEquals([removal.code, removal.stderr], [0, ""]);
  assert([125, 137].includes((await attached).code));
});

verbTest(
  "run and attach go on when containerd is killed and comes back, and end as the process does",
  async ({ containerd, run }) => {
    const folder = await Deno.makeTempDir({ prefix: "davit-test-run-" });
    try {
      const script = "echo begin; until [ -e /data/go ]; do sleep 0.05; done; echo end; exit 7";
      const mount = `type=bind,src=${folder},dst=/data,options=rbind:ro`;
      await run("run", "--detach", "--mount", mount, "busybox", "d", "sh", "-c", script);
      const ends = [
        run("run", "--rm", "--mount", mount, "busybox", "c", "sh", "-c", script),
        run("tasks", "attach", "d"),
      ];
      const isRunning = async (id: string) => (await run("tasks", "ls")).stdout.match(`${id} .* running`);
      while (!await isRunning("c") || !await isRunning("d")) { /* again */ }
      await run("tasks", "exec", "c", "true"); // longer than the answer to the start of "c" takes
      containerd.kill();
      await containerd.exited();
      await containerd.restart();
      await Deno.writeTextFile(join(folder, "go"), "");
      for (const end of await Promise.all(ends)) {
        assertEquals(end, { code: 7, stdout: "begin\nend\n", stderr: "" });
      }
      await run("containers", "rm", "d");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  { fresh: true },
);

verbTest(
  "run --detach leaves a container that attach, exec, kill, wait and remove work on",
  async ({ run, feed }) => {
    const script = "echo one; read line; echo got $line; sleep 600";
    assertEquals(await run("run", "--detach", "busybox", "c", "sh", "-c", script), {
      code: 0,
      stdout: "c\n",
      stderr: "",
    });
    const taken = await run("run", "--detach", "busybox", "c");
    assertEquals([taken.code, taken.stderr.includes("already exists")], [125, true]);
    assertEquals((await run("tasks", "exec", "c", "sh", "-c", "echo $0; exit 9")).code, 9);
    assertEquals((await run("tasks", "exec", "none", "true")).code, 125);
    assertEquals((await run("tasks", "exec", "c", "nope")).code, 127);
    assertEquals((await run("tasks", "exec", "-d", "--exec-id", "e", "c", "sleep", "600")).stdout, "e\n");
    const commandOf = async (id: string) => {
      const ps = JSON.parse((await run("tasks", "ps", "c", "-o", "json")).stdout) as Record<
        string,
        unknown
      >[];
      return ps.find(({ execId }) => execId === id)?.command;
    };
    while (await commandOf("e") === "runc init") { /* it becomes the command in a moment */ }
    assertEquals(await commandOf("e"), "sleep 600");
    assertEquals((await run("tasks", "kill", "--exec-id", "e", "-s", "9", "c")).code, 0);
    assertEquals((await run("tasks", "wait", "--exec-id", "e", "c")).code, 137);
    assertEquals((await run("tasks", "rm", "--exec-id", "e", "c")).code, 0);

    const metrics = JSON.parse((await run("tasks", "metrics", "c", "-o", "json")).stdout);
    assert(metrics[0].memory > 0);
    assertEquals((await run("tasks", "metrics", "none")).code, 4);
    assertEquals((await run("tasks", "pause", "c")).code, 0);
    assertMatch((await run("tasks", "ls")).stdout, /^c +\d+ +paused$/m);
    assertEquals((await run("tasks", "resume", "c")).code, 0);

    const refusal = await run("containers", "rm", "c");
    assertEquals(refusal.code, 5);
    assertStringIncludes(refusal.stderr, "its task is running");
    assertEquals((await run("tasks", "kill", "-s", "nosuch", "c")).code, 2);
    const attached = feed("hello\n", "tasks", "attach", "c");
    const [{ code, stdout }] = await Promise.all([attached, killWhenRead(run)]);
    assertEquals([code, stdout], [137, "one\ngot hello\n"]);
    assertEquals((await run("tasks", "attach", "c")).code, 125);
    assertEquals((await run("containers", "rm", "c")).stdout, "c\n");
  },
);

/** Waits until the shell has become `sleep`, and ends it. */
async function killWhenRead(run: Setting["run"]): Promise<void> {
  while (!(await run("tasks", "ps", "c")).stdout.includes("sleep")) { /* again */ }
  await run("tasks", "kill", "--all", "-s", "KILL", "c");
}

verbTest("run and tasks start write what they are told to: a pid file, a log, nothing", async ({ run }) => {
  const folder = await Deno.makeTempDir({ prefix: "davit-test-run-" });
  try {
    const [pidFile, log] = [join(folder, "pid"), join(folder, "log")];
    const script = "for i in 1 2 3 4 5; do echo line $i; done; sleep 600";
    await run(
      "run",
      "-d",
      "--pid-file",
      pidFile,
      "--log-uri",
      `file://${log}`,
      "busybox",
      "c",
      "sh",
      "-c",
      script,
    );
    const [task] = JSON.parse((await run("tasks", "ls", "-o", "json")).stdout);
    assertEquals(await Deno.readTextFile(pidFile), String(task.pid));
    while (!(await run("logs", "c")).stdout.includes("line 5")) { /* again */ }
    assertEquals((await run("containers", "logs", "--tail", "2", "c")).stdout, "line 4\nline 5\n");
    const following = run("logs", "--follow", "--tail", "1", "c");
    await Deno.writeTextFile(log, "later\n", { append: true });
    await run("tasks", "kill", "-s", "KILL", "c");
    assertStringIncludes((await following).stdout, "later\n");
    await run("tasks", "rm", "c");
    assertEquals(await run("tasks", "start", "--null-io", "-d", "c"), { code: 0, stdout: "c\n", stderr: "" });
    assertEquals((await run("logs", "c")).code, 5);
    await run("containers", "rm", "-f", "c");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, { series: ["2"] });

verbTest(
  "containers create, info, label, start and prune go through the life of a container",
  async ({ run }) => {
    const folder = await Deno.makeTempDir({ prefix: "davit-test-run-" });
    try {
      const file = join(folder, "env");
      await Deno.writeTextFile(file, "# comment\nB=2\nPATH\n");
      const flags = [
        "--env-file",
        file,
        "--env",
        "A=1",
        "--label",
        "team=deck",
        "--user",
        "7:8",
        "--cwd",
        "/tmp",
      ];
      assertEquals(
        (await run("c", "create", ...flags, "busybox", "c", "/bin/sh", "-c", "exit 5")).stdout,
        "c\n",
      );
      const info = JSON.parse((await run("containers", "info", "c")).stdout);
      assertEquals([info.id, info.image, info.labels.team], ["c", busyboxName, "deck"]);
      const { process } = info.spec;
      assertEquals([process.env, process.cwd, process.args], [["B=2", "A=1"], "/tmp", [
        "/bin/sh",
        "-c",
        "exit 5",
      ]]);
      assertEquals(process.user, { uid: 7, gid: 8, additionalGids: [8] });
      assertEquals(JSON.parse((await run("containers", "info", "--spec", "c")).stdout), info.spec);
      const labelled = await run("containers", "label", "c", "team=", "x=y", "-o", "json");
      assertEquals(JSON.parse(labelled.stdout).labels.team, undefined);
      assertEquals((await run("tasks", "start", "c")).code, 5);

      await Deno.writeTextFile(join(folder, "spec"), JSON.stringify(info.spec));
      assertEquals((await run("c", "create", "--config", join(folder, "spec"), "d")).stdout, "d\n");
      await run("run", "-d", "busybox", "busy", "sleep", "600");
      assertEquals((await run("containers", "prune", "--older-than", "0s")).code, 2);
      const plan = await run("containers", "prune", "--older-than", "0s", "--dry-run", "-o", "json");
      assertEquals(JSON.parse(plan.stdout).map((row: Record<string, string>) => [row.id, row.status]), [
        ["c", "would be removed"],
        ["d", "would be removed"],
      ]);
      assertEquals((await run("containers", "prune", "--older-than", "0s", "--yes", "-q")).stdout, "c\nd\n");
      assertEquals((await run("containers", "ls", "-q")).stdout, "busy\n");
      assertEquals((await run("containers", "rm", "c")).code, 4);
      assertEquals((await run("containers", "rm", "--ignore-missing", "c")).code, 0);
      assertEquals((await run("containers", "rm", "-f", "busy")).code, 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  { series: ["2"] },
);

verbTest("containers info and --config keep integers of 64 bits", async ({ run }) => {
  const file = await Deno.makeTempFile({ prefix: "davit-test-run-" });
  try {
    assertEquals((await run("c", "create", "busybox", "c", "true")).code, 0);
    const { stdout } = await run("containers", "info", "--spec", "c");
    const limit = '"hard": 18446744073709551615,';
    await Deno.writeTextFile(file, stdout.replace(/"hard": 1024,/, limit));
    assertEquals((await run("c", "create", "--config", file, "d")).code, 0);
    for (const argv of [["--spec"], []]) {
      assertStringIncludes((await run("containers", "info", ...argv, "d")).stdout, limit);
      const yaml = await run("containers", "info", ...argv, "d", "-o", "yaml");
      assertMatch(yaml.stdout, / hard: 18446744073709551615$/m);
    }
    assertEquals((await run("containers", "rm", "c", "d")).code, 0);
  } finally {
    await Deno.remove(file);
  }
}, { series: ["2"] });

verbTest("run takes the namespace's runtime, unless it is told another", async ({ namespace, run }) => {
  const label = (value: string) => run("ns", "label", namespace, `containerd.io/defaults/runtime=${value}`);
  await label("io.containerd.none.v1");
  const { code, stderr } = await run("run", "--rm", "busybox", "x", "true");
  assertEquals(code, 125);
  assertStringIncludes(stderr, "none");
  const told = await run("run", "--rm", "--runtime", "io.containerd.runc.v2", "busybox", "x", "echo", "here");
  assertEquals(told, { code: 0, stdout: "here\n", stderr: "" });
  await label("");
  assertEquals((await run("run", "--rm", "busybox", "x", "true")).code, 0);
}, { series: ["2"] });

verbTest("run takes over from ctr, and ctr from run", async ({ containerd, namespace, run, feed, ctr }) => {
  const script = "read line; echo got $line; echo err >&2; exit 5";
  await ctr("run", "--detach", busyboxName, "theirs", "sh", "-c", script);
  assertEquals((await run("tasks", "exec", "theirs", "sh", "-c", "exit 4")).code, 4);
  const taken = await feed("hello\n", "tasks", "attach", "theirs");
  assertEquals(taken, { code: 5, stdout: "got hello\n", stderr: "err\n" });
  assertEquals((await run("containers", "rm", "theirs")).code, 0);
  await ctr("run", "--detach", busyboxName, "theirs", "sleep", "600");
  assertEquals((await run("tasks", "kill", "-s", "KILL", "theirs")).code, 0);
  assertEquals((await run("tasks", "wait", "theirs")).code, 137);
  assertEquals((await run("containers", "rm", "theirs")).code, 0);

  await run("run", "--detach", "busybox", "ours", "sh", "-c", script);
  await using connection = await connect({ address: containerd.address });
  const { io } = await connection.namespace(namespace).tasks.get("ours");
  assertEquals((await ctr("tasks", "exec", "--exec-id", "e", "ours", "sh", "-c", "exit 4")).code, 4);
  const stdin = new TextEncoder().encode("hello\n");
  const given = await containerd.ctr(["tasks", "attach", "ours"], { namespace, stdin, check: false });
  assertEquals([given.code, given.stdout, given.stderr], [5, "got hello\n", "err\n"]);
  assertEquals((await ctr("containers", "rm", "ours")).code, 0);
  assertEquals(await Deno.lstat(dirname(io.stdout)).catch(() => "gone"), "gone");
  await run("run", "--detach", "busybox", "ours", "sleep", "600");
  assertEquals((await ctr("tasks", "kill", "-s", "KILL", "ours")).code, 0);
  assertEquals((await run("tasks", "wait", "ours")).code, 137);
  assertEquals((await ctr("containers", "rm", "ours")).code, 0);
});

verbTest("run --pull gets an image that is not there", async ({ containerd, run }) => {
  await using stock = await StockedRegistry.start({ "box:1": await busyboxImage() });
  const name = stock.reference("box:1");
  const without = await run("run", "--rm", name, "x", "true");
  assertEquals(without.code, 125);
  assertStringIncludes(without.stderr, "hint: --pull missing pulls it");
  const pulled = await run("run", "--rm", "--pull", "missing", "--plain-http", name, "x", "echo", "here");
  assertEquals([pulled.code, pulled.stdout], [0, "here\n"], pulled.stderr);
  assert(containerd.alive());
}, { series: ["2"] });

verbTest(
  "events shows what happens as it happens, and only here without -A",
  async ({ containerd, namespace, run }) => {
    const lines: string[] = [];
    const done = new AbortController();
    const io = new CapturedIo();
    io.writeOut = (bytes) => {
      lines.push(...new TextDecoder().decode(bytes).trim().split("\n"));
      return Promise.resolve();
    };
    const argv = ["-a", containerd.address, "-n", namespace, "events", 'topic~="^/tasks/"', "--no-headers"];
    const watching = davitRun(argv, io, { signal: done.signal });
    // Nothing says when the subscription has begun.
    while (!lines.some((line) => line.includes("/tasks/exit"))) {
      await run(
        "run",
        "--rm",
        "busybox",
        "--",
        "true",
      );
    }
    done.abort(new Interrupted("SIGINT"));
    assertEquals(await watching, 130);
    const exit = lines.find((line) => line.includes("/tasks/exit"))!;
    assertMatch(exit, /^\d{4}-\S+Z {2}\/tasks\/exit {2}containerId=davit-\w+,.*exitStatus=0/);
    assertEquals((await run("events", "==")).code, 2);
  },
  { series: ["2"] },
);
