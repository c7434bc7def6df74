import type { NamespacedClient } from "../client.ts";
import { OutcomeUnknownError, UnavailableError } from "../errors.ts";
import { Pause } from "./pause.ts";

/** How long containerd may be away altogether while something is to be cleared up, in milliseconds. */
const patienceMs = 10_000;

/** How long it may take to answer. */
const answerMs = 2_000;

/** The connection is gone, which says nothing about containers. */
export function isLost(error: unknown): boolean {
  return error instanceof UnavailableError || error instanceof OutcomeUnknownError;
}

/** Waits for a containerd that was lost: what is to be cleared up is asked for once, when it can be done. */
export class Comeback {
  readonly #client: NamespacedClient;
  #leftMs = patienceMs;

  constructor(client: NamespacedClient) {
    this.#client = client;
  }

  /** Resolves once containerd answers again after it was lost with an error, or when there is no patience left. */
  async after(error: unknown): Promise<void> {
    if (!isLost(error)) return;
    const began = Date.now();
    const leftMs = () => this.#leftMs - (Date.now() - began);
    while (leftMs() > 0 && !await this.#isBack(Math.min(answerMs, leftMs()))) {
      using pause = new Pause(100);
      await pause.over;
    }
    this.#leftMs = leftMs();
  }

  async #isBack(timeoutMs: number): Promise<boolean> {
    // Nobody has a container of that id; a containerd that says so is back.
    return await this.#client.containers.get("davit-comeback", { timeoutMs }).then(
      () => true,
      (error) => !isLost(error) && error.code !== "deadline_exceeded",
    );
  }
}
