/** Times of systemd, systemd.time(7). */

/** What can be said of a time before systemd has it. */
export interface Judgement {
  /** What is wrong with it, in words; absent when nothing is. */
  wrong?: string;
  /** systemd said so; otherwise only the form of the time was looked at. */
  bySystemd: boolean;
}

const shorthand =
  /^(?:minutely|hourly|daily|weekly|monthly|quarterly|semi-?annually|bi-?annually|yearly|annually)$/i;

/** Days of the week, a date, a time of day and a time zone, all but one of the first three left out at will. */
const parts = [
  "(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*(?:,|-|\\.\\.|(?= )))+,?",
  "[\\d*,./]+[-~][\\d*,./~-]+",
  "[\\d*,./]+(?::[\\d*,./]+){1,2}",
];
const form = new RegExp(
  `^(?=${parts.join("|")})${parts.map((part) => `(?:${part} +)?`).join("")}(?:[a-z]\\S* )?$`,
  "i",
);

/** Judges a calendar expression, by systemd where it is installed. */
export async function judgeCalendar(
  when: string,
  { program = "systemd-analyze", signal }: { program?: string; signal?: AbortSignal } = {},
): Promise<Judgement> {
  const notOne = 'it is no calendar expression of systemd, such as "daily" or "Sun *-*-* 04:00"';
  try {
    const command = { args: ["calendar", "--", when], env: { LC_ALL: "C" }, ...(signal && { signal }) };
    const { success, stdout } = await new Deno.Command(program, command).output();
    if (!success) return { wrong: notOne, bySystemd: true };
    const isPast = /^ *Next elapse: never$/m.test(new TextDecoder().decode(stdout));
    return { ...(isPast && { wrong: "that time never comes" }), bySystemd: true };
  } catch {
    signal?.throwIfAborted();
    const looksRight = shorthand.test(when) || /^@\d+$/.test(when) || form.test(`${when} `);
    return { ...(!looksRight && { wrong: notOne }), bySystemd: false };
  }
}
