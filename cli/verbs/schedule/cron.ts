import { checkSchedule, cronLine } from "../../unattended/schedule.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Print a line for /etc/cron.d that runs a command line of davit",
  examples: ["schedule cron --name copy --when '0 3 * * *' -- images copy '**' --from build --to staging"],
  args: [{ name: "COMMAND", summary: "davit's command line, without davit, behind --", repeats: true }],
  options: {
    name: { type: "string", required: true, summary: "name of the lock" },
    when: {
      type: "string",
      default: "@daily",
      placeholder: "FIELDS",
      summary: "when to run, see crontab(5)",
    },
    program: {
      type: "string",
      default: "/usr/local/bin/davit",
      placeholder: "PATH",
      summary: "where davit is",
    },
  },
  async run({ args, options, plugins, origins, log }): Promise<string> {
    const schedule = { ...options, argv: args };
    for (const lost of await checkSchedule(schedule, { plugins, origins })) log.warn(lost);
    return cronLine(schedule);
  },
});
