/** What a test run came to. Steps count as part of their test. */
export interface Report {
  passed: number;
  failed: number;
  /** Names of the tests that were ignored. */
  skipped: string[];
}

interface TestCase {
  name: string;
  outcome: "passed" | "failed" | "skipped";
}

/** Reads a JUnit report as deno test writes it; no file counts as an empty one. */
export async function readReport(path: string): Promise<Report> {
  try {
    return parseReport(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return parseReport("");
    throw error;
  }
}

/** Counts the tests in a JUnit report as deno test writes it. */
export function parseReport(xml: string): Report {
  const tests = xml.split("</testsuite>").flatMap((suite) => topLevel([...testCases(suite)]));
  const withOutcome = (outcome: TestCase["outcome"]) => tests.filter((test) => test.outcome === outcome);
  return {
    passed: withOutcome("passed").length,
    failed: withOutcome("failed").length,
    skipped: withOutcome("skipped").map(({ name }) => name),
  };
}

function* testCases(suite: string): Generator<TestCase> {
  // What was filtered out, or never begun after a failure, is listed as skipped and has no time.
  const ran = /<testcase name="([^"]*)"[^>]* time="[^>]*>(.*?)<\/testcase>/gs;
  for (const [, name = "", body = ""] of suite.matchAll(ran)) {
    const outcome = body.includes("<failure") ? "failed" : body.includes("<skipped") ? "skipped" : "passed";
    yield { name: unescape(name), outcome };
  }
}

/** Steps are listed as if they were tests, named after the test that they belong to. */
function topLevel(cases: TestCase[]): TestCase[] {
  const names = new Set(cases.map(({ name }) => name));
  return cases.filter(({ name }) => {
    const parts = name.split(" > ");
    return !parts.some((_, index) => index > 0 && names.has(parts.slice(0, index).join(" > ")));
  });
}

function unescape(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replaceAll(/&(#x?)?(\w+);/g, (whole, numeric, value) => {
    if (numeric === undefined) return entities[value] ?? whole;
    return String.fromCodePoint(parseInt(value, numeric === "#x" ? 16 : 10));
  });
}
