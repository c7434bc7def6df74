/**
 * What every transport must do alike. Parts of the same suite: `cut_test.ts` (calls that are lost on their way),
 * `socket_test.ts` (daemons that hang or die) and `stream_test.ts`.
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ContainerdError, DeadlineExceededError } from "../../../lib/errors.ts";
import { Content, Images, Leases, Namespaces, Snapshots, Version } from "../../../lib/transport/methods.ts";
import type { Call, Method, Transport } from "../../../lib/transport/transport.ts";
import { errorCodes } from "../../fault/frames.ts";
import { frozen } from "../../fault/frozen.ts";
import { Relay } from "../../fault/relay.ts";
import { uniqueNamespace } from "../../real/test.ts";
import { everyWay, transportTest } from "../both_transports.ts";
import { randomBlob } from "../some_blob.ts";
import { conformanceTest, openConnected } from "./conformance.ts";

const [stat, write, commit] = [0, 1, 2] as const;
const largestMessage = 16 << 20;

conformanceTest(
  "a call arrives with its namespace and its lease",
  async ({ transport, call, containerd }) => {
    const lease = "a lease of ours/1~";
    const leased = { ...call, lease };
    await transport.unary(Leases.create, { id: lease }, call);
    const held = await writeBlob(transport, leased);
    await writeBlob(transport, call);
    const resources = [{ type: "content", id: held }];
    const snapshotter = "native";
    if (containerd) {
      await transport.unary(Snapshots.prepare, { snapshotter, key: "held" }, leased);
      await transport.unary(Snapshots.prepare, { snapshotter, key: "free" }, call);
      resources.push({ type: "snapshots/native", id: "held" });
    }
    const listed = await transport.unary(Leases.listResources, { id: lease }, call);
    assertEquals(listed.resources.toSorted((a, b) => a.type < b.type ? -1 : 1), resources);

    const elsewhere = { ...leased, namespace: uniqueNamespace("other") };
    assertEquals((await transport.unary(Leases.list, {}, elsewhere)).leases, []);
    const attempts = [
      () => transport.unary(Content.info, { digest: held }, elsewhere),
      () => writeBlob(transport, elsewhere),
    ];
    for (const attempt of attempts) {
      assertEquals((await assertRejects(attempt, ContainerdError)).code, "not_found");
    }
  },
);

conformanceTest("every status that can be provoked becomes its error", async ({ transport, over, call }) => {
  const digest = await writeBlob(transport, call);
  await transport.unary(Leases.create, { id: "l" }, call);
  const create = (name: string) => transport.unary(Namespaces.create, { namespace: { name } }, call);
  const read = (request: object) => all(transport.stream(Content.read, [request], call));
  const lock = transport.stream(Content.write, endless({ ref: "locked" }), call)[Symbol.asyncIterator]();
  await lock.next();
  const wrong = {
    ref: "wrong",
    data: Uint8Array.of(1),
    action: commit,
    expected: `sha256:${"0".repeat(64)}`,
  };
  const attempts: [string, () => Promise<unknown>][] = [
    ["invalid_argument refused", () => create("no..good")],
    ["not_found refused", () => transport.unary(Leases.delete, { id: "none" }, call)],
    ["not_found refused", () => read({ digest: wrong.expected })],
    ["already_exists refused", () => transport.unary(Leases.create, { id: "l" }, call)],
    [
      "already_exists refused",
      () => all(transport.stream(Content.write, [{ ref: "r", expected: digest }], call)),
    ],
    ["failed_precondition refused", () => transport.unary(Namespaces.delete, { name: call.namespace }, call)],
    ["failed_precondition refused", () => all(transport.stream(Content.write, [wrong], call))],
    ["out_of_range refused", () => read({ digest, offset: 1_000n })],
    ["unavailable refused", () => all(transport.stream(Content.write, [{ ref: "locked" }], call))],
    ["unknown unknown", () => create("version")],
    [
      over === "port" ? "unimplemented not sent" : "unimplemented refused",
      () => transport.unary(guess, {}, call),
    ],
  ];
  const seen: string[] = [];
  for (const [, attempt] of attempts) {
    const { code, outcome } = await assertRejects(attempt, ContainerdError);
    seen.push(`${code} ${outcome}`);
  }
  assertEquals(seen, attempts.map(([expected]) => expected));
  await lock.return?.();
});

/** A method that no containerd has. */
const guess: Method<object> = {
  ...Version.version,
  name: "containerd.services.version.v1.Version/Guess",
};

