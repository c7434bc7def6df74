import { checkCalendar, checkSchedule, systemdUnits } from "../../unattended/schedule.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Print a service and a timer of systemd that run a command line of davit",
  examples: ["schedule systemd --name prune --when daily -- images prune -A --unused --older-than 30d --yes"],
  args: [{ name: "COMMAND", summary: "davit's command line, without davit, behind --", repeats: true }],
  options: {
    name: { type: "string", required: true, summary: "name of the units and of the lock" },
    when: {
      type: "string",
      default: "daily",
      placeholder: "CALENDAR",
      summary: "when to run, see systemd.time(7)",
    },
    program: {
      type: "string",
      default: "/usr/local/bin/davit",
      placeholder: "PATH",
      summary: "where davit is",
    },
  },
  async run({ args, options, plugins, origins, log, signal }): Promise<string> {
    const schedule = { ...options, argv: args };
    const warnings = [
      ...await checkSchedule(schedule, { plugins, origins }),
      ...await checkCalendar(options.when, { signal }),
    ];
    for (const warning of warnings) log.warn(warning);
    const units = systemdUnits(schedule).map(({ path, text }) => `# ${path}\n${text}`);
    return `${
      units.join("\n")
    }\n# systemctl daemon-reload && systemctl enable --now davit-${options.name}.timer`;
  },
});
