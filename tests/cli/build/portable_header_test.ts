/** The script in front of the portable file, with a small program in the place of Deno. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname, join } from "@std/path";
import { launchArguments } from "../../../cli/build/launch.ts";
import { makePortable } from "../../../cli/build/portable.ts";
import { busyboxStatic } from "../../real/debian.ts";
import { type Output, run, type RunOptions } from "../../real/process.ts";

/** Shows how it was started, and fails as it is told. */
const stub = `#!/bin/sh
case "$1" in --version) exit 0 ;; esac
echo $$; umask; pwd; env; printf '%s\\0' "" "$0" "$@"
exit "\${STUB_EXIT:-0}"
`;

const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;
const busybox = await busyboxStatic().catch(() => undefined);

/** A user who owns nothing. */
const nobody = 65534;

/** A folder for one test, with a portable file in it. */
class Lab implements AsyncDisposable {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Lab> {
    const lab = new Lab(await Deno.makeTempDir({ prefix: "davit-portable-" }));
    await Deno.chmod(lab.folder, 0o755);
    await lab.make("davit-portable", "one");
    return lab;
  }

  get cache(): string {
    return join(this.folder, "cache");
  }

  get portable(): string {
    return join(this.folder, "davit-portable");
  }

  /** Makes a portable file with an application of its own. */
  async make(name: string, application: string): Promise<string> {
    const app = join(this.folder, `${name}.app`);
    const deno = join(this.folder, "stub");
    await Deno.mkdir(app);
    await Deno.writeTextFile(join(app, "application"), application);
    await Deno.writeTextFile(deno, stub);
    return await makePortable({ app, deno, output: join(this.folder, name) });
  }

  /** Runs a command with nothing in the environment but what is given. */
  async run(command: string[], { env = {}, ...options }: RunOptions = {}): Promise<Output> {
    const variables = { PATH: "/usr/bin:/bin", ...env };
    const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    return await run("env", ["-i", ...settings, ...command], { check: false, ...options });
  }

