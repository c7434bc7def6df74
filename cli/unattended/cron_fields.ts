/** The five fields of cron, crontab(5). */
interface Field {
  name: string;
  least: number;
  most: number;
  /** Names that stand for numbers, from `least` on. */
  names: readonly string[];
}

const fields: readonly Field[] = [
  { name: "minute", least: 0, most: 59, names: [] },
  { name: "hour", least: 0, most: 23, names: [] },
  { name: "day of the month", least: 1, most: 31, names: [] },
  { name: "month", least: 1, most: 12, names: "jan feb mar apr may jun jul aug sep oct nov dec".split(" ") },
  { name: "day of the week", least: 0, most: 7, names: "sun mon tue wed thu fri sat".split(" ") },
];

const nicknames = /^@(?:reboot|yearly|annually|monthly|weekly|daily|midnight|hourly)$/;

/** The days that a month can have, from January on. */
const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** What is wrong with a time for cron, in words; `undefined` when nothing is. */
export function wrongInCron(when: string): string | undefined {
  if (nicknames.test(when)) return undefined;
  const given = when.split(/[ \t]+/).map((text) => text.split(","));
  if (given.length !== fields.length) return 'cron wants five fields, such as "0 3 * * *"';
  const ranges = given.map((parts, at) => parts.map((part) => rangeOf(part, fields[at]!)));
  for (const [at, { name, least, most }] of fields.entries()) {
    const wrong = given[at]!.find((_, index) => ranges[at]![index] === undefined);
    if (wrong !== undefined) return `${JSON.stringify(wrong)} is no ${name}, which is ${least} to ${most}`;
  }
  const [, , days, months] = ranges as Range[][];
  const earliest = Math.min(...days!.map(({ first }) => first));
  const comes = months!.some(({ first, last, step }) =>
    longest.slice(first - 1, last).some((length, at) => at % step === 0 && length >= earliest)
  );
  const byWeekday = !given[4]![0]!.startsWith("*"); // then either of the two days will do
  return comes || byWeekday ? undefined : "none of these months has such a day";
}

interface Range {
  first: number;
  last: number;
  step: number;
}

/** `*`, `5`, `mon`, `1-5`, and with a step the first and the last. */
function rangeOf(part: string, field: Field): Range | undefined {
  const [, range = "", steps] = /^([^/]*)(?:\/(\d+))?$/.exec(part) ?? [];
  const step = Number(steps ?? 1);
  if (step === 0) return undefined;
  if (range === "*") return { first: field.least, last: field.most, step };
  const [first, last, ...more] = range.split("-").map((text) => numberOf(text, field));
  if (first === undefined || more.length > 0) return undefined;
  if (!range.includes("-")) return steps === undefined ? { first, last: first, step } : undefined;
  return last !== undefined && first <= last ? { first, last, step } : undefined;
}

function numberOf(text: string, { least, most, names }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  const number = named < 0 ? (/^\d+$/.test(text) ? Number(text) : NaN) : least + named;
  return number >= least && number <= most ? number : undefined;
}
