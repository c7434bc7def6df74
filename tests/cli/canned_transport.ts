import type { Transport } from "../../lib/host.ts";

type Call = Parameters<Transport["unary"]>[2];

/** Answers to calls by the end of their method's name, `Namespaces/List`. */
export type Answers = Readonly<Record<string, (request: never, call: Call) => unknown>>;

/** A transport for tests of what is around it: gives prepared answers, and an error for a call that has none. */
export class CannedTransport implements Transport {
  readonly calls: string[] = [];
  isClosed = false;
  readonly #answers: Answers;

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  // deno-lint-ignore require-await -- an answer that throws must reject
  async unary<Request, Response>(
    { name }: Parameters<Transport["unary"]>[0],
    request: Request,
    call: Call,
  ): Promise<Response> {
    const method = name.slice(name.lastIndexOf(".") + 1);
    this.calls.push(method);
    const answer = this.#answers[method];
    if (answer === undefined) throw new Error(`no answer for ${method}`);
    return answer(request as never, call) as Response;
  }

  stream(): never {
    throw new Error("no streams here");
  }

  // deno-lint-ignore require-await -- there is nothing to close, the interface is asynchronous
  async [Symbol.asyncDispose](): Promise<void> {
    this.isClosed = true;
  }
}
