/** Command lines as what a machine runs by the clock: units of systemd, lines of cron. */
import { type Invocation, readCommandLine } from "../command_line.ts";
import { UsageError } from "../errors.ts";
import { shellQuoted } from "../shell.ts";
import { judgeCalendar } from "./calendar.ts";
import { wrongInCron } from "./cron_fields.ts";
import type { Origins } from "../config.ts";
import { hostFlagsIn, type PluginSettings } from "../plugin/settings.ts";
import { lostElsewhere } from "./surroundings.ts";

/** What is to run, and when. */
export interface Schedule {
  /** Of the unit, the lock and the metrics. */
  name: string;
  /** A calendar expression of systemd (`daily`, `Mon *-*-* 03:00`), or the five fields of cron. */
  when: string;
  /** davit's own file, an absolute path. */
  program: string;
  /** What davit is to do. */
  argv: readonly string[];
}

/** A file of systemd. */
export interface Unit {
  path: string;
  text: string;
}

/**
 * Makes sure that a command line is one that davit takes, so that it does not fail first at night. Resolves to what is
 * here and will not be there, in words.
 *
 * @throws {UsageError} when it is wrong.
 */
export async function checkSchedule(
  { name, when, program, argv }: Schedule,
  { plugins: found, origins }: { plugins?: PluginSettings; origins?: Origins } = {},
): Promise<string[]> {
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) {
    throw new UsageError(
      `Cannot use ${JSON.stringify(name)} for --name: expected letters, digits, ".", "_" and "-"`,
    );
  }
  if (!program.startsWith("/")) {
    throw new UsageError(`Cannot use ${JSON.stringify(program)} for --program: not an absolute path`);
  }
  if (when.trim() === "") throw new UsageError("Cannot use an empty --when");
  if ([when, program, ...argv].some((text) => /[\n\r\0]/.test(text))) {
    throw new UsageError("Cannot schedule an argument with a line break");
  }
  const { openPlugin } = await import("../plugin/host.ts");
  const settings = found && { ...found, flags: hostFlagsIn(argv) };
  using plugins = new DisposableStack();
  const invocation = await readCommandLine(
    argv,
    async (target, next) => plugins.use(await openPlugin(target, { next, settings })),
  );
  if (invocation.kind !== "run") throw new UsageError("Cannot schedule this: it names no verb");
  return [...lostElsewhere(invocation, origins), ...asking(invocation)];
}

/** A line for what would wait for an answer that nobody gives. */
function asking({ verb, words, options, globals }: Extract<Invocation, { kind: "run" }>): string[] {
  if (globals.yes || globals.dryRun || !verb.asks?.(options)) return [];
  const name = JSON.stringify(words.join(" "));
  return [
    `${name} asks before it removes anything, and nobody will be there: without --yes it ends with exit code 2`,
  ];
}

/**
 * Makes sure that a time is one of systemd. Resolves to what is not known of it, in words.
 *
 * @throws {UsageError} when it is none.
 */
export async function checkCalendar(
  when: string,
  settings: { program?: string; signal?: AbortSignal } = {},
): Promise<string[]> {
  const { wrong, bySystemd } = await judgeCalendar(when, settings);
  if (wrong !== undefined) throw wrongTime(when, wrong);
  return bySystemd
    ? []
    : ["--when was held against its form only: systemd-analyze, which knows more, is not here"];
}

function wrongTime(when: string, reason: string): UsageError {
  return new UsageError(`Cannot use ${JSON.stringify(when)} for --when: ${reason}`);
}

/** A service that runs once, with what it does not need taken away, and a timer for it. */
export function systemdUnits({ name, when, program, argv }: Schedule): Unit[] {
  const command = [program, ...jobFlags(name, argv), ...argv].map(systemdQuoted).join(" ");
  const service = `[Unit]
Description=davit: ${name}
Documentation=man:davit(1)
After=containerd.service

[Service]
Type=oneshot
ExecStart=${command}
Environment=HOME=/root
RuntimeDirectory=davit
RuntimeDirectoryPreserve=yes
CacheDirectory=davit
NoNewPrivileges=yes
PrivateTmp=yes
ProtectHome=read-only
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes
`;
  const timer = `[Unit]
Description=davit: ${name}, by the clock

[Timer]
OnCalendar=${when}
RandomizedDelaySec=60
Persistent=yes

[Install]
WantedBy=timers.target
`;
  return [
    { path: `/etc/systemd/system/davit-${name}.service`, text: service },
    { path: `/etc/systemd/system/davit-${name}.timer`, text: timer },
  ];
}

/**
 * A line for /etc/cron.d, which names the user.
 *
 * @throws {UsageError} when `when` is no time for cron: five fields, or a name like `@daily`.
 */
export function cronLine({ name, when, program, argv }: Schedule): string {
  const wrong = wrongInCron(when);
  if (wrong !== undefined) throw wrongTime(when, wrong);
  const command = [program, ...jobFlags(name, argv), ...argv].map(shellQuoted).join(" ");
  return `${when} root ${command.replaceAll("%", "\\%")}`;
}

/** What every job should have: never two at once, and lines that a log keeps apart. */
function jobFlags(name: string, argv: readonly string[]): string[] {
  const lacks = (flag: string) => !argv.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
  return [
    ...(lacks("--lock") ? ["--lock", name] : []),
    ...(lacks("--log-format") ? ["--log-format", "json"] : []),
  ];
}

function systemdQuoted(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll(
    "$",
    "$$$$",
  );
  return /^[\w@./:=,+-]+$/.test(text) ? text : `"${escaped}"`;
}
