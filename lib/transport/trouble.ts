import type { ErrorCode, Outcome } from "../errors.ts";

/** What a failed connection means for the call that it carried. */
export interface Trouble {
  code: ErrorCode;
  outcome: Outcome;
  reason: string;
}

interface Row {
  text: RegExp;
  outcome: Outcome;
  /** Default: `unavailable`. */
  code?: ErrorCode;
  /** In the syntax of `String.replace`. Default: that the connection was lost, with the whole text. */
  reason?: string;
}

/**
 * What grpc-js says when a connection fails: it tells it by text alone. The first row that matches counts. Tests pin
 * the texts for its exact version.
 */
const rows: readonly Row[] = [
  {
    text: /NotCapable.*|Requires \w+ access.*/,
    outcome: "not sent",
    code: "permission_denied",
    reason: "$&",
  },
  {
    text: /connect EACCES/,
    outcome: "not sent",
    code: "permission_denied",
    reason: "permission denied on the socket",
  },
  { text: /connect ENOENT/, outcome: "not sent", reason: "no such socket" },
  {
    text: /connect ECONNREFUSED/,
    outcome: "not sent",
    reason: "nothing listens on the socket",
  },
  {
    text: /Last error: Protocol error/,
    outcome: "not sent",
    reason: "not a containerd socket: it does not speak HTTP/2",
  },
  {
    text: /^Received HTTP status code (\d+)$/,
    outcome: "not sent",
    reason: "not a containerd socket: it answers HTTP $1",
  },
  {
    text: /^No connection established\. Last error: (?:Error: )?(.*?)( \(\d{4}-\S+\))?\. Resolution note:/,
    outcome: "not sent",
    reason: "cannot connect: $1",
  },
  // The server promises not to have looked at it.
  { text: /^Stream refused by server$/, outcome: "not sent" },
  // Statuses that grpc-js makes up itself.
  {
    text: /^Connection dropped$|^Call cancelled$|^Received RST_STREAM|^(read|write) E[A-Z]+/,
    outcome: "unknown",
  },
  { text: /^No (message|status information) received$|^Write (error|failed)/, outcome: "unknown" },
];

/** The meaning of a text, or `undefined` when it is not known to be one of a failed connection. */
export function troubleOf(text: string): Trouble | undefined {
  for (const { text: pattern, outcome, code = "unavailable", reason } of rows) {
    const match = pattern.exec(text)?.[0];
    if (match === undefined) continue;
    return { code, outcome, reason: reason ? match.replace(pattern, reason) : lost(text) };
  }
  return undefined;
}

/** The reason for an error after a connection was lost. */
export function lost(text: string): string {
  return `connection lost: ${text}`;
}
