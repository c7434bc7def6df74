/** Plugins that mean harm or are broken: what they do, and what becomes of the run. */

/** A plugin and how its run ends; it holds a lease when its body begins, and none may be left. */
export interface HostileCase {
  /** After "a plugin that". */
  criterion: string;
  /** The body of `run`. */
  body: string;
  /** Default 10. */
  exit?: number;
  /** On stderr. */
  said?: string | RegExp;
  argv?: readonly string[];
  /** The lease stays: the run ended well, as far as davit can tell. */
  succeeds?: boolean;
  /** A slow machine keeps up with it, until the time is up. */
  mayLast?: boolean;
}

/** The ports that davit's own code in the worker has, and an object that is no text and cannot be made one. */
const ports = `
    const ports = [];
    const post = MessagePort.prototype.postMessage;
    MessagePort.prototype.postMessage = function (...all) {
      if (!ports.includes(this)) ports.push(this);
      return post.apply(this, all);
    };
    log.info("x");
    await client.images.get("x").catch(() => {});
    MessagePort.prototype.postMessage = post;
    const [control, containerd] = ports;
    const odd = { toString: 1, valueOf: 1 };
    const forever = new Promise(() => {});`;

/** Says something to the host in davit's name, and waits for what becomes of it. */
const forged = (message: string) => `${ports}\n    control.postMessage(${message});\n    await forever;`;

/** Sends something to the host for ever, and lets nothing else happen. */
const flooding = (port: string, message: string) =>
  `${ports}\n    for (let id = 1_000;; id++) ${port}.postMessage(${message});`;

const tooMuch = "it sends more messages than can be read";

/** One of these, whichever is noticed first. */
const ended = /it sends more messages than can be read|MiB of memory/;

const places = "const places = [];\n    places.length = 2 ** 32 - 1;";