  /** What a start that worked handed to the program. */
  async start(command: string[], options: RunOptions = {}): Promise<Started> {
    const output = await this.run(command, { env: { DAVIT_CACHE_DIR: this.cache }, ...options });
    assertEquals([output.code, output.stderr], [0, ""]);
    const [facts = "", program = "", ...args] = output.stdout.split("\0").slice(0, -1);
    const [pid = "", umask = "", cwd = "", ...env] = facts.trimEnd().split("\n");
    return {
      program,
      args,
      pid,
      umask,
      cwd,
      env: new Map(env.map((line) => line.split("=", 2) as [string, string])),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

interface Started {
  program: string;
  args: string[];
  pid: string;
  umask: string;
  cwd: string;
  env: Map<string, string>;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

const awkward = ["", " ", "a b", "line\nbreak", "'\"$HOME`id`\\", "*", "-n", "--", "--allow-run", "ü"];

Deno.test("the portable file hands over its arguments as they are, on the first run and later", async () => {
  await using lab = await Lab.open();
  for (const _ of ["first", "later"]) {
    const { program, args } = await lab.start([lab.portable, ...awkward]);
    assertEquals(args, [...launchArguments(join(dirname(program), "app")), ...awkward]);
  }
});

Deno.test("the portable file runs as sh's argument, through a link, and from PATH", async () => {
  await using lab = await Lab.open();
  await Deno.mkdir(join(lab.folder, "bin"));
  await Deno.symlink(lab.portable, join(lab.folder, "bin/davit"));
  const env = { PATH: `${lab.folder}/bin:/usr/bin:/bin` };
  const ways: [string[], RunOptions?][] = [
    [["sh", "davit-portable", "x"], { cwd: lab.folder }],
    [["./davit-portable", "x"], { cwd: lab.folder }],
    [[join(lab.folder, "bin/davit"), "x"]],
    [["davit", "x"]],
  ];
  for (const [index, [command, options]] of ways.entries()) {
    const cache = join(lab.folder, `cache-${index}`); // each unpacks
    const { args } = await lab.start(command, { ...options, env: { ...env, DAVIT_CACHE_DIR: cache } });
    assertEquals(args.at(-1), "x");
  }
});

Deno.test({
  name: "the portable file needs nothing that BusyBox lacks" + (busybox ? "" : ": no busybox here"),
  ignore: busybox === undefined,
  fn: async () => {
    await using lab = await Lab.open();
    const bin = join(lab.folder, "bin");
    await Deno.mkdir(bin);
    await run(busybox!, ["--install", "-s", bin]);
    const env = { PATH: bin, DAVIT_CACHE_DIR: lab.cache };
    for (const _ of ["first", "later"]) {
      const { args } = await lab.start([join(bin, "sh"), lab.portable, ...awkward], { env });
      assertEquals(args.slice(-awkward.length), awkward);
    }
    assertEquals((await namesIn(lab.cache)).length, 1);
  },
});

Deno.test("the portable file leaves umask and folder alone and Deno's settings out", async () => {
  await using lab = await Lab.open();
  const unwanted = {
    DENO_V8_FLAGS: "--bogus",
    DENO_COVERAGE_DIR: lab.folder,
    DENO_CONDITIONS: "x",
    DENO_DIR: "/elsewhere",
    NODE_OPTIONS: "--require=x",
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
  };
  const env = { ...unwanted, DAVIT_CACHE_DIR: lab.cache, CONTAINERD_ADDRESS: "/a b" };
  for (const _ of ["first", "later"]) {
    const started = await lab.start(["sh", "-c", 'umask 027; exec "$0"', lab.portable], { env, cwd: "/" });
    assertEquals([started.umask, started.cwd], ["0027", "/"]);
    assertEquals(started.env.get("CONTAINERD_ADDRESS"), "/a b");
    assertEquals(started.env.get("DENO_DIR"), join(dirname(started.program), "cache"));
    assertEquals([...started.env.keys()].filter((name) => name !== "DENO_DIR" && name in unwanted), []);
  }
});

Deno.test("the portable file becomes what it starts, so signals and exit codes are those", async () => {
  await using lab = await Lab.open();
  const { pid, cwd } = await lab.start(["sh", "-c", 'cd /proc/$$ && exec "$0"', lab.portable]);
  assertEquals(cwd, `/proc/${pid}`);
  const { code } = await lab.run([lab.portable], { env: { DAVIT_CACHE_DIR: lab.cache, STUB_EXIT: "42" } });
  assertEquals(code, 42);
});

Deno.test("the portable file keeps what it unpacks to its user", async () => {
  await using lab = await Lab.open();
  const { program } = await lab.start(["sh", "-c", 'umask 0; exec "$0"', lab.portable]);
  for (const path of [lab.cache, dirname(program), program]) {
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o700, path);
  }
});

Deno.test("two versions of the portable file live side by side and share their runtime", async () => {
  await using lab = await Lab.open();
  const other = await lab.make("davit-other", "two");
  const programs: string[] = [];
  for (const file of [lab.portable, other, lab.portable, other]) {
    programs.push((await lab.start([file])).program);
  }
  const [one = "", two = "", ...again] = programs;
  assertEquals(again, [one, two]);
  assertEquals(await Deno.readTextFile(join(dirname(one), "app/application")), "one");
  assertEquals(await Deno.readTextFile(join(dirname(two), "app/application")), "two");
  assertEquals((await Deno.stat(one)).ino, (await Deno.stat(two)).ino);
});

Deno.test("a new version removes what nobody has used for 30 days and what killed runs left", async () => {
  await using lab = await Lab.open();
  const hour = 3_600_000;
  const aged = async (path: string, ms: number) =>
    await Deno.utime(path, new Date(), new Date(Date.now() - ms));
  const releases = ["old", "recent"].map((name) => join(lab.cache, name));
  for (const folder of releases) {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(join(folder, "used"), "");
  }
  await aged(join(lab.cache, "old/used"), 31.5 * 24 * hour);
  await aged(join(lab.cache, "recent/used"), 29 * 24 * hour);
  for (const name of [".new.dead", ".new.alive"]) await Deno.mkdir(join(lab.cache, name));
  await aged(join(lab.cache, ".new.dead"), 2 * hour);
  const { program } = await lab.start([lab.portable]);
  const release = dirname(program).slice(lab.cache.length + 1);
  assertEquals(await namesIn(lab.cache), [".new.alive", "recent", release].sort());
});

Deno.test("every start counts as use of a version", async () => {
  await using lab = await Lab.open();
  const { program } = await lab.start([lab.portable]);
  const used = join(dirname(program), "used");
  await Deno.utime(used, 0, 0);
  await lab.start([lab.portable]);
  assert((await Deno.stat(used)).mtime!.getTime() > Date.now() - 60_000);
});

Deno.test("the portable file unpacks again what was damaged", async () => {
  await using lab = await Lab.open();
  const { program } = await lab.start([lab.portable]);
  await Deno.remove(program);
  await lab.start([lab.portable]);
  assertEquals(await namesIn(dirname(program)), ["app", program.slice(dirname(program).length + 1), "used"]);
});

Deno.test("the portable file refuses to start from a copy that is cut off or altered", async () => {
  await using lab = await Lab.open();
  const whole = await Deno.readFile(lab.portable);
  const copy = join(lab.folder, "copy");
  const env = { DAVIT_CACHE_DIR: lab.cache };

  await Deno.writeFile(copy, whole.subarray(0, -1));
  const cut = await lab.run(["sh", copy], { env });
  assertEquals([cut.code, cut.stdout], [1, ""]);
  assertEquals(cut.stderr, `davit: Cannot start: "${copy}" is incomplete\n`);

  whole[whole.length - 100]! ^= 1;
  await Deno.writeFile(copy, whole);
  const altered = await lab.run(["sh", copy], { env });
  assertEquals([altered.code, altered.stdout], [1, ""]);
  assertMatch(altered.stderr, /^davit: Cannot start: .*DAVIT_CACHE_DIR/);
  assertEquals(await namesIn(lab.cache), []);
});

Deno.test({
  name: "root's portable file unpacks into /var/cache, whatever HOME and XDG_CACHE_HOME say",
  ignore: !isRoot,
  fn: async () => {
    await using lab = await Lab.open();
    const script = 'mount -t tmpfs tmpfs /var/cache && exec "$0"';
    const env = { HOME: lab.folder, XDG_CACHE_HOME: lab.cache };
    const { program } = await lab.start(["unshare", "-m", "sh", "-c", script, lab.portable], { env });
    assertMatch(program, /^\/var\/cache\/davit\/[0-9a-f]{16}\/deno-/);
  },
});

Deno.test({
  name: "the portable file passes over folders that it cannot write to or execute from",
  ignore: !isRoot,
  fn: async () => {
    await using lab = await Lab.open();
    const [home, noexec, good] = ["home", "noexec", "good"].map((name) => join(lab.folder, name)) as [
      string,
      string,
      string,
    ];
    for (const folder of [home, noexec, good]) await Deno.mkdir(folder);
    await Deno.chown(good, nobody, nobody);
    const script = `mount -t tmpfs -o noexec,uid=${nobody} tmpfs "$XDG_CACHE_HOME" && shift &&
      exec setpriv --reuid ${nobody} --regid ${nobody} --clear-groups "$0"`;
    const start = (env: Record<string, string>) =>
      lab.start(["unshare", "-m", "sh", "-c", script, lab.portable, ""], { env });

    const own = { XDG_CACHE_HOME: noexec, XDG_RUNTIME_DIR: good };
    assertEquals(dirname(dirname((await start(own)).program)), join(good, "davit"));
  },
});

Deno.test({
  name: "the portable file names DAVIT_CACHE_DIR when no folder will do",
  ignore: !isRoot,
  fn: async () => {
    await using lab = await Lab.open();
    await Deno.mkdir(lab.cache);
    const script = 'mount -t tmpfs -o noexec tmpfs "$DAVIT_CACHE_DIR" && exec "$0"';
    const env = { DAVIT_CACHE_DIR: lab.cache };
    const { code, stdout, stderr } = await lab.run(["unshare", "-m", "sh", "-c", script, lab.portable], {
      env,
    });
    assertEquals([code, stdout], [1, ""]);
    assertEquals(
      stderr,
      "davit: Cannot start: no folder to unpack into is ours, has room and allows execution; " +
        "DAVIT_CACHE_DIR can name one\n",
    );
  },
});
