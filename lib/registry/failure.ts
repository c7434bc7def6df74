import type { ErrorCode, Outcome } from "../errors.ts";
import { quoted } from "../oci/quoted.ts";

/** What stands between a request and its answer, where a caller can tell the user what to do about it. */
export type RegistryTrouble =
  | "credentials wanted"
  | "credentials refused"
  | "unknown authority"
  | "wrong name"
  | "certificate expired"
  | "client certificate wanted"
  | "speaks http"
  | "speaks https"
  | "rate limited"
  | "schema 1";

/** What is being done, for errors: `push`, `image "x"`. */
export interface Task {
  action: string;
  resource: string;
  signal?: AbortSignal | undefined;
}

/** Everything that a {@linkcode RegistryError} knows. */
export interface RegistryErrorDetails {
  /** The kind of failure, in the words of {@linkcode ContainerdError}. */
  code: ErrorCode;
  /** The cause in words; secrets are left out and control characters escaped. */
  reason: string;
  /** What was being done: `pull`. */
  action: string;
  /** What it was done to, with its kind: `image "x"`. */
  resource: string;
  /** The host of the registry or mirror, with its port. */
  host?: string | undefined;
  /** The status of HTTP, if the registry answered. */
  status?: number | undefined;
  /** What stands in the way, where the user can do something about it. */
  trouble?: RegistryTrouble | undefined;
  /** Whether the same may succeed later: the registry is busy or was not reached. Default false. */
  isTemporary?: boolean;
  /** How long the registry wants to be left alone, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** Whether something may have changed. Default `"refused"`. */
  outcome?: Outcome;
  /** The error that was the cause, for whoever looks for more. */
  cause?: unknown;
}

/** A request to a registry that failed. */
export class RegistryError extends Error implements RegistryErrorDetails {
  /** The name of the class. */
  override name = "RegistryError";
  readonly code: ErrorCode;
  readonly reason: string;
  readonly outcome: Outcome;
  readonly action: string;
  readonly resource: string;
  readonly host: string | undefined;
  readonly status: number | undefined;
  readonly trouble: RegistryTrouble | undefined;
  readonly isTemporary: boolean;
  readonly retryAfterMs: number | undefined;

