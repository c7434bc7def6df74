import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { run, type RunOptions } from "../../cli/app.ts";
import { CliError, Interrupted } from "../../cli/errors.ts";
import { containerdError, type ErrorCode } from "../../mod.ts";
import { type Answers, CannedTransport } from "./canned_transport.ts";
import { CapturedIo } from "./captured_io.ts";

const namespaces = [
  { name: "default", labels: {} },
  { name: "k8s.io", labels: { owner: "kubelet", a: "1" } },
];

interface Ran {
  exit: number;
  io: CapturedIo;
  transport: CannedTransport;
}

/** Runs a command line against answers of containerd. */
async function ran(
  commandLine: string,
  { answers = { "Namespaces/List": () => ({ namespaces }) }, io = new CapturedIo(), ...options }:
    & { answers?: Answers; io?: CapturedIo }
    & RunOptions = {},
): Promise<Ran> {
  const transport = new CannedTransport(answers);
  const argv = commandLine === "" ? [] : commandLine.split(" ");
  const exit = await run(argv, io, { connect: () => Promise.resolve(transport), ...options });
  return { exit, io, transport };
}

function refusing(code: ErrorCode, reason: string = code) {
  return (_: never, { action, resource }: { action: string; resource?: string | undefined }) => {
    throw containerdError({ code, reason, action, resource, outcome: "refused" });
  };
}

Deno.test("run() prints what a verb returns and exits 0", async () => {
  const { exit, io, transport } = await ran("namespaces list");
  assertEquals([exit, io.stderr], [0, ""]);
  assertEquals(io.stdout, "NAME     LABELS\ndefault  -\nk8s.io   a=1,owner=kubelet\n");
  assertEquals(transport.isClosed, true);
});

Deno.test("run() knows ctr's aliases, and global flags at any place", async () => {
  for (const line of ["ns ls -q", "-q namespace list", "namespaces -q ls", "namespaces ls --output=name"]) {
    assertEquals((await ran(line)).io.stdout, "default\nk8s.io\n", line);
  }
});

Deno.test("run() renders the form that -o names", async () => {
  const answers: Answers = { "Leases/List": () => ({ leases: [{ id: "1", labels: { a: "1", b: "" } }] }) };
  assertEquals((await ran("leases ls -o csv --no-headers", { answers })).io.stdout, '1,,"a=1,b="\r\n');
  assertEquals((await ran("leases ls -q", { answers })).io.stdout, "1\n");
  assertEquals(JSON.parse((await ran("version -o json")).io.stdout).deno, Deno.version.deno);
});

Deno.test("run() shows versions and help without a connection", async () => {
  const connect = () => Promise.reject(new Error("connected"));
  assertMatch((await ran("--version", { connect })).io.stdout, /^davit \d+\.\d+\.\d+\n$/);
  assertMatch((await ran("namespaces list --version", { connect })).io.stdout, /^davit /);
  for (
    const line of [
      "",
      "--help",
      "-h",
      "help",
      "ns",
      "ns -h",
      "help ns",
      "ns ls -h",
      "help ns ls",
      "-h ns ls",
      "version",
    ]
  ) {
    const { exit, io } = await ran(line, { connect });
    assertEquals([exit, io.stderr], [0, ""], line);
    assert(io.stdout.length > 0, line);
  }
});

Deno.test("run() shows help of a verb although what it requires is missing", async () => {
  assertStringIncludes(
    (await ran("schedule cron --help")).io.stdout,
    "Usage: davit schedule cron COMMAND... --name STRING",
  );
});

for (
  const [line, message, hint] of [
    ["bogus", 'Cannot run "bogus": no such noun, verb or plugin', '"davit help" lists them'],
    [
      "namespcaes list",
      'Cannot run "namespcaes": no such noun, verb or plugin',
      'did you mean "namespaces"?',
    ],
    ["help bogus", 'Cannot run "bogus": no such noun, verb or plugin', '"davit help" lists them'],
    ["ns lst", 'Cannot run "namespaces lst": no such verb', 'did you mean "namespaces list"?'],
    [
      "ns zzz",
      'Cannot run "namespaces zzz": no such verb',
      "namespaces has list, create, label, inspect, remove",
    ],
    [
      "ns ls extra",
      'Cannot run "namespaces list": unexpected argument "extra"',
      'see "davit namespaces list --help"',
    ],
    ["ns rm", 'Cannot run "namespaces remove": NAME is missing', 'see "davit namespaces remove --help"'],
    ["ns ls --dry-run", 'Cannot use --dry-run with "namespaces list": it has no plan to show', undefined],
    [
      "ns ls -A",
      'Cannot use --all-namespaces with "namespaces list": it does not list by namespace',
      undefined,
    ],
    ["ns ls -q -o yaml", "Cannot use --quiet with --output yaml: it is short for --output name", undefined],
    [
      "ns ls -o xml",
      'Cannot use "xml" for --output: expected table, wide, json, jsonl, yaml, csv or name',
      undefined,
    ],
    [
      "ns ls --timeout 5",
      'Cannot use "5" for --timeout: expected a duration with units, such as 90s, 15m, 1h30m, 7d or 2w',
      undefined,
    ],
    ["ns ls -n=", "Cannot use an empty --namespace", undefined],
    ["images copy x", "Missing --to: where they go", undefined],
    [
      "completion tcsh",
      'Cannot use "tcsh" for SHELL: expected bash, zsh or fish',
      'see "davit completion --help"',
    ],
    ["--to x images copy", 'Unknown flag "--to"', undefined],
    ["ns -namespace x ls", 'Unknown flag "-namespace"', "did you mean --namespace?"],
  ] as const
) {
  Deno.test(`run() refuses ${JSON.stringify(line)} with exit 2`, async () => {
    const { exit, io, transport } = await ran(line);
    assertEquals(io.stderr, `davit: ${message}\n${hint === undefined ? "" : `hint: ${hint}\n`}`);
    assertEquals([exit, io.stdout, transport.calls], [2, "", []]);
  });
}

