import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineExceededError, UnavailableError } from "../../lib/errors.ts";
import { Scope } from "../../lib/scope.ts";
import { Snapshots } from "../../lib/transport/methods.ts";
import { openSocket } from "../../lib/transport/socket.ts";
import type { Transport } from "../../lib/transport/transport.ts";
import { unary } from "../../lib/unbounded.ts";
import { realTest } from "../real/test.ts";

const request = { snapshotter: "overlayfs", key: "none", labels: {} };
const prepare = { method: Snapshots.prepare, request };
const vigilance = { everyMs: 50, withinMs: 1_000 };
const call = { action: "prepare", resource: "snapshot none" };

realTest("unary() ends a call of a containerd that hangs, and not before", async (_t, containerd) => {
  await using transport = await openSocket({ path: containerd.address });
  const held = heldBack(transport);
  const scope = new Scope(held.transport, { namespace: "default" });
  const slow = unary(scope, prepare, call, vigilance);
  await held.looks(5); // it is looked for again and again, and answers
  held.letGo();
  assertEquals((await slow).mounts.length, 1);
  const looks = held.seen();
  const straight = new Scope(transport, { namespace: "default" });
  containerd.freeze();
  const { message, outcome } = await assertRejects(
    () => unary(straight, prepare, call, vigilance),
    DeadlineExceededError,
  );
  assertEquals(
    [message, outcome],
    ['Cannot prepare snapshot none in namespace "default": containerd no longer answers', "unknown"],
  );
  containerd.thaw();
  assertEquals(held.seen(), looks); // nobody looks when nothing is under way
}, { fresh: true, series: ["2"] });

realTest("unary() ends with its signal, its time, or the connection", async (_t, containerd) => {
  await using transport = await openSocket({ path: containerd.address });
  const { transport: stuck } = heldBack(transport);
  const scope = new Scope(stuck, { namespace: "default" });
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => unary(scope, prepare, { ...call, signal }, vigilance), Error, "enough");
  const stop = new AbortController();
  const stopped = unary(scope, prepare, { ...call, signal: stop.signal }, vigilance);
  stop.abort(new Error("stop"));
  await assertRejects(() => stopped, Error, "stop");
  const straight = new Scope(transport, { namespace: "default" });
  containerd.freeze();
  await assertRejects(
    () => unary(straight, prepare, { ...call, timeoutMs: 200 }),
    DeadlineExceededError,
    "200 ms",
  );
  const lost = unary(straight, prepare, call);
  containerd.kill();
  const error = await assertRejects(() => lost, Error, "connection lost");
  assert(!(error instanceof UnavailableError), "whether it was done is not known");
}, { fresh: true, series: ["2"] });

/** Holds every call but those that look for containerd, until told to let them go. */
function heldBack(inner: Transport) {
  let looks = 0;
  const gate = Promise.withResolvers<void>();
  const waiting = new Map<number, () => void>();
  const transport: Transport = {
    async unary(method, request, call) {
      if (method.name.endsWith("/Version")) {
        const answer = await inner.unary(method, request, call);
        waiting.get(++looks)?.();
        return answer;
      }
      const aborted = Promise.withResolvers<never>();
      if (call.signal?.aborted) throw call.signal.reason;
      call.signal?.addEventListener("abort", () => aborted.reject(call.signal!.reason), { once: true });
      await Promise.race([gate.promise, aborted.promise]);
      return await inner.unary(method, request, call);
    },
    stream: (method, requests, call) => inner.stream(method, requests, call),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
  const reached = (count: number) => new Promise<void>((resolve) => waiting.set(count, resolve));
  return { transport, looks: reached, seen: () => looks, letGo: () => gate.resolve() };
}
