/** Every row of the exit table, by the program itself and a real containerd. */
import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { outcomes } from "../../cli/errors.ts";
import { frozen } from "../fault/frozen.ts";
import type { Containerd } from "../real/containerd.ts";
import { busyboxImage, importWithCtr, manyImages, ociArchive, sparseImage } from "../real/images.ts";
import type { Output } from "../real/process.ts";
import { realTest, type RealTestOptions, uniqueNamespace } from "../real/test.ts";

const main = fromFileUrl(new URL("../../cli/main.ts", import.meta.url));

interface Call {
  argv: string[];
  /** The daemon's socket, unless another one is named. */
  address?: string;
  env?: Record<string, string>;
  /** Words in front of the program's. */
  under?: string[];
  /** Called when the program runs. */
  meanwhile?: (child: Deno.ChildProcess) => Promise<void> | void;
}

async function davit(
  containerd: Containerd,
  { argv, address, env = {}, under = [], meanwhile }: Call,
): Promise<Output> {
  const [program = "", ...words] = [...under, Deno.execPath(), "run", "--quiet", "-A", main];
  const child = new Deno.Command(program, {
    args: [...words, "-a", address ?? containerd.address, ...argv],
    env: { CONTAINERD_NAMESPACE: "", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  await meanwhile?.(child);
  const { code, stdout, stderr } = await output;
  seen.add(code);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

interface Ending {
  exit: number;
  code: string;
  message: RegExp;
  hint?: RegExp;
}

/** Runs a command line twice: for a person, and for a program. */
async function endsWith(
  containerd: Containerd,
  call: Call,
  { exit, code, message, hint }: Ending,
): Promise<void> {
  const told = await davit(containerd, call);
  assertEquals(told.code, exit, told.stderr);
  const lines = told.stderr.trimEnd().split("\n");
  const at = lines.findLastIndex((line) => line.startsWith("davit: "));
  assertMatch(lines[at] ?? "", new RegExp(`^davit: ${message.source}$`), told.stderr);
  assertEquals(lines[at + 1]?.startsWith("hint: ") ?? false, hint !== undefined, told.stderr);
  if (hint) assertMatch(lines[at + 1]!, new RegExp(`^hint: ${hint.source}$`));

  const json = await davit(containerd, { ...call, argv: ["-o", "json", ...call.argv] });
  assertEquals(json.code, exit, json.stderr);
  const records = json.stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  const last = records.at(-1);
  assertEquals([last.level, last.code, last.exit], ["error", code, exit], json.stderr);
  assertMatch(last.message, new RegExp(`^${message.source}$`));
  assertEquals(last.hint !== undefined, hint !== undefined, json.stderr);
  const fields = ["level", "code", "message", ...(hint ? ["hint"] : []), "exit"];
  assertEquals(Object.keys(last), fields);
}

const absent = /Cannot inspect image "absent:1" in namespace "[^"]+": not found/;

/** The exit codes of which a test is registered, and those that the test which runs has seen. */
const tested = new Set<number>();
const seen = new Set<number>();

/** A test that fails unless davit ends with each of the exit codes in it. */
function exitTest(
  exits: number | readonly number[],
  name: string,
  body: (containerd: Containerd, namespace: string) => Promise<void>,
  options: RealTestOptions = {},
): void {
  const promised = [exits].flat();
  promised.forEach((exit) => tested.add(exit));
  realTest(`exit ${promised.join(", ")}: ${name}`, async (_t, containerd) => {
    seen.clear();
    await body(containerd, uniqueNamespace());
    assertEquals(promised.filter((exit) => !seen.has(exit)), [], "davit never ended so");
  }, { series: ["2"], ...options });
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-exit-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

exitTest(
  0,
  "what went well, and a list that is empty, say nothing on stderr",
  async (containerd, namespace) => {
    const quiet = { code: 0, stderr: "" };
    for (const argv of [["ns", "create", namespace], ["-n", namespace, "leases", "ls", "-o", "json"]]) {
      const { code, stderr } = await davit(containerd, { argv });
      assertEquals({ code, stderr }, quiet);
    }
  },
);

exitTest(1, "what nobody expected", async (containerd) => {
  const argv = ["ns", "ls"];
  const under = ["sh", "-c", 'exec "$@" > /dev/full', "sh"];
  await endsWith(containerd, { argv, under }, {
    exit: 1,
    code: "unexpected",
    message: /Cannot write the output: .*/,
  });
});

exitTest(2, "a command line that is wrong, and what containerd takes for invalid", async (containerd) => {
  await endsWith(containerd, { argv: ["image", "lst"] }, {
    exit: 2,
    code: "usage",
    message: /Cannot run "images lst": no such verb/,
    hint: /did you mean "images (ls|list)"\?/,
  });
  await endsWith(containerd, { argv: ["content", "info", "bogus"] }, {
    exit: 2,
    code: "invalid_argument",
    message: /Cannot get content .*bogus.*/,
  });
  await endsWith(containerd, { argv: ["images", "ls", "name==/x"] }, {
    exit: 2,
    code: "invalid_argument",
    message: /Cannot list images in namespace "default": filters: parse error.*/,
    hint: /in a filter, texts .*/,
  });
});

exitTest(3, "some of several failed, and a check that found something", async (containerd, namespace) => {
  await importWithCtr(containerd, namespace, ociArchive([await sparseImage()]), { allPlatforms: false });
  const check = { argv: ["-n", namespace, "images", "check", "--all-platforms"] };
  const { code, stdout, stderr } = await davit(containerd, check);
  assertEquals([code, stderr], [3, ""]);
  assertMatch(stdout, /incomplete/);
  const argv = ["-n", namespace, "content", "rm", `sha256:${"0".repeat(64)}`, "bogus"];
  await endsWith(containerd, { argv }, { exit: 3, code: "partial", message: /2 of 2 failed/ });
});

exitTest(4, "not found, with a hint where it is", async (containerd, namespace) => {
  await endsWith(containerd, { argv: ["-n", "elsewhere", "images", "inspect", "absent:1"] }, {
    exit: 4,
    code: "not_found",
    message: absent,
  });
  await importWithCtr(containerd, namespace, ociArchive(await manyImages({ count: 1 })));
  const name = "example.com/many/app-000:latest";
  await endsWith(containerd, { argv: ["-n", "elsewhere", "images", "inspect", name] }, {
    exit: 4,
    code: "not_found",
    message: new RegExp(`Cannot inspect image "${name}" in namespace "elsewhere": not found`),
    hint: new RegExp(`it is in namespace "${namespace}"`),
  });
  await endsWith(containerd, { argv: ["namespaces", "inspect", namespace.slice(0, -1)] }, {
    exit: 4,
    code: "not_found",
    message: /Cannot get namespace ".*": not found/,
    hint: new RegExp(`did you mean "${namespace}"\\?`),
  });
}, { fresh: true });

exitTest(5, "what exists already, and what is in the way", async (containerd, namespace) => {
  await importWithCtr(containerd, namespace, ociArchive(await manyImages({ count: 1 })));
  await endsWith(containerd, { argv: ["namespaces", "create", namespace] }, {
    exit: 5,
    code: "already_exists",
    message: new RegExp(`Cannot create namespace "${namespace}": already exists`),
  });
  await endsWith(containerd, { argv: ["namespaces", "remove", namespace] }, {
    exit: 5,
    code: "failed_precondition",
    message: /Cannot delete namespace .* must be empty, but it still has images.*/,
    hint: /.*--purge.*/,
  });
});

exitTest(6, "a socket that is not for us", async (containerd) => {
  await Deno.chmod(containerd.address, 0o000);
  try {
    const under = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"];
    await endsWith(containerd, { argv: ["ns", "ls"], under }, {
      exit: 6,
      code: "permission_denied",
      message:
        /Cannot reach containerd at ".*": permission denied: the socket belongs to uid 0, gid 0, mode 0000/,
      hint: /run davit as root/,
    });
  } finally {
    await Deno.chmod(containerd.address, 0o660);
  }
});

exitTest(7, "a daemon that is gone", async (containerd) => {
  containerd.kill();
  await containerd.stop();
  await endsWith(containerd, { argv: ["ns", "ls"] }, {
    exit: 7,
    code: "unavailable",
    message: /Cannot reach containerd at ".*": .*/,
    hint: /.+/,
  });
}, { fresh: true });

exitTest(8, "a daemon that does not answer in time", async (containerd) => {
  using _frozen = await frozen(containerd);
  await endsWith(containerd, { argv: ["ns", "ls", "--timeout", "500ms", "--connect-timeout", "30s"] }, {
    exit: 8,
    code: "deadline_exceeded",
    message: /Cannot finish within 500ms/,
  });
}, { fresh: true });

exitTest(9, "what this containerd does not have", async (containerd) => {
  await endsWith(containerd, { argv: ["daemon", "deprecations"] }, {
    exit: 9,
    code: "unimplemented",
    message:
      /Cannot list the deprecations of containerd: containerd 1\.6.* only 1\.6\.25, 1\.7\.9 and later ones do/,
  });
}, { series: ["1.6"] });

exitTest(10, "a plugin that cannot be loaded, and one that throws", async (containerd) => {
  await inFolder(async (folder) => {
    const file = join(folder, "broken.ts");
    await Deno.writeTextFile(file, "export default 1;");
    await endsWith(containerd, { argv: [file] }, {
      exit: 10,
      code: "plugin",
      message: /.*broken\.ts.*/,
    });
    const thrower = join(folder, "thrower.ts");
    const run = `run() { throw new Error("on purpose"); }`;
    await Deno.writeTextFile(
      thrower,
      `import { definePlugin } from "davit";\nexport default definePlugin({ name: "thrower", summary: "Throws", ${run} });`,
    );
    await endsWith(containerd, { argv: [thrower] }, {
      exit: 10,
      code: "plugin",
      message: /.*on purpose.*/,
    });
  });
});

exitTest(11, "another run holds the lock", async (containerd) => {
  await inFolder(async (folder) => {
    const env = { XDG_RUNTIME_DIR: folder };
    const holder = { argv: ["events", "--lock", "nightly"], env };
    await davit(containerd, {
      ...holder,
      async meanwhile(child) {
        try {
          while (!await isFile(join(folder, "davit"))) await pause();
          await endsWith(containerd, { argv: ["ns", "ls", "--lock", "nightly"], env }, {
            exit: 11,
            code: "locked",
            message: /Cannot start: lock "nightly" is held by process \d+, since .*/,
            hint: /it is free when that run ends; the lock is .*/,
          });
        } finally {
          child.kill("SIGTERM");
        }
      },
    });
  });
});

for (
  const [signal, exit, message] of [["SIGINT", 130, /Interrupted/], ["SIGTERM", 143, /Terminated/]] as const
) {
  exitTest(exit, `ended by ${signal}`, async (containerd) => {
    using _frozen = await frozen(containerd);
    const meanwhile = async (child: Deno.ChildProcess) => {
      await pause(1500);
      child.kill(signal);
    };
    const argv = ["ns", "ls", "--connect-timeout", "30s"];
    await endsWith(containerd, { argv, meanwhile }, { exit, code: "interrupted", message });
  }, { fresh: true });
}

exitTest(
  [125, 126, 127],
  "run ends as the process does, or so where there is none",
  async (containerd, namespace) => {
    await importWithCtr(containerd, namespace, ociArchive([await busyboxImage()]), { unpack: true });
    const run = (...words: string[]) => ({ argv: ["-n", namespace, "run", "--rm", ...words] });
    for (const exit of [0, 3, 42]) {
      const { code, stderr } = await davit(containerd, run("busybox", "--", "sh", "-c", `exit ${exit}`));
      assertEquals([code, stderr], [exit, ""]);
    }
    await endsWith(containerd, run("absent:1", "--", "true"), {
      exit: 125,
      code: "not_found",
      message: /Cannot run image "absent:1" in namespace ".*": not found/,
      hint: /--pull missing pulls it/,
    });
    await endsWith(containerd, run("--bogus", "busybox"), {
      exit: 125,
      code: "usage",
      message: /Unknown flag "--bogus"/,
    });
    await endsWith(containerd, run("busybox", "--", "/etc/passwd"), {
      exit: 126,
      code: "cannot_execute",
      message: /.*\/etc\/passwd.*/,
    });
    await endsWith(containerd, run("busybox", "--", "no-such-command"), {
      exit: 127,
      code: "command_not_found",
      message: /.*no-such-command.*/,
    });
    await endsWith(containerd, run("busybox", "late", "--tty", "sh"), {
      exit: 127,
      code: "command_not_found",
      message: /.*--tty.*/,
      hint: /"--tty" was taken for the command: davit's own flags stand in front of it/,
    });
  },
);

Deno.test("every row of the exit table has a test here that sees davit end so", () => {
  assertEquals(outcomes.filter(({ exit }) => !tested.has(exit)), []);
});

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function pause(ms = 50): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
