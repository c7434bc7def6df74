/**
 * What a host and the worker of a plugin say to each other over a MessagePort of their own; the plugin's calls to
 * containerd have another one. The host asks one thing at a time. What a worker says may be the plugin's invention.
 */
import type { ErrorDetails, Options, OptionValues, Progress } from "../../mod.ts";

/** The first message to a worker: asks to load the plugin. */
export interface Start {
  /** URL of the plugin's file. */
  plugin: string;
  control: MessagePort;
  containerd: MessagePort;
}

/** From the host; all but the last are questions. */
export type ToWorker =
  /** Which texts match their regular expression: one could take for ever. The answer is a value, a boolean for each. */
  | { type: "match"; texts: readonly { text: string; pattern: string }[] }
  | { type: "run"; settings: RunSettings }
  | { type: "next" }
  | { type: "stop" }
  | { type: "abort"; reason: string };

/** What of a plugin's context is data. */
export interface RunSettings {
  /** Which plugin of those in its file, from 0 on. */
  index: number;
  namespace: string;
  args: readonly string[];
  options: OptionValues<Options>;
  dryRun: boolean;
}

/** From the worker: an answer, or something that happened on the way. */
export type FromWorker = Answer | Notice;

/** `"rows"` are to be asked for one by one, until `"done"`. A failure may come unasked, too. */
export type Answer =
  | { type: "loaded"; definition: unknown }
  | { type: "value"; value: unknown }
  | { type: "rows" }
  | { type: "done" }
  | { type: "failed"; error: ErrorReport };

export type Notice =
  | { type: "info" | "warn"; message: string }
  | { type: "progress"; state: Progress }
  | { type: "item failed"; error: ErrorReport };

/** An error as it crosses. */
export interface ErrorReport {
  name: string;
  message: string;
  stack?: string | undefined;
  /** Of a `ContainerdError`, which the host makes again. */
  details?: ErrorDetails | undefined;
}