  /** The message is made of action, resource and reason. */
  constructor(details: RegistryErrorDetails) {
    const { action, resource, reason, cause } = details;
    super(`Cannot ${action} ${resource}: ${reason}`, cause === undefined ? {} : { cause });
    this.code = details.code;
    this.reason = details.reason;
    this.outcome = details.outcome ?? "refused";
    this.action = details.action;
    this.resource = details.resource;
    this.host = details.host;
    this.status = details.status;
    this.trouble = details.trouble;
    this.isTemporary = details.isTemporary ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** The same error of a request that others see the effect of, if it had one. */
  afterWriting(): RegistryError {
    const isKnown = this.outcome === "not sent" || !this.isTemporary || (this.status ?? 500) < 500;
    if (isKnown) return this;
    return new RegistryError({ ...this, outcome: "unknown", reason: `outcome unknown: ${this.reason}` });
  }

  /** The same error, which says what part of an image is not there, when that is what is wrong. */
  ofPart(digest: string): RegistryError {
    return this.status === 404 ? this.withReason(`its content ${digest} is ${this.reason}`) : this;
  }

  /** The same error with more to say. */
  withReason(reason: string): RegistryError {
    return new RegistryError({ ...this, reason });
  }
}

/** The error for something else than a request: what a registry answered makes no sense, or is not what was asked. */
export function refusal(
  { action, resource }: Task,
  details: Omit<RegistryErrorDetails, "action" | "resource">,
): RegistryError {
  return new RegistryError({ ...details, action, resource });
}

interface Row {
  text: RegExp;
  reason: string;
  code?: ErrorCode;
  trouble?: RegistryTrouble;
  lasting?: boolean;
}

/** What Deno's HTTP client says when a connection fails, by text alone; tests pin the texts. First match counts. */
const rows: readonly Row[] = [
  { text: /NotCapable.*|Requires \w+ access.*/, reason: "$&", code: "permission_denied", lasting: true },
  {
    text: /not valid for name.*?; certificate is only valid for (.*)/,
    reason: "its certificate is for $1",
    trouble: "wrong name",
    lasting: true,
  },
  {
    text: /not valid for name/,
    reason: "its certificate is for another name",
    trouble: "wrong name",
    lasting: true,
  },
  {
    text: /certificate:? (?:has )?expired/i,
    reason: "its certificate has expired",
    trouble: "certificate expired",
    lasting: true,
  },
  {
    text: /UnknownIssuer|CaUsedAsEndEntity|self.signed certificate/i,
    reason: "its certificate is signed by nobody known here",
    trouble: "unknown authority",
    lasting: true,
  },
  {
    text: /CertificateRequired|certificate required|HandshakeFailure|BadCertificate/,
    reason: "it wants a certificate of the client",
    trouble: "client certificate wanted",
    lasting: true,
  },
  { text: /invalid peer certificate: (.*)/, reason: "its certificate is not valid: $1", lasting: true },
  {
    text: /InvalidContentType|wrong version number/,
    reason: "it speaks plain http, not https",
    trouble: "speaks http",
    lasting: true,
  },
  {
    text: /invalid HTTP version parsed/,
    reason: "it speaks https, not plain http",
    trouble: "speaks https",
    lasting: true,
  },
  {
    text: /Requests to port (\d+) are blocked/,
    reason: "port $1 is for nothing that speaks http",
    lasting: true,
  },
  {
    text: /Temporary failure in name resolution|(?:dns error|lookup address).*[Tt]ry again/,
    reason: "its name cannot be looked up for now",
  },
  { text: /dns error|failed to lookup address|invalid dns name/, reason: "no such host", lasting: true },
  { text: /\(os error 111\)|ECONNREFUSED/, reason: "connection refused" },
  { text: /\(os error 1(?:01|13)\)/, reason: "no route to it" },
];

/** The meaning of a failed connection, by the text of its error. */
export function connectionTrouble(
  error: unknown,
): Pick<RegistryErrorDetails, "code" | "reason" | "trouble" | "isTemporary" | "outcome"> {
  const text = causeText(error);
  for (const { text: pattern, reason, code = "unavailable", trouble, lasting = false } of rows) {
    const match = pattern.exec(text)?.[0];
    if (match === undefined) continue;
    const words = match.replace(pattern, reason).replace(
      /\b(?:DnsName\(("[^"]*")\)|IpAddress\(([^)]*)\))/g,
      "$1$2",
    );
    return { code, reason: words, trouble, isTemporary: !lasting, outcome: "not sent" };
  }
  const words = text.replace(/^(?:TypeError|Error): /, "").replace(
    /^error sending request.*?: client error/,
    "client error",
  );
  return {
    code: "unavailable",
    reason: `connection lost: ${words}`,
    isTemporary: true,
    outcome: "no effect",
  };
}

/** The error for an answer that is none of those that were hoped for; reads its body. */
export async function answerFailure(
  task: Task,
  response: Response,
  { host, redact }: { host: string; redact: (text: string) => string },
): Promise<RegistryError> {
  const { status } = response;
  const said = redact(await explanation(response));
  const named = `registry ${quoted(host)}`;
  const because = said ? `: ${said}` : "";
  const known = { host, status };
  switch (status) {
    case 400:
      if (/HTTP request to an HTTPS server/.test(said)) {
        const reason = `${named}: it speaks https, not plain http`;
        return refusal(task, { ...known, code: "unavailable", reason, trouble: "speaks https" });
      }
      return refusal(task, { ...known, code: "invalid_argument", reason: `${named} refuses it${because}` });
    case 403:
      return refusal(task, { ...known, code: "permission_denied", reason: `${named} forbids it${because}` });
    case 404:
      return refusal(task, { ...known, code: "not_found", reason: `not found in ${named}` });
    case 405:
      return refusal(task, {
        ...known,
        code: "unimplemented",
        reason: `${named} does not allow it${because}`,
      });
    case 429:
      return refusal(task, {
        ...known,
        code: "resource_exhausted",
        reason: `${named} lets no more requests through for now${because}`,
        trouble: "rate limited",
        isTemporary: true,
        retryAfterMs: retryAfterMs(response),
      });
  }
  const isTemporary = status === 408 || status >= 500 && status !== 501;
  return refusal(task, {
    ...known,
    code: isTemporary ? "unavailable" : "unknown",
    reason: `${named} answers ${status}${because}`,
    isTemporary,
    retryAfterMs: retryAfterMs(response),
  });
}

/** Seconds or a date; no longer than what a registry might mean. */
function retryAfterMs({ headers }: Response): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

const maxExplanationBytes = 64 * 1024;

/** The first error of a registry's list of them, or its text if it is plain. */
async function explanation(response: Response): Promise<string> {
  const text = await beginning(response);
  try {
    const { errors, details } = JSON.parse(text);
    const { code = "", message = details } = errors?.[0] ?? {};
    const said = [message, code].find((part) => typeof part === "string" && part !== "");
    return said === undefined ? "" : oneLine(said);
  } catch {
    return /^(?:text\/plain|$)/.test(response.headers.get("content-type") ?? "") ? oneLine(text) : "";
  }
}

async function beginning({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const piece of body ?? []) {
      text += decoder.decode(piece, { stream: true });
      if (text.length > maxExplanationBytes) break;
    }
  } catch {
    // What came so far may do.
  }
  return text;
}

/** Registries' texts are strangers' words: short, on one line, and nothing that a terminal interprets. */
function oneLine(text: string): string {
  const line = text.trim().replace(/\s+/g, " ").slice(0, 300);
  return line.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** Deno puts the reason of a failed request into the cause of its error. */
function causeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? causeText(error.cause) : `${error.name}: ${error.message}`;
}
