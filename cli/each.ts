import { NotFoundError } from "../mod.ts";
import type { VerbContext } from "./verb.ts";

/** What to do for each of several names. */
export interface EachOptions<Name, Row> {
  context: Pick<VerbContext, "failed" | "signal">;
  /** A name that is not there is passed over. */
  ignoreMissing?: boolean;
  work(name: Name): Promise<Row>;
}

/**
 * Does the same for several names, one after the other; a failure is reported and does not stop the rest. Returns for
 * how many it was done.
 */
export async function* each<Name, Row>(
  names: Iterable<Name>,
  { context: { failed, signal }, ignoreMissing = false, work }: EachOptions<Name, Row>,
): AsyncGenerator<Row, number> {
  let done = 0;
  for (const name of names) {
    signal.throwIfAborted();
    let row: Row;
    try {
      row = await work(name);
    } catch (error) {
      signal.throwIfAborted();
      if (!(ignoreMissing && error instanceof NotFoundError)) failed(error);
      continue;
    }
    done++;
    yield row;
  }
  return done;
}
