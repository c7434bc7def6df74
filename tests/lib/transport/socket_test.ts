import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  type ContainerdError,
  DeadlineExceededError,
  type Outcome,
  OutcomeUnknownError,
  UnavailableError,
} from "../../../lib/errors.ts";
import { Content, Images, Leases, Version } from "../../../lib/transport/methods.ts";
import type { Call, Transport } from "../../../lib/transport/transport.ts";
import { frozen } from "../../fault/frozen.ts";
import { Relay } from "../../fault/relay.ts";
import { inFolder } from "../../fault/servers.ts";
import { realTest } from "../../real/test.ts";
import { everyWay, openOver, transportTest } from "../both_transports.ts";
import { openConnected } from "./conformance.ts";

const call = { namespace: "default", action: "do" };

transportTest(
  "a daemon that is killed leaves in doubt only what it was to write",
  async ({ containerd, over }) => {
    await using transport = await openConnected(over, containerd.address);
    await frozen(containerd);
    const write = transport.unary(Leases.create, { id: "l" }, call);
    const read = transport.unary(Leases.list, {}, call);
    const [writing, reading] = [failureOf(write), failureOf(read)];
    await wait(50);
    containerd.kill();
    const lost = await writing;
    assert(lost instanceof OutcomeUnknownError && lost.outcome === "unknown", `${lost}`);
    const harmless = await reading;
    assert(harmless instanceof UnavailableError && harmless.outcome === "no effect", `${harmless}`);

    await containerd.exited();
    const attempts = Array.from(
      { length: 5 },
      () => failureOf(transport.unary(Leases.create, { id: "l" }, call)),
    );
    for (const error of await Promise.all(attempts)) {
      assert(error instanceof UnavailableError && error.outcome === "not sent", `${error}`);
    }
    await containerd.restart();
    await transport.unary(Leases.list, {}, call);
    await wait(300); // grpc-js lets timers run that belonged to attempts to connect
  },
  { fresh: true, ways: everyWay },
);

transportTest("what is said of a write holds when the daemon is killed", async ({ containerd, over }) => {
  const target = { mediaType: "x", digest: `sha256:${"5".repeat(64)}`, size: 1n };
  const labels = { large: "x".repeat(4_000) };
  {
    await using transport = await openOver(over, containerd.address);
    for (let index = 0; index < 100; index++) {
      await transport.unary(Images.create, { image: { name: `${index}`, target, labels } }, call);
    }
  }
  const seen = new Set<Outcome | "done">();
  for (let round = 0; round < 3; round++) {
    await using transport = await openOver(over, containerd.address);
    const outcomes = new Map<string, Outcome | "done">();
    let stopped = false;
    // Lists fill the connection, so that it breaks off in the middle of a frame.
    const list = async () => {
      while (!stopped) await transport.unary(Images.list, {}, call).catch(() => wait(1));
    };
    const write = async (writer: number) => {
      for (let index = 0; !stopped; index++) {
        const id = `${round}-${writer}-${index}`;
        const outcome = await transport.unary(Leases.create, { id }, call)
          .then(() => "done" as const, (error: ContainerdError) => error.outcome);
        outcomes.set(id, outcome);
        if (outcome !== "done") await wait(1);
      }
    };
    const working = [list(), list(), list(), list(), ...[1, 2, 3, 4].map(write)];
    while (outcomes.size < 10) await wait(5);
    containerd.kill();
    await containerd.exited();
    stopped = true;
    await Promise.all(working);
    await containerd.restart();
    await using after = await openOver(over, containerd.address);
    const there = new Set((await after.unary(Leases.list, {}, call)).leases.map(({ id }) => id));
    for (const [id, outcome] of outcomes) {
      seen.add(outcome);
      if (outcome !== "unknown") assertEquals(there.has(id), outcome === "done", `lease ${id}: ${outcome}`);
    }
  }
  assert(seen.has("done") && seen.has("unknown"));
  await wait(300); // as above
}, { fresh: true });

