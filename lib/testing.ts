/**
 * A containerd in memory, for tests of plugins and of programs that use davit: no daemon, no root.
 *
 * ```ts
 * import { definePlugin } from "davit";
 * import { InMemoryContainerd } from "davit/testing";
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
 * await using client = containerd.client();
 * const rows = await Array.fromAsync(plugin.run({
 *   client: client.namespace("default"),
 *   args: [],
 *   options: {},
 *   dryRun: false,
 *   log: { info() {}, warn() {} },
 *   progress() {},
 *   failed(error) {
 *     throw error;
 *   },
 *   signal: new AbortController().signal,
 * }) as AsyncIterable<{ name: string }>);
 * if (rows.length !== 1 || rows[0]?.name !== untagged.name) throw new Error("It finds the wrong images");
 * ```
 *
 * @module
 */
export { InMemoryContainerd, type InMemoryOptions } from "./in_memory/containerd.ts";
export type { Fault } from "./in_memory/faults.ts";
export type { Fixtures, ImageFixture, LeaseFixture, NamespaceFixture } from "./in_memory/fixtures.ts";