transportTest("a request that cannot be decoded is refused as one", async ({ containerd, over }) => {
  await using transport = await openConnected(over, containerd.address);
  const garbled: Method<object> = {
    ...Images.get,
    async codec() {
      const { requestType, responseType } = await Images.get.codec();
      return {
        responseType,
        requestType: { ...requestType, encode: () => ({ finish: () => Uint8Array.of(0xff) }) },
      };
    },
  };
  const error = await assertRejects(
    () => transport.unary(garbled, {}, { namespace: "default", action: "get" }),
    ContainerdError,
  );
  assertEquals([error.code, error.outcome], ["internal", "no effect"]);
});

conformanceTest("a reason arrives in all letters that it has", async ({ transport, call, containerd }) => {
  const names = ["café", "日本語 и 🚢", "x".repeat(5_000)];
  // Older ones take percent signs in a reason for instructions to themselves.
  if (!containerd || containerd.release.series === "2") names.push("100% %41 %zz %E4%BD +");
  for (const name of names) {
    const get = () => transport.unary(Images.get, { name }, call);
    assertStringIncludes((await assertRejects(get, ContainerdError)).reason, name);
    const abort = () => transport.unary(Content.abort, { ref: name }, call);
    assertStringIncludes((await assertRejects(abort, ContainerdError)).reason, name);
  }
  const read = () => all(transport.stream(Content.read, [{ digest: "a\n\x1b[1mé" }], call));
  const { reason } = await assertRejects(read, ContainerdError);
  assertStringIncludes(reason, "é");
  // deno-lint-ignore no-control-regex -- that is the point
  assert(!/[\x00-\x1f]/.test(reason), JSON.stringify(reason));
});

transportTest("messages may have 16 MiB in both directions, and no more", async ({ containerd, over }) => {
  await using transport = await openConnected(over, containerd.address);
  const call = { namespace: uniqueNamespace(), action: "do" };
  const create = (id: string, size: number) => transport.unary(Leases.create, lease(id, size), call);
  const exists = (id: string) => transport.unary(Leases.delete, { id }, call).then(() => true, () => false);

  await create("l", largestMessage - 100); // its answer says when it was made, too
  const { leases } = await transport.unary(Leases.list, {}, call);
  assertEquals(leases[0]?.labels.l?.length, lease("l", largestMessage - 100).labels.l.length);
  await transport.unary(Leases.create, { id: "m", labels: { l: "x".repeat(200) } }, call);
  const list = await assertRejects(() => transport.unary(Leases.list, {}, call), ContainerdError);
  assertEquals([list.code, list.outcome], ["resource_exhausted", "no effect"]);
  assert(await exists("l"));

  const unanswerable = await assertRejects(() => create("l", largestMessage), ContainerdError);
  assertEquals([unanswerable.code, unanswerable.outcome], ["resource_exhausted", "unknown"]);
  assert(await exists("l"));

  const tooLarge = await assertRejects(() => create("l", largestMessage + 1), ContainerdError);
  const outcome = over === "port" ? "not sent" : "refused";
  assertEquals([tooLarge.code, tooLarge.outcome], ["resource_exhausted", outcome]);
  assert(!await exists("l"));
}, { ways: everyWay });