Deno.test("run() tells errors as JSON with -o json, -o jsonl and --log-format json, also those of the command line", async () => {
  for (
    const line of ["ns lst -o json", "-o jsonl ns lst", "ns lst --log-format=json", "ns ls -o json --bogus"]
  ) {
    const { io, exit } = await ran(line);
    const record = io.records.at(-1)!;
    assertEquals([record.level, record.code, record.exit, exit], ["error", "usage", 2, 2], line);
  }
});

Deno.test("run() tells errors of the command line as text with --log-format text", async () => {
  const { io } = await ran("ns lst -o json --log-format text");
  assertEquals(io.stderr.startsWith("davit: Cannot run"), true);
});

Deno.test("run() takes --log-format text although the output is JSON", async () => {
  const { io } = await ran("leases rm x -o json --log-format text", {
    answers: { "Leases/Delete": refusing("not_found", "not found") },
  });
  assertEquals(io.stderr, 'davit: Cannot delete lease "x": not found\n');
});

Deno.test("run() names the cause of failed calls and exits with its code", async () => {
  for (
    const [code, exit] of [["permission_denied", 6], ["unavailable", 7], ["unimplemented", 9], [
      "internal",
      1,
    ]] as const
  ) {
    const { io, ...rest } = await ran("ns ls", { answers: { "Namespaces/List": refusing(code) } });
    assertEquals([rest.exit, io.stdout], [exit, ""]);
    assertMatch(io.stderr, new RegExp(`^davit: Cannot list namespaces: ${code}\n`));
  }
});

Deno.test("run() never lets a name act on the terminal", async () => {
  const hostile = [{ name: "a\x1b[2Jb\nc", labels: {} }];
  const { io } = await ran("ns ls", { answers: { "Namespaces/List": () => ({ namespaces: hostile }) } });
  assertEquals(io.stdout, "NAME          LABELS\na\\x1b[2Jb\\nc  -\n");
  assertStringIncludes((await ran("bo\x1bgus\u202e")).io.stderr, 'davit: Cannot run "bo\\u001bgus\\u202e"');
});

Deno.test("run() works in the namespace and at the address of the environment, flags first", async () => {
  const env = { CONTAINERD_NAMESPACE: "k8s.io", CONTAINERD_ADDRESS: "unix:///env.sock" };
  const seen: string[] = [];
  const connect: RunOptions["connect"] = ({ path, connectTimeoutMs, only }) => {
    seen.push(`${path} ${connectTimeoutMs} ${only}`);
    return Promise.resolve(
      new CannedTransport({
        "Leases/List": (_, { namespace }) => {
          seen.push(namespace);
          return { leases: [{ id: "1", labels: {}, createdAt: undefined }] };
        },
      }),
    );
  };
  await ran("leases ls -q", { io: new CapturedIo({ env }), connect });
  await ran("leases ls -q -n other -a /flag.sock --connect-timeout 5s", {
    io: new CapturedIo({ env: { ...env, DAVIT_TRANSPORT: "grpc" } }),
    connect,
  });
  await ran("leases ls -q", { connect });
  assertEquals(seen, [
    "/env.sock 2000 undefined",
    "k8s.io",
    "/flag.sock 5000 grpc",
    "other",
    "/run/containerd/containerd.sock 2000 undefined",
    "default",
  ]);
});

Deno.test("run() ends with exit 8 when --timeout is over", async () => {
  const answers = { "Namespaces/List": waiting };
  const { exit, io, transport } = await ran("ns ls --timeout 20ms", { answers });
  assertEquals([exit, io.stderr], [8, "davit: Cannot finish within 20ms\n"]);
  assertEquals(transport.isClosed, true);
});

