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

/** What is wrong with a time for cron, in words; `undefined` when nothing is. */
export function wrongInCron(when: string): string | undefined {
  if (nicknames.test(when)) return undefined;
  const given = when.split(/ +/);
  if (given.length !== fields.length) return 'cron wants five fields, such as "0 3 * * *"';
  for (const [at, field] of fields.entries()) {
    const wrong = given[at]!.split(",").find((part) => !isPart(part, field));
    if (wrong !== undefined) {
      return `${JSON.stringify(wrong)} is no ${field.name}, which is ${field.least} to ${field.most}`;
    }
  }
}

/** `*`, `5`, `mon`, `1-5`, and with a step the first and the last. */
function isPart(part: string, field: Field): boolean {
  const [, range = "", step] = /^([^/]*)(?:\/(\d+))?$/.exec(part) ?? [];
  if (step !== undefined && Number(step) === 0) return false;
  if (range === "*") return true;
  const [first, last, ...more] = range.split("-").map((text) => numberOf(text, field));
  if (first === undefined || more.length > 0) return false;
  if (!range.includes("-")) return step === undefined;
  return last !== undefined && first <= last;
}

function numberOf(text: string, { least, most, names }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  const number = named < 0 ? (/^\d+$/.test(text) ? Number(text) : NaN) : least + named;
  return number >= least && number <= most ? number : undefined;
}