/** A request for a lease, with so many bytes in all. */
function lease(id: string, size: number) {
  const rest = 16; // numbers of fields, lengths, and the names of the lease and its label
  return { id, labels: { l: "x".repeat(size - rest) } };
}

conformanceTest("2,000 calls at once all get their own answers", async ({ transport, call }) => {
  const ids = Array.from({ length: 2_000 }, (_, at) => `${at}`);
  const work = (id: string) =>
    transport.unary(Leases.delete, { id }, call).catch(({ reason }: ContainerdError) => reason);
  const reasons = await Promise.all(ids.map(work));
  assertEquals(reasons, ids.map((id) => `lease "${id}": not found`));
});

conformanceTest("answers come while requests are still sent", async ({ transport, call }) => {
  const seen: bigint[] = [];
  let heard = () => {};
  const requests = async function* () {
    for (let at = 0; at < 50; at++) {
      const answered = new Promise<void>((resolve) => heard = resolve);
      yield { action: write, ref: "r", offset: BigInt(at), data: Uint8Array.of(at) };
      await answered;
    }
  };
  for await (const { offset } of transport.stream(Content.write, requests(), call)) {
    seen.push(offset);
    heard();
  }
  // containerd repeats the last one when there are no more requests.
  assertEquals(seen.slice(0, 50), Array.from({ length: 50 }, (_, at) => BigInt(at + 1)));
});

conformanceTest(
  "a stream that fails midway first gives what came before",
  async ({ transport, over, call }) => {
    const data = new Uint8Array(10);
    const requests = [
      { action: write, ref: "r", data },
      { action: write, ref: "r", offset: 10n, data },
      { action: write, ref: "r", offset: 5n, data },
      { action: write, ref: "r", offset: 20n, data },
    ];
    const seen: bigint[] = [];
    const reading = async () => {
      for await (const { offset } of transport.stream(Content.write, requests, call)) seen.push(offset);
    };
    assertEquals((await assertRejects(reading, ContainerdError)).code, "out_of_range");
    // grpc-js drops what has not been read when the failure comes.
    assertEquals(seen, [10n, 20n].slice(0, over === "grpc" ? seen.length : 2));
  },
);

conformanceTest("a reader that leaves ends the call on the other side", async ({ transport, call }) => {
  for await (const _ of transport.stream(Content.write, endless({ ref: "r" }), call)) break;
  await until(async () => {
    const write = all(transport.stream(Content.write, [{ ref: "r" }], call));
    return await write.then(() => true, ({ code }) => code === "unavailable" ? false : Promise.reject(code));
  });
});

transportTest("containerd hears of a call that is given up", async ({ containerd, over }) => {
  await using relay = await Relay.start(containerd.address);
  await using transport = await openConnected(over, relay.path);
  const call = { namespace: uniqueNamespace(), action: "do" };
  const ends = async (count: number) => {
    await until(() => Promise.resolve(relay.resets.length >= count));
    assertEquals(relay.resets, Array(count).fill(errorCodes.cancel));
  };
  {
    using _frozen = await frozen(containerd);
    const counts = relay.count();
    const controller = new AbortController();
    const reason = new Error("enough");
    const unary = transport.unary(Version.version, {}, { ...call, signal: controller.signal });
    const stream = all(transport.stream(Content.list, [{}], { ...call, signal: controller.signal }));
    await until(() => Promise.resolve(counts.passedOn === 2));
    controller.abort(reason);
    for (const given of [unary, stream]) assertEquals(await given.catch((error) => error), reason);
    await ends(2);
    const timed = { ...call, timeoutMs: 50 };
    await assertRejects(() => transport.unary(Version.version, {}, timed), DeadlineExceededError);
    await assertRejects(() => all(transport.stream(Content.list, [{}], timed)), DeadlineExceededError);
    await ends(4);
  }
  for await (const _ of transport.stream(Content.write, endless({ ref: "r" }), call)) break;
  await ends(5);
  // Whatever ends by itself is not ended once more.
  await transport.unary(Version.version, {}, { ...call, timeoutMs: Infinity });
  await all(transport.stream(Content.list, [{}], call));
  await assertRejects(() => all(transport.stream(Content.read, [{}], call)));
  await transport.unary(Version.version, {}, call);
  assertEquals(relay.resets.length, 5);
}, { ways: everyWay });

