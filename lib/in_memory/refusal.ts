import type { ErrorCode } from "../errors.ts";

/** A status with which the in-memory containerd answers, in the words of the real one. */
export class Refusal extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = "Refusal";
    this.code = code;
  }
}

/** containerd ends most of its reasons with the kind of error. */
export function refusal(code: ErrorCode, what: string): Refusal {
  return new Refusal(code, `${what}: ${code.replaceAll("_", " ")}`);
}
