import { assert, assertEquals, assertRejects } from "@std/assert";
import { Limiter, mapConcurrent } from "../../lib/concurrency.ts";

/** Work that takes as many milliseconds as its item says, and counts how much of it runs at once. */
class Work {
  running = 0;
  most = 0;
  readonly begun: number[] = [];

  readonly run = async (ms: number): Promise<number> => {
    this.begun.push(ms);
    this.most = Math.max(this.most, ++this.running);
    await wait(ms);
    this.running--;
    return ms * 10;
  };
}

Deno.test("mapConcurrent() yields in the order of the items and keeps to its limit", async () => {
  const work = new Work();
  const items = [9, 1, 8, 2, 7, 3, 6, 4, 5];
  const results = await Array.fromAsync(mapConcurrent(items, work.run, { limit: 3 }));
  assertEquals(results, items.map((item) => item * 10));
  assertEquals([work.most, work.running], [3, 0]);
});

Deno.test("mapConcurrent() takes items as they come, and none ahead of its limit", async () => {
  const work = new Work();
  let taken = 0;
  const endless = async function* () {
    for (;;) yield await Promise.resolve(taken++ % 2);
  };
  for await (const _ of mapConcurrent(endless(), work.run, { limit: 4 })) break;
  assertEquals([taken, work.begun.length, work.most], [4, 4, 4]);
});

Deno.test("mapConcurrent() ends its source and waits for running work when its reader leaves", async () => {
  const work = new Work();
  let ended = false;
  const items = function* () {
    try {
      yield* [1, 20, 20, 20];
    } finally {
      ended = true;
    }
  };
  for await (const _ of mapConcurrent(items(), work.run, { limit: 3 })) break;
  assertEquals([ended, work.running, work.begun.length], [true, 0, 3]);
});

Deno.test("mapConcurrent() reports a failure in its turn, after what came before it, and begins nothing more", async () => {
  const failure = new Error("third");
  const begun: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    await wait(item === 3 ? 0 : 5);
    if (item >= 3) throw item === 3 ? failure : new Error("later");
    return item;
  };
  const results: number[] = [];
  const reading = async () => {
    for await (const result of mapConcurrent([1, 2, 3, 4, 5, 6, 7, 8], work, { limit: 4 })) {
      results.push(result);
    }
  };
  assertEquals(await assertRejects(reading), failure);
  assertEquals(results, [1, 2]);
  assertEquals(begun, [1, 2, 3, 4]);
});

Deno.test("mapConcurrent() ends what runs when something fails, and throws what failed first", async () => {
  const failure = new Error("second");
  const ended: number[] = [];
  const work = async (item: number, { signal }: { signal: AbortSignal }) => {
    if (item === 2) throw failure;
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => {
      ended.push(item);
      reject(new Error("ended"));
    });
    return await promise;
  };
  const mapped = mapConcurrent([1, 2, 3], work);
  assertEquals(await assertRejects(() => Array.fromAsync(mapped)), failure);
  assertEquals(ended, [1]);
});

Deno.test("mapConcurrent() ends what runs when its reader leaves", async () => {
  const signals: AbortSignal[] = [];
  const work = async (ms: number, { signal }: { signal: AbortSignal }) => {
    signals.push(signal);
    await wait(ms);
    return signal.aborted;
  };
  for await (const wasAborted of mapConcurrent([0, 5, 5], work, { limit: 2 })) {
    assert(!wasAborted);
    break;
  }
  assertEquals(signals.map(({ aborted }) => aborted), [true, true]);
});

Deno.test("mapConcurrent() begins nothing more when its signal aborts, and throws the reason", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const begun: number[] = [];
  const results: number[] = [];
  const work = async (item: number, { signal }: { signal: AbortSignal }) => {
    begun.push(item);
    await wait(1);
    if (item === 2) controller.abort(reason);
    return signal.aborted ? -item : item;
  };
  const reading = async () => {
    const mapped = mapConcurrent([1, 2, 3, 4], work, { limit: 1, signal: controller.signal });
    for await (const result of mapped) results.push(result);
  };
  assertEquals(await assertRejects(reading), reason);
  assertEquals([begun, results], [[1, 2], [1, -2]]);
});

Deno.test("mapConcurrent() takes results that are there at once, and failures that are", async () => {
  assertEquals(await Array.fromAsync(mapConcurrent(["a", "b"], (text) => text.toUpperCase())), ["A", "B"]);
  const failing = mapConcurrent([1], (): number => {
    throw new Error("at once");
  });
  await assertRejects(() => Array.fromAsync(failing), Error, "at once");
});

Deno.test("mapConcurrent() refuses a limit that would never begin", async () => {
  await assertRejects(() => Array.fromAsync(mapConcurrent([1], () => 1, { limit: 0 })), RangeError);
});

Deno.test("mapConcurrent() fails as its source does", async () => {
  const failure = new Error("no more items");
  const work = new Work();
  const items = async function* () {
    yield await Promise.resolve(5);
    throw failure;
  };
  const mapped = mapConcurrent(items(), work.run, { limit: 3 });
  assertEquals(await assertRejects(() => Array.fromAsync(mapped)), failure);
  assertEquals(work.running, 0);
});

Deno.test("Limiter runs so many at once, in the order in which they came", async () => {
  const work = new Work();
  const limiter = new Limiter(2);
  const items = [5, 1, 4, 2, 3];
  const results = await Promise.all(items.map((item) => limiter.run(() => work.run(item))));
  assertEquals(results, items.map((item) => item * 10));
  assertEquals([work.most, work.begun], [2, items]);
});

Deno.test("Limiter goes on after failures", async () => {
  const limiter = new Limiter(1);
  const fail = () => Promise.reject(new Error("no"));
  await Promise.all([1, 2, 3].map(() => assertRejects(() => limiter.run(fail), Error, "no")));
  assertEquals(await limiter.run(() => Promise.resolve(1)), 1);
});

Deno.test("Limiter lets a signal end the wait for a turn, and gives that turn to the next", async () => {
  const limiter = new Limiter(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = limiter.run(() => promise);
  const controller = new AbortController();
  let ran = false;
  const reason = new Error("enough");
  const second = limiter.run(() => (ran = true, Promise.resolve()), controller.signal);
  const third = limiter.run(() => Promise.resolve("third"), new AbortController().signal);
  const late = limiter.run(() => Promise.resolve(), AbortSignal.abort(reason));
  assertEquals(await assertRejects(() => late), reason);
  controller.abort(reason);
  // In the same turn of the event loop, its place must not be lost.
  resolve();
  assertEquals(await assertRejects(() => second), reason);
  await first;
  assertEquals(await third, "third");
  assert(!ran);
  assertEquals(await limiter.run(() => Promise.resolve("again")), "again");
});

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
