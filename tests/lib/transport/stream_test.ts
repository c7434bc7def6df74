import { assertEquals, assertRejects } from "@std/assert";
import { InvalidArgumentError } from "../../../lib/errors.ts";
import { Content } from "../../../lib/transport/methods.ts";
import { uniqueNamespace } from "../../real/test.ts";
import { clientOver, everyWay, transportTest } from "../both_transports.ts";
import { leased, MiB, pieces, randomBlob } from "../some_blob.ts";
import { openConnected } from "./conformance.ts";

const stat = { action: 0, ref: "r", total: 10n } as const;

transportTest("a stream closes its requests when it ends, whoever ends it", async ({ containerd, over }) => {
  await using transport = await openConnected(over, containerd.address);
  const call = { namespace: uniqueNamespace(), action: "write" };
  const endings: [string, (stream: AsyncIterable<unknown>) => Promise<unknown>][] = [
    ["", (stream) => assertRejects(() => Array.fromAsync(stream), InvalidArgumentError)], // containerd refuses
    ["r", async (stream) => {
      for await (const _ of stream) break;
    }],
  ];
  for (const [ref, end] of endings) {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const requests = async function* () {
      try {
        for (;;) {
          yield { ...stat, ref };
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } finally {
        resolve();
      }
    };
    await end(transport.stream(Content.write, requests(), call));
    await closed;
  }
  await transport.unary(Content.abort, { ref: "r" }, call);
}, { ways: everyWay });

transportTest("a stream fails as its requests do", async ({ containerd, over }) => {
  await using transport = await openConnected(over, containerd.address);
  const call = { namespace: uniqueNamespace(), action: "write" };
  const failure = new Error("no more");
  const requests = async function* () {
    yield await Promise.resolve({ ...stat, ref: "s" });
    throw failure;
  };
  const stream = transport.stream(Content.write, requests(), call);
  assertEquals(await assertRejects(() => Array.fromAsync(stream)), failure);
}, { ways: everyWay });

transportTest("a stream's deadline is not for its reader", async ({ containerd, over }) => {
  await using client = await clientOver(over, containerd.address);
  await using held = await leased(client.namespace(uniqueNamespace()));
  const { bytes, digest, size } = await randomBlob(4 * MiB);
  await held.content.write({ digest, size }, () => pieces(bytes));
  let slow = 3;
  let length = 0;
  for await (const bytes of held.content.read(digest, { timeoutMs: 200 })) {
    length += bytes.length;
    if (slow-- > 0) await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assertEquals(length, size);
}, { series: ["2"], ways: everyWay });