transportTest("a reader that takes its time holds up containerd", async ({ containerd, over }) => {
  await using relay = await Relay.start(containerd.address);
  await using transport = await openConnected(over, relay.path);
  const call = { namespace: uniqueNamespace(), action: "do", lease: "l" };
  await transport.unary(Leases.create, { id: "l" }, call);
  const blobBytes = (over === "grpc" ? 36 : 8) << 20; // grpc-js takes 16 messages, here of a MiB each
  const digest = await writeBlob(transport, call, blobBytes);
  relay.answeredBytes = 0;
  let read = 0;
  for await (const { data } of transport.stream(Content.read, [{ digest }], call)) {
    if (read === 0) {
      await quiet(() => relay.answeredBytes);
      assert(relay.answeredBytes < blobBytes * 0.6, `${relay.answeredBytes} bytes`);
      await transport.unary(Version.version, {}, call);
    }
    read += data.length;
  }
  assertEquals(read, blobBytes);
}, { ways: everyWay, series: ["2"] });

transportTest("a daemon that takes its time holds up who writes", async ({ containerd, over }) => {
  await using transport = await openConnected(over, containerd.address);
  const call = { namespace: uniqueNamespace(), action: "do" };
  const data = new Uint8Array(512 << 10);
  const count = 60;
  let asked = 0;
  const requests = async function* () {
    while (asked < count) {
      const offset = BigInt(asked++ * data.length);
      yield await Promise.resolve({ action: write, ref: "r", offset, data });
    }
  };
  let writing;
  {
    using _frozen = await frozen(containerd);
    writing = all(transport.stream(Content.write, requests(), call));
    writing.catch(() => {}); // should it not come to its turn
    await quiet(() => asked);
    assert(asked < count / 2, `${asked} requests`);
  }
  const replies = await writing;
  assertEquals(replies.at(-1)?.offset, BigInt(count * data.length));
  await transport.unary(Content.abort, { ref: "r" }, call);
}, { ways: everyWay, series: ["2"] });

/** A new blob, written in requests of a MiB; resolves to its digest. */
async function writeBlob(transport: Transport, call: Call, bytes = 10): Promise<string> {
  const { bytes: data, digest } = await randomBlob(bytes);
  const at = (offset: number) => ({
    offset: BigInt(offset),
    data: data.subarray(offset, offset + (1 << 20)),
  });
  const requests = [];
  for (let offset = 0; offset < bytes; offset += 1 << 20) {
    requests.push({ action: write, ref: digest, ...at(offset) });
  }
  const end = { action: commit, ref: digest, offset: BigInt(bytes), total: BigInt(bytes), expected: digest };
  await all(transport.stream(Content.write, [...requests, end], call));
  return digest;
}

function all<Message>(messages: AsyncIterable<Message>): Promise<Message[]> {
  return Array.fromAsync(messages);
}

/** A request that asks how far an ingest is, and then none for ever. */
async function* endless({ ref }: { ref: string }) {
  yield await Promise.resolve({ action: stat, ref });
  await new Promise(() => {});
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!await condition()) {
    assert(performance.now() < end, "what was waited for did not come about");
    await wait(5);
  }
}

/** Resolves when a count has begun to rise and stays where it is. */
async function quiet(count: () => number): Promise<void> {
  let [before, still] = [0, 0];
  await until(async () => {
    await wait(20);
    still = count() === before && before > 0 ? still + 1 : 0;
    before = count();
    return still === 10;
  });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
