import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { basename, join } from "@std/path";
import { UsageError } from "../../../cli/errors.ts";
import { wrongInCron } from "../../../cli/unattended/cron_fields.ts";
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

for (
  const [when, wrong] of [
    ["0 3 * * *", undefined],
    ["*/15 0-6,22-23/2 1,15 jan-MAR Mon-Fri", undefined],
    ["59 23 31 12 7", undefined],
    ["0 3  * * *", undefined],
    ["60 3 * * *", '"60" is no minute, which is 0 to 59'],
    ["0 24 * * *", '"24" is no hour, which is 0 to 23'],
    ["0 3 0 * *", '"0" is no day of the month, which is 1 to 31'],
    ["0 3 * 13 *", '"13" is no month, which is 1 to 12'],
    ["0 3 * * 8", '"8" is no day of the week, which is 0 to 7'],
    ["0 3 * * monday", '"monday" is no day of the week, which is 0 to 7'],
    ["0 5-3 * * *", '"5-3" is no hour, which is 0 to 23'],
    ["*/0 3 * * *", '"*/0" is no minute, which is 0 to 59'],
    ["5/2 3 * * *", '"5/2" is no minute, which is 0 to 59'],
    ["0 3 * *", 'cron wants five fields, such as "0 3 * * *"'],
    ["0 3 * * * *", 'cron wants five fields, such as "0 3 * * *"'],
    ["@dayly", 'cron wants five fields, such as "0 3 * * *"'],
    ["", 'cron wants five fields, such as "0 3 * * *"'],
  ] as const
) {
  Deno.test(`wrongInCron() of ${JSON.stringify(when)}`, () => assertEquals(wrongInCron(when), wrong));
}

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
    [{ when: "daily\nExecStart=/bin/evil" }, "line break"],
    [{ when: " " }, "empty --when"],
    [{ argv: ["--help"] }, "names no verb"],
    [{ name: "a/b" }, "for --name"],
    [{ program: "davit" }, "not an absolute path"],
  ] as const
) {
  Deno.test(`checkSchedule() refuses ${JSON.stringify(change)}`, async () => {
    await assertRejects(() => checkSchedule({ ...schedule, ...change }), UsageError, message);
  });
}