export const hostileCases: readonly HostileCase[] = [
  { criterion: "throws what is no error", body: "throw { code: 0, exit: 0 };", said: "{ code: 0, exit: 0 }" },
  {
    criterion: "leaves a promise that rejects",
    body: 'Promise.reject(new Error("floating"));\nawait new Promise(() => {});',
    said: ": floating",
  },
  { criterion: "calls Deno.exit()", body: "Deno.exit(0);", said: "a plugin ends by returning from run" },
  {
    criterion: "calls process.exit()",
    body: "process.exit(0);",
    said: "a plugin ends by returning from run",
  },
  { criterion: "calls process.abort()", body: "process.abort();", said: "not supported in workers" },
  {
    criterion: "asks for an unstable part of Deno",
    body: 'await Deno.connect({ transport: "vsock", cid: 2, port: 1 });',
    said: 'net access to "vsock:2:1" is denied',
  },
  {
    criterion: "asks for another unstable part of Deno",
    body: "Deno.listen({ port: 0, reusePort: true });",
    said: "net access to",
  },
  {
    criterion: "has a worker that throws",
    body: 'new Worker("data:text/javascript,throw 1", { type: "module" });\nawait new Promise(() => {});',
    said: "Uncaught",
  },
  {
    criterion: "ends davit with a signal",
    body: 'process.kill(process.pid, "SIGTERM");\nfor (;;);',
    exit: 143,
    said: "davit: Terminated",
  },
  {
    criterion: "computes for ever",
    body: "for (;;);",
    exit: 8,
    said: "Cannot finish within 3s",
    argv: ["--timeout", "3s", "--lock"],
  },
  {
    criterion: "fills the heap of JavaScript",
    body: "const all = [];\nfor (;;) all.push(new Array(1_000_000).fill(Math.random()));",
    said: " MiB of memory",
  },
  {
    criterion: "fills memory outside of the heap",
    body: "const all = [];\nfor (;;) all.push(new Uint8Array(1 << 26).fill(1));",
    said: " MiB of memory",
  },
  { criterion: "logs for ever", body: 'for (;;) log.info("x");', said: tooMuch, mayLast: true },
  {
    criterion: "logs huge lines for ever",
    body: 'for (;;) log.info("x".repeat(1 << 20));',
    said: ended,
    mayLast: true,
  },
  {
    criterion: "sends what is no message for ever",
    body: flooding("control", "5"),
    said: tooMuch,
    mayLast: true,
  },
  {
    criterion: "calls without waiting, for ever",
    body: flooding(
      "containerd",
      '{ id, type: "unary", method: "containerd.services.images.v1.Images/List", request: {}, call: { namespace: client.name, action: "x" } }',
    ),
    said: ended,
    mayLast: true,
  },
  {
    criterion: "yields for ever",
    body: 'const row = "x".repeat(15 << 20);\nfor (;;) yield row;',
    said: "its rows have more than 256 MiB",
  },
  { criterion: "yields a huge row", body: 'yield "x".repeat(17 << 20);', said: "a row has more than 16 MiB" },
  {
    criterion: "yields a huge error",
    body: 'yield new Error("x".repeat(17 << 20));',
    said: "more than 16 MiB",
  },
  {
    criterion: "yields a huge boxed text",
    body: 'yield new String("x".repeat(17 << 20));',
    said: "a row has more than 16 MiB",
  },
  {
    criterion: "yields an array of places with nothing",
    body: `${places}\n    yield places;`,
    said: tooMuch,
  },
  {
    criterion: "asks with an array of places with nothing",
    body: `${ports}
    ${places}
    const request = { filters: places };
    const method = "containerd.services.images.v1.Images/List";
    containerd.postMessage({ id: 1_000, type: "unary", method, request, call: { namespace: "x", action: "x" } });
    await forever;`,
    said: tooMuch,
  },
  {
    criterion: "returns what is in itself",
    body: "const all = [];\nall.push(all);\nreturn all;",
    said: "is in itself",
  },
  {
    criterion: "returns what is twice in itself, sixty times",
    body: "let all = [1];\nfor (let n = 0; n < 60; n++) all = [all, all];\nreturn all;",
    said: tooMuch,
  },
  { criterion: "yields a function", body: "yield () => 1;", said: "only plain data can leave a plugin" },
  {
    criterion: "sends a huge request",
    body: 'await client.images.get("x".repeat(17 << 20));',
    exit: 1,
    said: "16 MiB are the most",
  },
  {
    criterion: "forges an error that is none",
    body: forged('{ type: "failed", error: odd }'),
    said: "Cannot run",
  },
  {
    criterion: "forges an error of texts that are none",
    body: forged('{ type: "failed", error: { name: odd, message: odd, stack: odd } }'),
    said: "[object Object]",
  },
  {
    criterion: "forges an error of containerd",
    body: forged(
      '{ type: "failed", error: { details: { code: odd, reason: 1, action: odd, resource: odd } } }',
    ),
    said: "Cannot run",
  },
  {
    criterion: "forges an error with a code of davit's own",
    body: forged(
      '{ type: "failed", error: { details: { code: "locked", reason: "x", action: "x", outcome: "x" } } }',
    ),
    said: "Cannot run",
  },
  {
    criterion: "forges rows, and no end of them",
    body: `${ports}
    control.postMessage({ type: "rows" });
    for (let n = 0; n < 9; n++) control.postMessage({ type: "value", value: n });
    throw new Error("enough");`,
    said: "Cannot run",
  },
  {
    criterion: "says nonsense in davit's name",
    body: `${ports}
    const said = [null, 5, "run", {}, { type: odd }, { type: "next" }, { type: "info", message: odd },
      { type: "progress", state: { task: odd, done: 1, items: [odd] } }, { type: "progress", state: odd }];
    for (const message of said) control.postMessage(message);
    const call = { namespace: client.name, action: "x" };
    const method = "containerd.services.images.v1.Images/List";
    for (
      const message of [null, 5, {}, { id: 1.5 }, { id: odd, type: "unary" }, { id: 1_000, type: "pull" },
        { id: 1_001, type: "unary", method: odd, call }, { id: 1_002, type: "unary", method: "__proto__", call },
        { id: 1_003, type: "unary", method, request: { filters: odd }, call },
        { id: 1_004, type: "unary", method, request: {}, call: { ...call, action: odd } },
        { id: 1_005, type: "stream", method, requests: [{}], call },
        { id: 1_006, type: "unary", method, request: {}, call: { ...call, timeoutMs: -1, lease: "\\0" } }]
    ) containerd.postMessage(message);
    await client.images.get("x").catch(() => {});
    return "went on";`,
    exit: 0,
    succeeds: true,
  },
  {
    criterion: "reaches for the prototypes of the host",
    body: `${ports}
    const call = JSON.parse('{ "namespace": "x", "action": "x", "__proto__": { "lease": "y" } }');
    const request = JSON.parse('{ "__proto__": { "filters": ["x"] }, "constructor": { "prototype": { "polluted": 1 } } }');
    containerd.postMessage({ id: 1_000, type: "unary", method: "containerd.services.images.v1.Images/List", request, call });
    yield JSON.parse('{ "__proto__": { "polluted": 1 }, "toJSON": 1, "toString": 1, "then": 1 }');
    yield { polluted: {}.polluted };`,
    exit: 0,
    succeeds: true,
  },
  {
    criterion: "lists in a namespace that it did not declare",
    body: 'await client.namespace("other").images.list().next();',
    exit: 6,
    said: 'add "other" to its access.namespaces',
  },
  {
    criterion: "writes in a namespace that it did not declare",
    body: 'await client.namespace("other").leases.create({ id: "x" });',
    exit: 6,
    said: 'add "other" to its access.namespaces',
  },
  {
    criterion: "creates a namespace that it did not declare",
    body: 'await client.namespaces.create("other");',
    exit: 6,
    said: 'add "other" to its access.namespaces',
  },
  {
    criterion: "writes in a class that it did not declare",
    body: 'await client.containers.delete("x");',
    exit: 6,
    said: 'set its access.write to "all"',
  },
  {
    criterion: "writes past davit's client in a class that it did not declare",
    body: `${ports}
    const answer = new Promise((resolve) => containerd.addEventListener("message", ({ data }) => resolve(data)));
    const method = "containerd.services.tasks.v1.Tasks/Kill";
    const call = { namespace: client.name, action: "kill" };
    containerd.postMessage({ id: 1_000, type: "unary", method, request: { containerId: "x", all: true }, call });
    throw new Error((await answer).error.code);`,
    said: ": permission_denied",
  },
];

