import { type Event, OutcomeUnknownError, UnavailableError } from "../../mod.ts";
import { defineVerb, type VerbContext } from "../verb.ts";

/** The longest wait before the next attempt to connect again, in milliseconds. */
const longestWaitMs = 5_000;

/** Without the bytes. */
type Row = Omit<Event, "message">;

export default defineVerb({
  summary: "Show what happens from now on, in this namespace or with -A in all",
  examples: ["events", "events -A 'topic~=\"^/tasks/\"' -o jsonl", `events 'topic=="/tasks/oom"'`],
  args: [{ name: "FILTER", summary: "in containerd's syntax; default: all", optional: true, repeats: true }],
  columns: [
    { header: "TIME", key: "timestamp" },
    { header: "TOPIC", key: "topic" },
    { header: "DETAILS", key: "details", as: "labels" },
    { header: "TYPE", key: "type", wide: true },
  ],
  acrossNamespaces: true,
  endless: true,
  async *run(context): AsyncIterable<Row> {
    const { signal } = context;
    for (let waitMs = 100;; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      try {
        for await (const { message: _, ...row } of subscribe(context)) {
          waitMs = 100;
          yield row;
        }
        return;
      } catch (error) {
        if (!(error instanceof UnavailableError || error instanceof OutcomeUnknownError)) throw error;
        context.log.warn(`${error.message}; trying again, what happens meanwhile is missed`);
      }
      await pause(waitMs, signal);
    }
  },
});

async function* subscribe(
  { args, allNamespaces, client, namespace, signal }: VerbContext,
): AsyncIterable<Event> {
  const { events } = (await client()).namespace(namespace);
  yield* events.subscribe({ filters: args, allNamespaces, signal });
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, durationMs);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