Deno.test("run() ends with 130 or 143 when it is interrupted", async () => {
  for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    const controller = new AbortController();
    const running = ran("ns ls", { answers: { "Namespaces/List": waiting }, signal: controller.signal });
    setTimeout(() => controller.abort(new Interrupted(signal)), 5);
    const { exit, transport } = await running;
    assertEquals([exit, transport.isClosed], [expected, true]);
  }
});

function waiting(_: never, { signal }: { signal?: AbortSignal | undefined }): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal!.addEventListener("abort", () => reject(signal!.reason));
  return promise;
}

Deno.test("run() ends silently with exit 0 when nobody reads its output any more", async () => {
  for (const line of ["ns ls", "version -o jsonl", "--help"]) {
    const io = new CapturedIo();
    io.writeOut = () => Promise.reject(new Deno.errors.BrokenPipe());
    const { exit } = await ran(line, { io });
    assertEquals([exit, io.stderr], [0, ""], line);
  }
});

Deno.test("run() fails when the output cannot be written", async () => {
  const io = new CapturedIo();
  io.writeOut = () => Promise.reject(new Error("No space left on device (os error 28)"));
  const { exit } = await ran("ns ls", { io });
  assertEquals(exit, 1);
  assertStringIncludes(io.stderr, "davit: Cannot write the output: No space left on device (os error 28)");
});

Deno.test("run() tries all of several names, reports each failure and exits 3 for some", async () => {
  const refuse = refusing("not_found", "not found");
  const answers: Answers = {
    "Leases/Delete": ({ id }: { id: string }, call) => id === "there" ? {} : refuse(undefined as never, call),
  };
  const some = await ran("leases rm a there b", { answers });
  assertEquals([some.exit, some.io.stdout], [3, "there\n"]);
  assertEquals(
    some.io.stderr,
    'davit: Cannot delete lease "a": not found\n' +
      'davit: Cannot delete lease "b": not found\n' +
      "davit: 2 of 3 failed\n",
  );
  assertEquals((await ran("leases rm a b", { answers })).exit, 4);
  const one = await ran("leases rm a -o json", { answers });
  assertEquals([one.exit, one.io.stdout, one.io.records.length], [4, "[]\n", 1]);
});

Deno.test("run() shows each call, and where an error comes from, with --debug", async () => {
  const { io } = await ran("ns ls --debug");
  assertMatch(
    io.stderr,
    /^debug: containerd\.services\.namespaces\.v1\.Namespaces\/List in default: ok, [\d.]+ ms, 0 bytes sent, 0 received\n$/,
  );
  const json = await ran("ns ls --debug -o jsonl", { answers: { "Namespaces/List": refusing("internal") } });
  const [call, error] = json.io.records;
  assertEquals([call!.level, call!.status, error!.level], ["debug", "internal", "error"]);
  assertMatch(String(error!.stack), /\n +at /);
  assertEquals((await ran("ns bogus --debug")).io.stderr.includes("\n    at "), true);
  assertEquals((await ran("ns bogus")).io.stderr.includes("\n    at "), false);
});

Deno.test("run() passes hints of errors on", async () => {
  const connect = () => Promise.reject(new CliError("Cannot x", { code: "not_found", hint: "try y" }));
  const { exit, io } = await ran("ns ls", { connect });
  assertEquals([exit, io.stderr], [4, "davit: Cannot x\nhint: try y\n"]);
});

Deno.test("run() refuses writes with --no-writes", async () => {
  const { exit, io, transport } = await ran("leases rm x --no-writes", { answers: {} });
  assertEquals([exit, transport.calls], [6, []]);
  assertEquals(io.stderr, 'davit: Cannot delete lease "x" in namespace "default": --no-writes is given\n');
});

Deno.test("run() shows progress on a terminal only, and as JSON where stderr is JSON", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    path,
    `import { definePlugin } from "davit";
    export default definePlugin({
      name: "progress",
      summary: "Show progress",
      run: ({ progress }) => progress({ task: "copying", done: 1, total: 1 }),
    });`,
  );
  const terminal = { columns: 80, colour: false, showsOutput: false };
  const json = '{"level":"progress","task":"copying","done":1,"total":1}\n';
  try {
    for (
      const [flags, io, expected] of [
        ["--progress auto", new CapturedIo(), ""],
        ["--progress auto", new CapturedIo({ terminal }), "copying: 1 of 1\x1b[K\n\x1b[J\r\x1b[1A\x1b[J"],
        ["--progress none", new CapturedIo({ terminal }), ""],
        ["--progress plain", new CapturedIo({ terminal }), "copying: 1 of 1\n"],
        ["--progress tty", new CapturedIo(), "copying: 1 of 1\n"],
        ["-o json", new CapturedIo({ terminal }), ""],
        ["-o json --progress tty", new CapturedIo({ terminal }), json],
      ] as const
    ) {
      await ran(`${path} ${flags}`, { io });
      assertEquals([flags, io.stderr], [flags, expected]);
    }
  } finally {
    await Deno.remove(path);
  }
});