/** A file of a plugin that is none, and what is said of it. */
export interface UnusableFile {
  criterion: string;
  text: string;
  said: string;
}

const named = (rest: string) => `export default { name: "bad", summary: "x", run() {}, ${rest} };\n`;

export const unusableFiles: readonly UnusableFile[] = [
  { criterion: "is empty", text: "", said: "it has no default export" },
  { criterion: "exports a function", text: "export default () => {};\n", said: "is not a plugin" },
  { criterion: "exports no plugins", text: "export default [];\n", said: "an array without plugins" },
  {
    criterion: "has two plugins of one name",
    text: 'const bad = { name: "bad", summary: "x", run() {} };\nexport default [bad, bad];\n',
    said: '"bad" is there twice',
  },
  { criterion: "misspells a key", text: named("option: {}"), said: 'did you mean "options"?' },
  {
    criterion: "has an option of a wrong type",
    text: named('options: { keep: { type: "int", summary: "x" } }'),
    said: "options.keep.type",
  },
  {
    criterion: "takes the name of a global flag",
    text: named('options: { dryRun: { type: "boolean", summary: "x" } }'),
    said: "--dry-run is a flag of davit itself",
  },
  {
    criterion: "asks for a secret of the environment",
    text: named('options: { key: { type: "string", summary: "x", env: "AWS_SECRET_ACCESS_KEY" } }'),
    said: "begins with DAVIT_",
  },
  { criterion: "has a syntax error", text: "export default {,};\n", said: "SyntaxError" },
  { criterion: "throws at its top level", text: "throw 5;\n", said: "5" },
  { criterion: "ends davit at its top level", text: "Deno.exit(0);\n", said: "a plugin ends by returning" },
  {
    criterion: "fills memory at its top level",
    text: "const all = [];\nfor (;;) all.push(new Uint8Array(1 << 26).fill(1));\n",
    said: "MiB of memory",
  },
  { criterion: "imports from npm", text: 'import "npm:left-pad";\n', said: "deno bundle --external davit" },
  { criterion: "imports from jsr", text: 'import "jsr:@std/path";\n', said: "deno bundle --external davit" },
  {
    criterion: "imports from a server",
    text: 'import "https://example.com/x.ts";\n',
    said: "deno bundle --external davit",
  },
  { criterion: "imports a package", text: 'import "left-pad";\n', said: "deno bundle --external davit" },
  { criterion: "imports what is not there", text: 'import "./none.ts";\n', said: "none.ts" },
  ...([
    ["a file of the system as a text", '"/etc/shadow" with { type: "text" }', "/etc/shadow"],
    ["a link to a file of the system as a text", '"./link.txt" with { type: "text" }', "link.txt"],
    ["data elsewhere", '"../elsewhere.json" with { type: "json" }', "elsewhere.json"],
    ["a link to data elsewhere", '"./link.json" with { type: "json" }', "link.json"],
    ["a module elsewhere", '"../elsewhere.ts"', "elsewhere.ts"],
    ["a link to a module elsewhere", '"./link.ts"', "link.ts"],
    [
      "a file of a folder that a link leads to",
      '"./folder/hostname" with { type: "text" }',
      "folder/hostname",
    ],
  ] as const).map(([criterion, from, path]) => ({
    criterion: `imports ${criterion}`,
    text: `import x from ${from};\nexport default { name: "bad", summary: "x", run: () => x };\n`,
    said: `${path}" is denied`,
  })),
];

