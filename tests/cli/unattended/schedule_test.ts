import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { basename, join } from "@std/path";
import { UsageError } from "../../../cli/errors.ts";
import { run } from "../../../cli/app.ts";
import { judgeCalendar } from "../../../cli/unattended/calendar.ts";
import { wrongInCron } from "../../../cli/unattended/cron_fields.ts";
import { checkCalendar, checkSchedule, cronLine, systemdUnits } from "../../../cli/unattended/schedule.ts";
import { CapturedIo } from "../captured_io.ts";

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
    ["0\t3 * * *", undefined],
    ["0 3 29 2 *", undefined],
    ["0 3 31 */2 *", undefined],
    ["0 3 31 2 mon", undefined],
    ["0 3 30 2 *", "none of these months has such a day"],
    ["0 3 31 4,6,9-11/2 *", "none of these months has such a day"],
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

for (
  const [when, isTime] of [
    ["daily", true],
    ["Sun *-*-* 04:00", true],
    ["Mon..Fri 10:00 Europe/Berlin", true],
    ["sat,sun *-*~1 4:5:6.5 UTC", true],
    ["*:0/15", true],
    ["10-5", true],
    ["monday", true],
    ["0 3 * * *", false],
    ["@daily", false],
    ["dayly", false],
    ["midnight", false],
    ["Foo 10:00", false],
    ["-x", false],
    ["04", false],
    ["UTC", false],
  ] as const
) {
  const judged = async (options?: { program: string }) => {
    const { wrong, bySystemd } = await judgeCalendar(when, options);
    return [wrong === undefined, bySystemd];
  };
  Deno.test(`judgeCalendar() of ${JSON.stringify(when)}, by its form`, async () => {
    assertEquals(await judged({ program: "/nonexistent/systemd-analyze" }), [isTime, false]);
  });
  Deno.test(`judgeCalendar() of ${JSON.stringify(when)}, by systemd`, { ignore: !hasSystemd }, async () => {
    assertEquals(await judged(), [isTime, true]);
  });
}

Deno.test("judgeCalendar() knows from systemd which time never comes", { ignore: !hasSystemd }, async () => {
  for (const when of ["2020-01-01", "*-02-30 03:00"]) {
    assertEquals(await judgeCalendar(when), { wrong: "that time never comes", bySystemd: true });
  }
});

Deno.test("checkCalendar() says when systemd was not asked", async () => {
  const [warning] = await checkCalendar("daily", { program: "/nonexistent/systemd-analyze" });
  assertMatch(warning!, /^--when was held against its form only: /);
});

for (const [verb, when] of [["cron", "61 * * * *"], ["systemd", "Sun 25:61 noon oclock"]] as const) {
  Deno.test(`schedule ${verb} refuses a time that is none, with one error`, async () => {
    const io = new CapturedIo();
    assertEquals(await run(["schedule", verb, "--name", "x", "--when", when, "--", "version"], io), 2);
    assertEquals([io.stdout, io.stderr.split("\n").length], ["", 2], io.stderr);
    assertMatch(io.stderr, /^davit: Cannot use ".*" for --when: /);
  });
}

const askingLines: readonly [line: string, asks: boolean][] = [
  ["images prune --unused", true],
  ["images prune --unused --yes", false],
  ["images prune --unused --dry-run", false],
  ["containers prune", true],
  ["snapshots prune", true],
  ["content prune", true],
  ["leases prune", true],
  ["namespaces remove x --purge", true],
  ["namespaces remove x", false],
  ["images copy x --to y --delete-extra", true],
  ["images copy x --to y", false],
];

for (const [line, asks] of askingLines) {
  Deno.test(`schedule ${asks ? "warns of" : "has nothing against"} ${line}`, async () => {
    const io = new CapturedIo();
    assertEquals(await run(["schedule", "cron", "--name", "x", "--", ...line.split(" ")], io), 0);
    const expected = asks
      ? /^warning: ".*" asks before .*, and nobody .*: without --yes .* exit code 2\n$/
      : /^$/;
    assertMatch(io.stderr, expected);
  });
}

Deno.test("every verb that asks says so beforehand", async () => {
  const folder = new URL("../../../cli/verbs/", import.meta.url);
  const asking: string[] = [];
  for await (const noun of Deno.readDir(folder)) {
    if (!noun.isDirectory) continue;
    for await (const { name } of Deno.readDir(new URL(`${noun.name}/`, folder))) {
      const text = await Deno.readTextFile(new URL(`${noun.name}/${name}`, folder));
      if (/\bconfirm\(/.test(text)) asking.push(`${noun.name} ${name.replace(".ts", "")}`);
    }
  }
  const warned = askingLines.filter(([, asks]) => asks).map(([line]) =>
    line.split(" ").slice(0, 2).join(" ")
  );
  assertEquals(asking.sort(), warned.sort());
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

for (
  const [argv, said] of [
    [["images", "copy", "--rules", "copy.yaml", "--report", "./r.json"], [
      '"./r.json" is a relative path, and the job starts in another folder',
      '"copy.yaml" is a relative path, and the job starts in another folder',
      "$CONTAINERD_ADDRESS is set here and not for the job, which takes --address",
    ]],
    [["images", "import", "dir/a.tar", "--address", "unix:///run/c.sock"], [
      '"dir/a.tar" is a relative path, and the job starts in another folder',
    ]],
    [["images", "import", "-", "--context", "prod"], []],
    [["--lock", "a.lock", "-a", "/run/c.sock", "images", "copy", "--rules", "/etc/x.yaml"], []],
  ] as const
) {
  Deno.test(`checkSchedule() says what is not there by the clock: ${argv.join(" ")}`, async () => {
    const origins = { address: { value: "/run/c.sock", by: "$CONTAINERD_ADDRESS" } };
    assertEquals(await checkSchedule({ ...schedule, argv }, { origins }), [...said]);
  });
}
