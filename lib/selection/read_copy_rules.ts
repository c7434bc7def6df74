import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";
import { parseDuration } from "../duration.ts";
import { nearest } from "../nearest.ts";
import { checkIdentifier } from "../oci/identifier.ts";
import type { CopyRule } from "./copy_rules.ts";
import { inRange, type TagOrder } from "./version.ts";

const orders: readonly TagOrder[] = ["time", "semver", "natural"];

/** How each key is read; what it gives goes into the rule. */
const readers: Readonly<Record<string, (value: Place) => Partial<CopyRule>>> = {
  from: (value) => ({ from: namespaces(value) }),
  to: (value) => ({ to: namespaces(value) }),
  include: (value) => ({ include: texts(value) }),
  exclude: (value) => ({ exclude: texts(value) }),
  versions: (value) => ({ versions: checkedRange(value) }),
  newest: (value) => ({ newest: count(value) }),
  order: (value) => ({ order: choice(value, orders) }),
  maxAge: (value) => ({ maxAgeMs: duration(value) }),
  platforms: (value) => ({ platforms: texts(value) }),
  rename: (value) => ({ rename: renames(value) }),
  mirror: (value) => ({ mirror: flag(value) }),
  pin: (value) => ({ pin: flag(value) }),
  unpack: (value) => ({ unpack: flag(value) }),
};

/** A value, what it is for, and where it stands. */
interface Place {
  key: string;
  node: Node | null;
  fail(reason: string, node?: Node | null): never;
}

/** What `parseCopyRules` does. A module of its own, since what reads YAML takes longer to load than most verbs. */
export function readCopyRules(text: string, { file }: { file: string }): CopyRule[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const fail = (reason: string, offset = 0): never => {
    throw new SyntaxError(`Cannot read rules: ${file}:${lines.linePos(offset).line}: ${reason}`);
  };
  const [error] = document.errors;
  if (error) fail(error.message.split(/ at line \d/)[0]!.toLowerCase(), error.pos[0]);
  const list = document.contents;
  if (!isSeq(list) || list.items.length === 0) {
    return fail('expected a list of rules, each beginning with "- from:"');
  }
  const rules = list.items.map((item) => {
    const at = (item as Node).range?.[0] ?? 0;
    if (!isMap(item)) return fail("expected a rule with from and to", at);
    return readRule(item, { line: lines.linePos(at).line, fail });
  });
  checkTogether(rules, (reason, { line }) => {
    throw new SyntaxError(`Cannot read rules: ${file}:${line}: ${reason}`);
  });
  return rules;
}

function readRule(
  map: YAMLMap,
  { line, fail }: { line: number; fail: (reason: string, offset: number) => never },
): CopyRule {
  const rule: CopyRule = {
    from: [],
    to: [],
    include: [],
    exclude: [],
    platforms: [],
    rename: [],
    mirror: false,
    pin: false,
    unpack: false,
    line,
  };
  const start = map.range?.[0] ?? 0;
  for (const { key, value } of map.items) {
    const name = String(isScalar(key) ? key.value : key);
    const at = (key as Node).range?.[0] ?? start;
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (read === undefined) {
      const near = nearest(name, Object.keys(readers));
      fail(`unknown key ${JSON.stringify(name)}${near === undefined ? "" : `; did you mean ${near}?`}`, at);
    }
    const place: Place = {
      key: name,
      node: value as Node | null,
      fail: (reason, node = value as Node | null) => fail(`${name}: ${reason}`, node?.range?.[0] ?? at),
    };
    Object.assign(rule, read!(place));
  }
  for (const key of ["from", "to"] as const) {
    if (rule[key].length === 0) fail(`${key} is missing`, start);
  }
  return rule;
}

/** What no rule shows by itself: copies onto themselves, in circles, and a mirror of which others have a part. */
function checkTogether(rules: readonly CopyRule[], fail: (reason: string, rule: CopyRule) => never): void {
  for (const rule of rules) {
    const both = rule.to.find((name) => rule.from.includes(name));
    if (both !== undefined) fail(`${JSON.stringify(both)} is copied to itself`, rule);
    if (rule.order !== undefined && rule.newest === undefined) {
      fail("order without newest says nothing", rule);
    }
    const contradiction = rule.include.find((glob) => rule.exclude.includes(glob));
    if (contradiction !== undefined) fail(`${JSON.stringify(contradiction)} is included and excluded`, rule);
    const circle = circleFrom(rule, rules);
    if (circle !== undefined) fail(`copies go in a circle: ${circle.join(" to ")}`, rule);
  }
}

/** A way over other rules from a rule's targets back to its sources. */
function circleFrom(rule: CopyRule, rules: readonly CopyRule[]): string[] | undefined {
  const seen = new Set<string>();
  const waiting = rule.to.map((name) => [rule.from[0]!, name]);
  for (const way of waiting) {
    const last = way.at(-1)!;
    if (rule.from.includes(last)) return way;
    if (seen.has(last)) continue;
    seen.add(last);
    for (const { from, to } of rules) {
      if (from.includes(last)) waiting.push(...to.map((name) => [...way, name]));
    }
  }
}

function texts({ node, fail }: Place): string[] {
  const items = isSeq(node) ? node.items as Node[] : [node];
  return items.map((item) => {
    const value = isScalar(item) ? item.value : undefined;
    if (typeof value !== "string" || value === "") return fail("expected a text or a list of them", item);
    return value;
  });
}

function namespaces(place: Place): string[] {
  return texts(place).map((name) => {
    try {
      checkIdentifier(name, "namespace");
      return name;
    } catch {
      return place.fail(`${JSON.stringify(name)} is no name for a namespace`);
    }
  });
}

function renames({ node, fail }: Place): string[] {
  if (!isMap(node)) return fail("expected OLD: NEW for each prefix");
  return node.items.map(({ key, value }) => {
    const [old, new_] = [key, value].map((item) => isScalar(item) ? item.value : undefined);
    if (typeof old !== "string" || old === "" || typeof new_ !== "string") {
      return fail("expected OLD: NEW for each prefix", key as Node);
    }
    if (old.includes("=")) return fail('a prefix holds no "="', key as Node);
    return `${old}=${new_}`;
  });
}

function scalar({ node }: Place): unknown {
  return isScalar(node) ? node.value : undefined;
}

function flag(place: Place): boolean {
  const value = scalar(place);
  return typeof value === "boolean" ? value : place.fail("expected true or false");
}

function count(place: Place): number {
  const value = scalar(place);
  return Number.isInteger(value) && Number(value) > 0
    ? Number(value)
    : place.fail("expected a whole number above 0");
}

function choice<Choice extends string>(place: Place, choices: readonly Choice[]): Choice {
  const value = choices.find((choice) => choice === scalar(place));
  return value ?? place.fail(`expected one of ${choices.join(", ")}`);
}

function checkedRange(place: Place): string {
  const value = scalar(place);
  if (typeof value !== "string") return place.fail('expected a text such as ">=1.2 <2"');
  try {
    inRange(value);
    return value;
  } catch {
    return place.fail(`${JSON.stringify(value)} is no range of versions, such as ">=1.2 <2"`);
  }
}

function duration(place: Place): number {
  const durationMs = parseDuration(String(scalar(place)));
  return durationMs || place.fail("expected a duration such as 90m, 24h or 30d");
}