/** What code of a plugin tries, and what of it is said; by default, that the permission is lacking. */
export const attempts: readonly (readonly [statement: string, said?: RegExp])[] = [
  ['await Deno.readTextFile("/etc/shadow")'],
  ['await fetch("file:///etc/shadow")'],
  ['await Deno.readTextFile(here("link.txt"))'],
  ['await Deno.readTextFile(here("folder/hostname"))'],
  ['await Deno.readTextFile(here("folder/../link.txt"))'],
  ['await Deno.readTextFile(here("inner/out.txt"))'],
  ['await Deno.stat(here("link.txt"))'],
  ['await Deno.readLink(here("link.txt"))'],
  ['await Deno.realPath(here("link.txt"))'],
  ['await Array.fromAsync(Deno.readDir(here("folder")))'],
  ['await Deno.readLink("/proc/self/exe")'],
  ['await Deno.readTextFile("/proc/self/environ")'],
  ['Deno.watchFs("/etc")'],
  ['(await import("node:fs")).readFileSync("/etc/shadow")'],
  ['process.getBuiltinModule("fs").readFileSync(here("link.txt"))'],
  ['(await import("node:module")).createRequire(import.meta.url)(here("../elsewhere.json").pathname)'],
  ['await import(["/etc", "shadow"].join("/"))'],
  ['await import("data:text/javascript," + encodeURIComponent(`import x from "file:///etc/shadow" with { type: "text" };`))'],
  ['await import(URL.createObjectURL(new Blob(["await Deno.readTextFile(\'/etc/shadow\')"], { type: "text/javascript" })))'],
  ["await nested(\"data:text/javascript,await Deno.readTextFile('/etc/shadow')\")"],
  ['await nested(here("../elsewhere.ts").href)'],
  [
    'new Worker(import.meta.url, { type: "module", deno: { permissions: { read: true } } })',
    /Can't escalate/,
  ],
  [
    "await threaded(\"require('node:fs').readFileSync('/etc/shadow')\")",
  ],
  ['await Deno.writeTextFile(here("new"), "")'],
  ['await Deno.remove(here("sample.ts"))'],
  ['await Deno.symlink("/etc/shadow", here("new"))', /requires unscoped/],
  ["await Deno.makeTempFile()"],
  ['(await import("node:v8")).writeHeapSnapshot("/tmp/davit-snapshot")'],
  ['new (await import("node:sqlite")).DatabaseSync(here("new").pathname)'],
  [
    'new (await import("node:sqlite")).DatabaseSync(":memory:").exec("VACUUM INTO \'/tmp/davit-new\'")',
    /too many attached/,
  ],
  ['await caches.open("davit")', /undefined/],
  ['await Deno.connect({ transport: "unix", path: containerd })'],
  ['await new Promise((_, no) => process.getBuiltinModule("net").connect(containerd).on("error", no))'],
  ['await fetch("http://x/", { client: Deno.createHttpClient({ proxy: { transport: "unix", path: containerd } }) })'],
  ['await Deno.connect({ hostname: "127.0.0.1", port: 80 })'],
  ['await fetch("https://127.0.0.1/")'],
  ["await event(new WebSocket('ws://127.0.0.1:80'))"],
  ['await Deno.resolveDns("localhost", "A")'],
  ["Deno.listen({ port: 0 })"],
  ['Deno.listenDatagram({ transport: "udp", port: 0 })'],
  ["new Deno.QuicEndpoint()"],
  ['(await import("node:inspector")).open(0)'],
  ['new (await import("node:inspector")).Session().connectToMainThread()', /not a worker/],
  ['Deno.env.get("HOME")'],
  ["Deno.env.toObject()"],
  ["process.env.HOME"],
  ['await threaded("process.env.HOME")'],
  ['await new Deno.Command("id").output()'],
  ['(await import("node:child_process")).execSync("id")'],
  ["Deno.kill(1, 'SIGCONT')"],
  ["process.kill(process.ppid, 0)"],
  ["Deno.umask()"],
  ["process.setuid(0)", /not supported in workers/],
  ["Deno.hostname()"],
  ['(await import("node:os")).userInfo()'],
  ['Deno.dlopen("libc.so.6", {})'],
  ['process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libc.so.6")'],
  [
    'throw new Error((await Deno.permissions.request({ name: "read", path: "/etc/shadow" })).state)',
    /denied/,
  ],
  ['throw new Error((await Deno.permissions.request({ name: "run" })).state)', /denied/],
  ['throw new Error((await Deno.permissions.request({ name: "net" })).state)', /denied/],
];
