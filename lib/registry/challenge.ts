/** One way in which a server wants to know who asks. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  scheme: string;
  /** Names in lower case. */
  parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

/**
 * Parses `WWW-Authenticate`. What makes no sense ends the list.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate}
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  const schemePattern = new RegExp(`[\\s,]*(${token})(?=\\s|,|$)(?!\\s*=)`, "y");
  const parameterPattern = new RegExp(
    `[\\s,]*(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]*))`,
    "y",
  );
  for (let at = 0; at < header.length;) {
    schemePattern.lastIndex = at;
    const scheme = schemePattern.exec(header)?.[1];
    if (scheme === undefined) break;
    at = schemePattern.lastIndex;
    const parameters = new Map<string, string>();
    for (;;) {
      parameterPattern.lastIndex = at;
      const match = parameterPattern.exec(header);
      if (match === null) break;
      at = parameterPattern.lastIndex;
      const [, name = "", inQuotes, bare = ""] = match;
      parameters.set(name.toLowerCase(), inQuotes?.replace(/\\(.)/g, "$1") ?? bare);
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
  return challenges;
}