transportTest("a daemon that hangs is given up on time", async ({ containerd, over }) => {
  await using transport = await openConnected(over, containerd.address);
  {
    using _ = await frozen(containerd);
    const began = performance.now();
    const timed = { ...call, timeoutMs: 200 };
    const errors = await Promise.all([
      failureOf(transport.unary(Leases.create, { id: "l" }, timed)),
      ...readsOf(transport, timed).map(failureOf),
    ]);
    const took = performance.now() - began;
    assert(took >= 199 && took < 5_000, `${took} ms`);
    const outcomes = errors.map((error) => error instanceof DeadlineExceededError && error.outcome);
    assertEquals(outcomes, ["unknown", "no effect", "no effect", "no effect"]);
  }
  await transport.unary(Version.version, {}, call);
}, { ways: everyWay });

transportTest("a signal ends a call with its own reason", async ({ containerd, over }) => {
  await using relay = await Relay.start(containerd.address);
  await using transport = await openConnected(over, relay.path);
  const reason = new Error("enough");
  const counts = relay.count();
  const aborted = { ...call, signal: AbortSignal.abort(reason) };
  assertEquals(await Promise.all(readsOf(transport, aborted).map(failureOf)), [reason, reason, reason]);
  assertEquals(counts, { seen: 0, passedOn: 0 });

  using _ = await frozen(containerd);
  const controller = new AbortController();
  const pending = readsOf(transport, { ...call, signal: controller.signal }).map(failureOf);
  await wait(50);
  controller.abort(reason);
  assertEquals(await Promise.all(pending), [reason, reason, reason]);
  assertEquals(counts.seen, 3);
}, { ways: everyWay });

transportTest("closing ends what is under way and refuses what comes after", async ({ containerd, over }) => {
  const transport = await openConnected(over, containerd.address);
  {
    using _ = await frozen(containerd);
    const pending = readsOf(transport, call).map(failureOf);
    await wait(50);
    await transport[Symbol.asyncDispose]();
    assertEquals((await Promise.all(pending)).map(({ name }) => name), Array(3).fill("AbortError"));
  }
  for (const read of readsOf(transport, call)) await assertRejects(() => read, DOMException, "closed");
}, { ways: everyWay });

transportTest("a socket is found whatever its path looks like", async ({ containerd, over }) => {
  await inFolder(async (folder) => {
    for (const name of ["with space", "a%20b", "ü#?&:", "x".repeat(106 - folder.length)]) {
      const path = join(folder, name);
      await Deno.symlink(containerd.address, path);
      await using transport = await openConnected(over, path);
      await transport.unary(Version.version, {}, call);
    }
  });
}, { series: ["2"] });

realTest(
  "over http2 at most 64 calls are on their way, and those that wait can be ended",
  async (_, containerd) => {
    await using relay = await Relay.start(containerd.address);
    await using transport = await openConnected("http2", relay.path);
    using _frozen = await frozen(containerd);
    const counts = relay.count();
    const pending = Array.from({ length: 150 }, () => transport.unary(Version.version, {}, call));
    const controller = new AbortController();
    const ended = failureOf(transport.unary(Version.version, {}, { ...call, signal: controller.signal }));
    const timed = failureOf(transport.unary(Version.version, {}, { ...call, timeoutMs: 50 }));
    await wait(100);
    assertEquals(counts.seen, 64);
    const reason = new Error("enough");
    controller.abort(reason);
    assertEquals(await ended, reason);
    assert(await timed instanceof DeadlineExceededError);
    containerd.thaw();
    await Promise.all(pending);
    assertEquals(counts.seen, 150);
  },
);

/** A call of each kind. */
function readsOf(transport: Transport, call: Call): Promise<unknown>[] {
  return [
    transport.unary(Version.version, {}, call),
    Array.fromAsync(transport.stream(Content.list, [{}], call)),
    Array.fromAsync(transport.stream(Content.read, manyOf({ digest: "x" }), call)),
  ];
}

/** Requests that do not end. */
async function* manyOf<Request>(request: Request): AsyncIterable<Request> {
  yield await Promise.resolve(request);
  await new Promise(() => {});
}

async function failureOf(call: Promise<unknown>): Promise<Error> {
  return await assertRejects(() => call, Error);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
