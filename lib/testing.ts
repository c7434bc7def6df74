/**
 * A containerd in memory, for tests of plugins and of programs that use davit: no daemon, no root.
 *
 * ```ts
 * import { definePlugin } from "davit";
 * import { assertEquals, InMemoryContainerd, runPlugin } from "davit/testing";
 *
 * const plugin = definePlugin({
 *   name: "untagged",
 *   summary: "List images that have no tag",
 *   async *run({ client }) {
 *     for await (const { name } of client.images.list()) if (name.includes("@")) yield { name };
 *   },
 * });
 *
 * const untagged = { name: `example.com/app@sha256:${"0".repeat(64)}` };
 * const containerd = new InMemoryContainerd({
 *   namespaces: { default: { images: [{ name: "example.com/app:1" }, untagged] } },
 * });
 * const { rows } = await runPlugin(plugin, { containerd });
 * assertEquals(rows, [untagged]);
 * ```
 *
 * @module
 */
export { InMemoryContainerd, type InMemoryOptions } from "./in_memory/containerd.ts";
export type { Fault } from "./in_memory/faults.ts";
export type { Fixtures, ImageFixture, LeaseFixture, NamespaceFixture } from "./in_memory/fixtures.ts";
export type {
  Call,
  EncodedMessage,
  MessageDecoder,
  MessageEncoder,
  Meter,
  Method,
  MethodCodec,
  Transport,
  Writes,
} from "./transport/transport.ts";
export { runPlugin, test, type Trial, type TrialOptions } from "./plugin_trial.ts";
export { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
