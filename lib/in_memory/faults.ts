import type { ContainerdError, ErrorCode } from "../errors.ts";
import { codes, failure, statusFailure } from "../transport/failure.ts";
import type { Call, Method } from "../transport/transport.ts";

/** A call that shall fail. */
export interface Fault {
  /** Of containerd's API: `Images/Create`. Default: whichever comes. */
  method?: string;
  /** Which of the calls from now on, counted from 1. Default: the next one. */
  nth?: number;
  /** The call takes effect, and only its answer is lost. Default: nothing happens. */
  applied?: boolean;
  /** What the caller gets to know. Default: that the connection was lost. */
  error?: "connection lost" | { code: ErrorCode; message: string };
}

/** The faults that are still to come. */
export class Faults {
  readonly #coming: (Fault & { nth: number })[] = [];

  add(fault: Fault): void {
    this.#coming.push({ nth: 1, ...fault });
  }

  /** Counts a call, and gives the fault that it runs into. */
  next({ name }: Method): Fault | undefined {
    const concerned = this.#coming.filter(({ method }) =>
      method === undefined || name.endsWith(`.${method}`)
    );
    for (const fault of concerned) fault.nth--;
    const fault = concerned.find(({ nth }) => nth <= 0);
    if (fault) this.#coming.splice(this.#coming.indexOf(fault), 1);
    return fault;
  }
}

/** The error of a call that ran into a fault. */
export function faultError(
  method: Method,
  call: Call,
  { error = "connection lost" }: Fault,
): ContainerdError {
  if (error === "connection lost") {
    const reason = "connection lost: a fault of the test";
    return failure(method, call, { code: "unavailable", reason, outcome: "unknown" });
  }
  return statusFailure(method, call, { code: codes.lastIndexOf(error.code), message: error.message });
}
