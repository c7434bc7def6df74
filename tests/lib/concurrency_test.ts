import { assert, assertEquals, assertRejects } from "@std/assert";
import { Limiter, mapConcurrently } from "../../lib/concurrency.ts";

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

Deno.test("mapConcurrently() yields in the order of the items and keeps to its limit", async () => {
  const work = new Work();
  const items = [9, 1, 8, 2, 7, 3, 6, 4, 5];
  const results = await Array.fromAsync(mapConcurrently(items, { limit: 3, work: work.run }));
  assertEquals(results, items.map((item) => item * 10));
  assertEquals([work.most, work.running], [3, 0]);
});

Deno.test("mapConcurrently() takes items as they come, and none ahead of its limit", async () => {
  const work = new Work();
  let taken = 0;
  const endless = async function* () {
    for (;;) yield await Promise.resolve(taken++ % 2);
  };
  for await (const _ of mapConcurrently(endless(), { limit: 4, work: work.run })) break;
  assertEquals([taken, work.begun.length, work.most], [4, 4, 4]);
});

Deno.test("mapConcurrently() ends its source and waits for running work when its reader leaves", async () => {
  const work = new Work();
  let ended = false;
  const items = function* () {
    try {
      yield* [1, 20, 20, 20];
    } finally {
      ended = true;
    }
  };
  for await (const _ of mapConcurrently(items(), { limit: 3, work: work.run })) break;
  assertEquals([ended, work.running, work.begun.length], [true, 0, 3]);
});

Deno.test("mapConcurrently() reports a failure in its turn, after what came before it, and begins nothing more", async () => {
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
    for await (const result of mapConcurrently([1, 2, 3, 4, 5, 6, 7, 8], { limit: 4, work })) {
      results.push(result);
    }
  };
  assertEquals(await assertRejects(reading), failure);
  assertEquals(results, [1, 2]);
  assertEquals(begun, [1, 2, 3, 4, 5, 6]);
});

Deno.test("mapConcurrently() fails as its source does", async () => {
  const failure = new Error("no more items");
  const work = new Work();
  const items = async function* () {
    yield await Promise.resolve(5);
    throw failure;
  };
  const mapped = mapConcurrently(items(), { limit: 3, work: work.run });
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
