import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { basename, join } from "@std/path";
import { UsageError } from "../../../cli/errors.ts";
import { checkSchedule, cronLine, systemdUnits } from "../../../cli/unattended/schedule.ts";

const argv = ["images", "copy", "a b/**", "x%y$z\"'", "--to", "staging"];
const schedule = { name: "nightly", when: "daily", program: "/bin/echo", argv };

const hasSystemd = await new Deno.Command("systemd-analyze", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

Deno.test("systemdUnits() are units that systemd takes", { ignore: !hasSystemd }, async () => {
  const folder = await Deno.makeTempDir({ prefix: "davit-units-" });
  try {
    const paths: string[] = [];
    for (const { path, text } of systemdUnits(schedule)) {
      paths.push(join(folder, basename(path)));
      await Deno.writeTextFile(paths.at(-1)!, text);
    }
    const { code, stderr } = await new Deno.Command("systemd-analyze", {
      args: ["verify", "--man=no", "--recursive-errors=no", ...paths],
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("systemdUnits() quote what systemd would expand", () => {
  const [service] = systemdUnits(schedule);
  const [, line] = /^ExecStart=(.*)$/m.exec(service!.text)!;
  assertEquals(
    line,
    '/bin/echo --lock nightly --log-format json images copy "a b/**" "x%%y$$z\\"\'" --to staging',
  );
});

Deno.test("cronLine() gives the shell of cron the very arguments", async () => {
  const line = cronLine({
    ...schedule,
    when: "0 3 * * *",
    program: "/usr/bin/printf",
    argv: ["%s|", ...argv],
  });
  const [, command = ""] = /^0 3 \* \* \* root (.*)$/.exec(line)!;
  // cron takes a plain % for the end of the line, and \% for one.
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", command.replaceAll("\\%", "%").replace("--lock nightly --log-format json ", "")],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), argv.map((arg) => `${arg}|`).join(""));
});

Deno.test("cronLine() wants fields of cron", async () => {
  await assertRejects(() => Promise.resolve().then(() => cronLine(schedule)), UsageError, "five fields");
  assertMatch(cronLine({ ...schedule, when: "@daily" }), /^@daily root \/bin\/echo /);
});

Deno.test("a schedule keeps a lock and a log format that its command line has", () => {
  const own = cronLine({
    ...schedule,
    when: "@daily",
    argv: ["--lock=mine", "--log-format", "text", "version"],
  });
  assert(own.endsWith("root /bin/echo --lock=mine --log-format text version"), own);
});

for (
  const [change, message] of [
    [{ argv: ["images", "coppy"] }, "no such verb"],
    [{ argv: ["images", "tag"] }, "REF is missing"],
    [{ argv: ["images", "copy", "x\ny", "--to", "z"] }, "line break"],
    [{ argv: ["--help"] }, "names no verb"],
    [{ name: "a/b" }, "for --name"],
    [{ program: "davit" }, "not an absolute path"],
  ] as const
) {
  Deno.test(`checkSchedule() refuses ${JSON.stringify(change)}`, async () => {
    await assertRejects(() => checkSchedule({ ...schedule, ...change }), UsageError, message);
  });
}
