/** Our HTTP/2 client and servers of every kind, right and wrong ones; with containerds, other tests try it. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ContainerdError, InvalidArgumentError, UnavailableError } from "../../../lib/errors.ts";
import { Http2Transport } from "../../../lib/transport/http2.ts";
import { HeaderDecoder } from "../../../lib/transport/http2/hpack.ts";
import { Content, Leases, Version } from "../../../lib/transport/methods.ts";
import type { Transport } from "../../../lib/transport/transport.ts";
import { runChild } from "../../fault/child.ts";
import { errorCodes, frameTypes, numbersFrame } from "../../fault/frames.ts";
import {
  answerHeaders,
  bytesOf,
  concatenated,
  dataFrame,
  grpcMessage,
  headersFrame,
  type Http2Peer,
  scriptedServer,
  settingsFrame,
  type SomeFrame,
  textMessage,
  trailersFrame,
  versionAnswer,
  windowUpdate,
} from "../../fault/http2_peer.ts";
import { inFolder } from "../../fault/servers.ts";
import { realTest } from "../../real/test.ts";

const call = { namespace: "default", action: "ask" };
const [enablePush, maxConcurrentStreams, initialWindowSize, maxFrameSize] = [2, 3, 4, 5];
const [continuation, pushPromise, priority] = [9, 5, 2];
const padded = 8;
const MiB = 1024 * 1024;

/** Runs `body` with a client of a server that follows a script. */
async function against(
  script: (peer: Http2Peer, index: number) => Promise<void>,
  body: (transport: Transport) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, "socket");
    await using _server = scriptedServer(path, script);
    await using transport = await Http2Transport.open({ path });
    await body(transport);
  });
}

async function version(transport: Transport, options = {}): Promise<string> {
  return (await transport.unary(Version.version, {}, { ...call, ...options })).version;
}

/** An answer whose headers are spread over several frames. */
function continued(stream: number): SomeFrame[] {
  const { payload, ...headers } = headersFrame(stream);
  return [
    { ...headers, flags: 0, payload: payload.slice(0, 2) },
    { type: continuation, stream, payload: new Uint8Array() },
    { type: continuation, stream, payload: payload.slice(2, 5) },
    { type: continuation, stream, flags: 4, payload: payload.slice(5) },
  ];
}

function padding(stream: number, payload: Uint8Array, bytes: number): SomeFrame {
  const withPadding = Uint8Array.of(bytes, ...payload, ...new Uint8Array(bytes));
  return { type: frameTypes.data, flags: padded, stream, payload: withPadding };
}

const text = textMessage("1.2");

const oddAnswers: Record<string, (stream: number) => SomeFrame[]> = {
  "of the plainest kind": (stream) => versionAnswer(stream, "1.2"),
  "with headers in parts": (stream) => [...continued(stream), dataFrame(stream, text), trailersFrame(stream)],
  "with padding": (stream) => [
    headersFrame(stream),
    padding(stream, text.subarray(0, 3), 200),
    padding(stream, text.subarray(3), 0),
    padding(stream, new Uint8Array(), 5),
    trailersFrame(stream),
  ],
  "with priorities": (stream) => {
    const { payload, ...headers } = headersFrame(stream);
    const withPriority = Uint8Array.of(3, 0, 0, 0, 1, 5, ...payload, 0, 0, 0);
    return [
      { type: priority, stream, payload: Uint8Array.of(0, 0, 0, 0, 7) },
      { ...headers, flags: headers.flags | padded | 0x20, payload: withPriority },
      dataFrame(stream, text),
      trailersFrame(stream),
    ];
  },
  "with frames of unknown types": (stream) => [
    { type: 77, stream, flags: 255, payload: Uint8Array.of(1, 2, 3) },
    headersFrame(stream),
    { type: 78, payload: new Uint8Array(16_384) },
    dataFrame(stream, text),
    trailersFrame(stream),
  ],
  "with headers that are only informational": (stream) => [
    headersFrame(stream, [[":status", "103"]]),
    headersFrame(stream, [[":status", "100"]]),
    ...versionAnswer(stream, "1.2"),
  ],
  "with empty frames between": (stream) => [
    headersFrame(stream),
    ...Array.from({ length: 50 }, () => dataFrame(stream, new Uint8Array())),
    dataFrame(stream, text.slice(0, 6)),
    dataFrame(stream, new Uint8Array()),
    dataFrame(stream, text.slice(6)),
    trailersFrame(stream),
  ],
  "with settings and pings between": (stream) => [
    settingsFrame([maxFrameSize, 20_000], [999, 1], [enablePush, 0]),
    headersFrame(stream),
    { type: frameTypes.ping, payload: new Uint8Array(8) },
    dataFrame(stream, text),
    settingsFrame(),
    trailersFrame(stream),
  ],
  "with frames that come late, for calls that have ended": (stream) => [
    ...versionAnswer(stream, "1.2"),
    dataFrame(stream, text),
    trailersFrame(stream),
    numbersFrame(frameTypes.reset, { stream, numbers: [errorCodes.noError] }),
    windowUpdate(stream, 5),
  ],
};

for (const [name, frames] of Object.entries(oddAnswers)) {
  Deno.test(`Http2Transport understands an answer ${name}, however it is cut into pieces`, async () => {
    for (const pieceBytes of [1, 7, 100_000]) {
      const script = async (peer: Http2Peer) => {
        await peer.greet();
        await peer.write(bytesOf(...frames(await peer.request())), pieceBytes);
        await peer.send(...versionAnswer(await peer.request(), "after"));
        await peer.next(-1);
      };
      await against(script, async (transport) => {
        assertEquals(await version(transport), "1.2");
        assertEquals(await version(transport), "after");
      });
    }
  });
}

const violations: Record<string, (stream: number) => Uint8Array> = {
  "garbage": () => new TextEncoder().encode("500 internal server error, and so on and on"),
  "a frame larger than agreed on": (stream) => bytesOf(dataFrame(stream, new Uint8Array(16_385))),
  "a header of a frame larger than agreed on": () => Uint8Array.of(0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1),
  "a push": (stream) =>
    bytesOf({ type: pushPromise, stream, flags: 4, payload: Uint8Array.of(0, 0, 0, 2, 0x88) }),
  "headers that another frame interrupts": (stream) =>
    bytesOf({ ...headersFrame(stream), flags: 0 }, { type: frameTypes.ping, payload: new Uint8Array(8) }),
  "headers that go on for another call": (stream) =>
    bytesOf({ ...headersFrame(stream), flags: 0 }, { type: continuation, stream: stream + 2, flags: 4 }),
  "headers that go on without a beginning": (stream) => bytesOf({ type: continuation, stream, flags: 4 }),
  "headers that go on for ever": (stream) => {
    const parts = Array.from({ length: 70 }, () => ({
      type: continuation,
      stream,
      payload: new Uint8Array(16_384),
    }));
    return bytesOf({ ...headersFrame(stream), flags: 0 }, ...parts);
  },
  "headers that go on for ever in empty frames": (stream) => {
    const part = bytesOf({ type: continuation, stream });
    return concatenated([bytesOf({ ...headersFrame(stream), flags: 0 }), ...Array(120_000).fill(part)]);
  },
  "headers that a few bytes make large": (stream) => {
    const long = [0x40, 1, 0x61, 0x7f, 0x81, 0x1e, ...new Uint8Array(3_968).fill(0x78)];
    const payload = Uint8Array.of(...long, ...new Uint8Array(300).fill(0xbe));
    return bytesOf({ type: frameTypes.headers, flags: 4, stream, payload });
  },
  "headers that make no sense": (stream) =>
    bytesOf({ type: frameTypes.headers, flags: 4, stream, payload: Uint8Array.of(0xff, 0xff) }),
  "headers in the middle of an answer": (stream) => bytesOf(headersFrame(stream), headersFrame(stream)),
  "an answer without headers": (stream) => bytesOf(dataFrame(stream, text)),
  "padding that is longer than its frame": (stream) =>
    bytesOf(headersFrame(stream), {
      type: frameTypes.data,
      flags: padded,
      stream,
      payload: Uint8Array.of(3, 1, 2),
    }),
  "priorities that are cut short": (stream) =>
    bytesOf({ type: frameTypes.headers, flags: 0x24, stream, payload: Uint8Array.of(1, 2) }),
  "data for no call": () => bytesOf(dataFrame(0, text)),
  "an answer to a call that never was": (stream) => bytesOf(headersFrame(stream + 2)),
  "an answer to a call of the server": () => bytesOf(headersFrame(2)),
  "an end of a call that never was": (stream) =>
    bytesOf(numbersFrame(frameTypes.reset, { stream: stream + 2, numbers: [8] })),
  "a ping of the wrong size": () => bytesOf({ type: frameTypes.ping, payload: new Uint8Array(7) }),
  "a ping for a call": (stream) => bytesOf({ type: frameTypes.ping, stream, payload: new Uint8Array(8) }),
  "a reset of the wrong size": (stream) =>
    bytesOf({ type: frameTypes.reset, stream, payload: new Uint8Array(3) }),
  "settings of the wrong size": () => bytesOf({ type: frameTypes.settings, payload: new Uint8Array(5) }),
  "a farewell of the wrong size": () => bytesOf({ type: frameTypes.goAway, payload: new Uint8Array(7) }),
  "a frame size out of range": () => bytesOf(settingsFrame([maxFrameSize, 16_383])),
  "a first window too large": () => bytesOf(settingsFrame([initialWindowSize, 2 ** 31])),
  "a window that gets no wider": () => bytesOf(windowUpdate(0, 0)),
  "a window of the connection too large": () => bytesOf(windowUpdate(0, 2 ** 31 - 1)),
  "a window of a call too large": (stream) => bytesOf(windowUpdate(stream, 2 ** 31 - 1)),
  "a window that settings make too large": (stream) =>
    bytesOf(windowUpdate(stream, 2 ** 30), settingsFrame([initialWindowSize, 2 ** 31 - 1])),
};

for (const [name, bytes] of Object.entries(violations)) {
  Deno.test(`Http2Transport ends the connection after ${name}, and the next call has another`, async () => {
    const script = async (peer: Http2Peer, index: number) => {
      await peer.greet();
      const stream = await peer.request();
      if (index > 0) return await peer.send(...versionAnswer(stream, "1.2"));
      await peer.write(bytes(stream));
      const farewell = await peer.next(frameTypes.goAway);
      assertEquals(farewell && [...farewell.payload], [0, 0, 0, 0, 0, 0, 0, 1]);
      assertEquals(await peer.next(-1), undefined);
    };
    await against(script, async (transport) => {
      const error = await assertRejects(
        () => transport.unary(Leases.create, { id: "l" }, call),
        ContainerdError,
      );
      assertEquals([error.code, error.outcome], ["unavailable", "unknown"], error.message);
      assertStringIncludes(error.reason, "connection lost: ");
      assertEquals(await version(transport), "1.2");
    });
  });
}

Deno.test("Http2Transport takes no more bytes than the window of a call has room for", async () => {
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    const stream = await peer.request();
    await peer.send(headersFrame(stream));
    const message = dataFrame(stream, grpcMessage(new Uint8Array(16_379)));
    for (let count = 0; count < 200; count++) await peer.send(message);
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    const stream = transport.stream(Content.read, [{}], call)[Symbol.asyncIterator]();
    await stream.next();
    await new Promise((resolve) => setTimeout(resolve, 100)); // a reader that is slower than the server
    const error = await assertRejects(async () => {
      while (!(await stream.next()).done);
    }, UnavailableError);
    assertStringIncludes(error.reason, "more bytes than the window has room for");
  });
});

Deno.test("a reader that takes its time holds up the server, and no other call", async () => {
  const message = grpcMessage(new Uint8Array(16_379));
  let sent = 0;
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    const slow = await peer.request();
    await peer.send(headersFrame(slow));
    let window = 0;
    const first = peer.seen.find(({ type }) => type === frameTypes.settings)!;
    for (let at = 0; at < first.payload.length; at += 6) {
      const view = new DataView(first.payload.buffer);
      if (view.getUint16(at) === initialWindowSize) window = view.getUint32(at + 2);
    }
    const fill = async () => {
      for (; window >= message.length; window -= message.length) {
        await peer.send(dataFrame(slow, message));
        sent++;
      }
    };
    await fill();
    await peer.send(...versionAnswer(await peer.request(), "meanwhile"));
    assert(!peer.seen.some(({ type, stream }) => type === 8 && stream === slow), "nobody has read");
    while (sent < 400) {
      const update = await peer.next(8);
      if (update?.stream !== slow) continue;
      window += new DataView(update.payload.buffer).getUint32(0);
      await fill();
    }
    await peer.send(trailersFrame(slow));
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    const stream = transport.stream(Content.read, [{}], call)[Symbol.asyncIterator]();
    await stream.next();
    assertEquals(await version(transport), "meanwhile");
    let read = 1;
    while (!(await stream.next()).done) read++;
    assertEquals(read, sent);
  });
});

Deno.test("an answer may be larger than the window", async () => {
  const bytes = new Uint8Array(10 * MiB);
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    const stream = await peer.request();
    await peer.send(headersFrame(stream));
    const field = Uint8Array.of(0x12, 0x80, 0x80, 0x80, 0x05); // the second, of 10 MiB
    const body = grpcMessage(concatenated([field, bytes]));
    let window = 2 * MiB;
    for (let at = 0; at < body.length; at += 16_384) {
      while (window < 16_384) {
        const update = await peer.next(8);
        if (update?.stream === stream) window += new DataView(update.payload.buffer).getUint32(0);
      }
      const part = body.slice(at, at + 16_384);
      window -= part.length;
      await peer.send(dataFrame(stream, part));
    }
    await peer.send(trailersFrame(stream));
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    const [answer] = await Array.fromAsync(transport.stream(Content.read, [{}], call));
    assertEquals(answer?.data.length, bytes.length);
  });
});

Deno.test("a request goes out as the server's windows and frame size allow, whatever becomes of them", async () => {
  const id = "x".repeat(100_000);
  let received = 0;
  const script = async (peer: Http2Peer) => {
    await peer.greet([initialWindowSize, 10]);
    const { stream = 0 } = await peer.next(frameTypes.headers) ?? {};
    let allowed = 10;
    let largest = 0;
    const take = async (bytes: number) => {
      for (const until = received + bytes; received < until;) {
        const { payload = new Uint8Array(), flags = 0 } = await peer.next(frameTypes.data) ?? {};
        received += payload.length;
        largest = Math.max(largest, payload.length);
        assert(received <= allowed, `${received} of ${allowed}`);
        if (flags & 1) return;
      }
    };
    await take(10);
    await peer.send(windowUpdate(stream, 1), windowUpdate(stream, 4));
    allowed += 5;
    await take(5);
    await peer.send(settingsFrame([initialWindowSize, 0])); // 10 below nothing
    await peer.send(windowUpdate(stream, 10)); // still nothing
    await peer.send(windowUpdate(stream, 100));
    allowed += 100;
    await take(100);
    await peer.send(settingsFrame([initialWindowSize, 50_000]));
    allowed += 50_000;
    await take(50_000);
    assertEquals(largest, 16_384);
    await peer.send(settingsFrame([maxFrameSize, 2 ** 24 - 1], [initialWindowSize, 2 ** 30]));
    // The connection's own window is the usual one.
    allowed = 65_535;
    await take(65_535 - received);
    await peer.send(windowUpdate(0, 1_000_000));
    allowed += 1_000_000;
    await take(1_000_000);
    assert(largest > 16_384);
    await peer.send(
      headersFrame(stream),
      dataFrame(stream, grpcMessage(new Uint8Array())),
      trailersFrame(stream),
    );
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    await transport.unary(Leases.create, { id }, call);
  });
  assertEquals(received, 5 + 4 + id.length);
});

Deno.test("calls share the connection's window in turn", async () => {
  const script = async (peer: Http2Peer) => {
    await peer.greet([initialWindowSize, 2 ** 30]);
    const streams = new Set<number>();
    // Neither request fits by itself: both get their part of the first 64 KiB that are free again.
    for (let received = 0; received < 65_535;) received += (await peer.next(frameTypes.data))!.payload.length;
    await peer.send(windowUpdate(0, 65_535));
    for (let received = 0; received < 65_535;) {
      const { payload, stream } = (await peer.next(frameTypes.data))!;
      received += payload.length;
      streams.add(stream);
    }
    assertEquals([...streams].sort(), [1, 3]);
    await peer.send(windowUpdate(0, 2 ** 30));
    const ended = new Set<number>();
    while (ended.size < 2) {
      const { flags, stream } = (await peer.next(frameTypes.data))!;
      if (flags & 1) ended.add(stream);
    }
    for (const stream of [3, 1]) {
      await peer.send(
        headersFrame(stream),
        dataFrame(stream, grpcMessage(new Uint8Array())),
        trailersFrame(stream),
      );
    }
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    const create = () => transport.unary(Leases.create, { id: "x".repeat(500_000) }, call);
    await Promise.all([create(), create()]);
  });
});

Deno.test("calls wait until the server has room for them, and may be given up before", async () => {
  const givenUp = Promise.withResolvers<void>();
  const script = async (peer: Http2Peer) => {
    await peer.greet([maxConcurrentStreams, 1]);
    const first = await peer.request();
    await givenUp.promise;
    assertEquals(peer.seen.filter(({ type }) => type === frameTypes.headers).length, 1);
    await peer.send(...versionAnswer(first, "a"));
    const second = await peer.request();
    await peer.send(settingsFrame([maxConcurrentStreams, 100]));
    const third = await peer.request();
    assertEquals([first, second, third], [1, 3, 5]);
    await peer.send(...versionAnswer(third, "c"), ...versionAnswer(second, "b"));
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const first = version(transport);
    const ended = assertRejects(() => version(transport, { signal: controller.signal }));
    const timed = assertRejects(() => version(transport, { timeoutMs: 20 }), ContainerdError, "within 20 ms");
    const others = [version(transport), version(transport)];
    await timed;
    controller.abort(reason);
    assertEquals(await ended, reason);
    givenUp.resolve();
    assertEquals([await first, ...await Promise.all(others)], ["a", "b", "c"]);
  });
});

Deno.test("answers of several calls may be mixed", async () => {
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    const streams = [await peer.request(), await peer.request(), await peer.request()];
    const answers = streams.map((stream) => versionAnswer(stream, `${stream}`));
    for (const index of [0, 1, 2]) {
      for (const frames of answers.toReversed()) await peer.send(frames[index]!);
    }
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    const versions = await Promise.all([version(transport), version(transport), version(transport)]);
    assertEquals(versions, ["1", "3", "5"]);
  });
});

Deno.test("a status in the trailers decides, whatever came before", async () => {
  const refused = (stream: number) => [
    headersFrame(stream),
    dataFrame(stream, text),
    trailersFrame(stream, 3, "caf%C3%A9"),
  ];
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    for (let count = 0; count < 2; count++) await peer.send(...refused(await peer.request()));
    const stream = await peer.request();
    await peer.send(trailersFrame(stream, 0)); // neither headers of an answer nor a message
    const second = await peer.request();
    await peer.send(headersFrame(second), { ...dataFrame(second, text), flags: 1 }); // no trailers
    const third = await peer.request();
    await peer.send(headersFrame(third), dataFrame(third, text.slice(0, 7)), trailersFrame(third)); // half of it
    const fourth = await peer.request();
    await peer.send(
      headersFrame(fourth),
      dataFrame(fourth, concatenated([text, text])),
      trailersFrame(fourth),
    );
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    await assertRejects(() => version(transport), InvalidArgumentError, "café");
    const read: unknown[] = [];
    const stream = async () => {
      for await (const answer of transport.stream(Content.read, [{}], call)) read.push(answer);
    };
    await assertRejects(stream, InvalidArgumentError, "café");
    assertEquals(read.length, 1);
    await assertRejects(() => version(transport), UnavailableError, "not a containerd socket");
    for (let count = 0; count < 3; count++) {
      await assertRejects(() => version(transport), UnavailableError, "incomplete answer");
    }
  });
});

Deno.test("a message that is too large or compressed is refused, and the call with it", async () => {
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    for (const prefix of [[0, 1, 0, 0, 1], [1, 0, 0, 0, 1]]) {
      const stream = await peer.request();
      await peer.send(headersFrame(stream), dataFrame(stream, Uint8Array.from(prefix)));
      const reset = await peer.next(frameTypes.reset);
      assertEquals([reset?.stream, reset?.payload[3]], [stream, errorCodes.cancel]);
    }
    await peer.send(...versionAnswer(await peer.request(), "after"));
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    const large = await assertRejects(() => version(transport), ContainerdError);
    assertEquals(
      [large.code, large.reason],
      ["resource_exhausted", "Received message larger than max (16777217 vs 16777216)"],
    );
    const compressed = await assertRejects(() => version(transport), ContainerdError);
    assertEquals([compressed.code, compressed.reason], [
      "internal",
      "malformed answer: a compressed message",
    ]);
    assertEquals(await version(transport), "after");
  });
});

Deno.test("the server hears of a call that nobody waits for any more", async () => {
  const codes: number[] = [];
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    for (let count = 0; count < 4; count++) {
      const stream = await peer.request();
      if (count < 2) await peer.send(headersFrame(stream), dataFrame(stream, grpcMessage(new Uint8Array())));
      const reset = await peer.next(frameTypes.reset);
      assertEquals(reset?.stream, stream);
      codes.push(reset?.payload[3] ?? -1);
      // What was on its way does no harm.
      await peer.send(dataFrame(stream, text), trailersFrame(stream));
    }
    await peer.send(...versionAnswer(await peer.request(), "after"));
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    for await (const _ of transport.stream(Content.read, [{}], call)) break;
    const controller = new AbortController();
    const reason = new Error("enough");
    const stream = async () => {
      const signal = controller.signal;
      for await (const _ of transport.stream(Content.read, [{}], { ...call, signal })) {
        controller.abort(reason);
      }
    };
    assertEquals(await assertRejects(stream), reason);
    const later = AbortSignal.timeout(20);
    await assertRejects(() => version(transport, { signal: later }), DOMException);
    await assertRejects(
      () => version(transport, { timeoutMs: 20 }),
      ContainerdError,
      "no answer within 20 ms",
    );
    assertEquals(await version(transport), "after");
  });
  assertEquals(codes, Array(4).fill(errorCodes.cancel));
});

Deno.test("an answer before all of the request has gone is an answer, and the rest is not sent", async () => {
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    const { stream = 0 } = await peer.next(frameTypes.headers) ?? {};
    await peer.send(
      headersFrame(stream, [...answerHeaders, ["grpc-status", "3"], ["grpc-message", "no"]], { isEnd: true }),
      numbersFrame(frameTypes.reset, { stream, numbers: [errorCodes.noError] }),
    );
    assertEquals((await peer.next(frameTypes.reset))?.stream, stream);
    await peer.send(windowUpdate(0, 65_535)); // for what it has taken all the same
    await peer.send(...versionAnswer(await peer.request(), "after"));
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    const create = transport.unary(Leases.create, { id: "x".repeat(1_000_000) }, call);
    assertEquals((await assertRejects(() => create, InvalidArgumentError)).outcome, "refused");
    assertEquals(await version(transport), "after");
  });
});

Deno.test("a server that says goodbye answers what it has begun, and has not seen the rest", async () => {
  const script = async (peer: Http2Peer, index: number) => {
    await peer.greet();
    if (index > 0) return await peer.send(...versionAnswer(await peer.request(), "anew"));
    const first = await peer.request();
    const second = await peer.request();
    await peer.send(numbersFrame(frameTypes.goAway, { numbers: [2 ** 31 - 1, 0] })); // it is going to
    await peer.send(numbersFrame(frameTypes.goAway, { numbers: [first, 0] }));
    await peer.send(...versionAnswer(first, "begun"), ...versionAnswer(second, "never"));
    assertEquals(await peer.next(-1), undefined); // the client hangs up when it is done
  };
  await against(script, async (transport) => {
    const first = version(transport);
    const second = transport.unary(Leases.create, { id: "l" }, call);
    const error = await assertRejects(() => second, UnavailableError);
    assertEquals(error.outcome, "not sent");
    assertEquals(await version(transport), "anew");
    assertEquals(await first, "begun");
  });
});

Deno.test("a call that the server refused was not sent, one that it reset may have been", async () => {
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    for (const code of [errorCodes.refusedStream, errorCodes.cancel, 2]) {
      await peer.send(numbersFrame(frameTypes.reset, { stream: await peer.request(), numbers: [code] }));
    }
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    const outcomes: [string, string][] = [];
    for (let count = 0; count < 3; count++) {
      const create = () => transport.unary(Leases.create, { id: "l" }, call);
      const { outcome, reason } = await assertRejects(create, ContainerdError);
      outcomes.push([outcome, reason]);
    }
    assertEquals(outcomes, [
      ["not sent", "connection lost: the call was reset: REFUSED_STREAM"],
      ["unknown", "connection lost: the call was reset: CANCEL"],
      ["unknown", "connection lost: the call was reset: INTERNAL_ERROR"],
    ]);
  });
});

Deno.test("a ping is answered with its own bytes, settings with nothing", async () => {
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    assertEquals((await peer.next(frameTypes.settings))?.flags, 0); // the client's own
    const reply = await peer.next(frameTypes.settings);
    assertEquals([reply?.flags, reply?.payload.length], [1, 0]);
    await peer.send({ type: frameTypes.ping, flags: 1, payload: new Uint8Array(8) }); // a reply, which nobody wants
    await peer.send({ type: frameTypes.ping, payload: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
    const pong = await peer.next(frameTypes.ping);
    assertEquals([pong?.flags, [...pong?.payload ?? []]], [1, [1, 2, 3, 4, 5, 6, 7, 8]]);
    await peer.send(...versionAnswer(await peer.request(), "1.2"));
    await peer.next(-1);
  };
  await against(script, async (transport) => assertEquals(await version(transport), "1.2"));
});

Deno.test("a server that asks on and on and does not read is left", async () => {
  const pings = bytesOf(...Array(5_000).fill({ type: frameTypes.ping, payload: new Uint8Array(8) }));
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    await peer.request();
    for (let count = 0; count < 200; count++) await peer.write(pings);
  };
  await against(script, async (transport) => {
    await assertRejects(() => version(transport), UnavailableError, "does not read what it asks for");
  });
});

Deno.test("headers that are longer than a frame go on in others", async () => {
  const lease = "l".repeat(40_000);
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    const first = (await peer.next(frameTypes.headers))!;
    const parts = [first, (await peer.next(continuation))!, (await peer.next(continuation))!];
    assertEquals(parts.map(({ flags }) => flags), [0, 0, 4]);
    const block = concatenated(parts.map(({ payload }) => payload));
    const headers = new Map(new HeaderDecoder({ listBytes: 1e6 }).decode(block));
    assertEquals(headers.get("containerd-lease"), lease);
    assertEquals(headers.get(":path"), "/containerd.services.version.v1.Version/Version");
    assertEquals([headers.get("te"), headers.get("content-type")], ["trailers", "application/grpc"]);
    await peer.next(frameTypes.data);
    await peer.send(...versionAnswer(first.stream, "1.2"));
    await peer.next(-1);
  };
  await against(script, async (transport) => assertEquals(await version(transport, { lease }), "1.2"));
});

Deno.test("a namespace or lease that no header can hold is refused, and the next call served", async () => {
  const script = async (peer: Http2Peer) => {
    await peer.greet();
    await peer.send(...versionAnswer(await peer.request(), "1.2"));
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    for (const wrong of [{ namespace: "a\nb" }, { namespace: "a\0" }, { lease: "l\r" }, { lease: "\x7f" }]) {
      const error = await assertRejects(() => version(transport, wrong), InvalidArgumentError);
      assertStringIncludes(error.reason, "with control characters");
      assertEquals(error.outcome, "not sent");
    }
    assertEquals(await version(transport, { namespace: "é", lease: "\t " }), "1.2");
  });
});

Deno.test("a server that hangs up between two calls is not noticed", async () => {
  const script = async (peer: Http2Peer, index: number) => {
    await peer.greet();
    await peer.send(...versionAnswer(await peer.request(), `${index}`));
    peer.close();
  };
  await against(script, async (transport) => {
    for (const expected of ["0", "1", "2"]) {
      assertEquals(await version(transport), expected);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
});

Deno.test("calls that come while the connection is made share it", async () => {
  let connections = 0;
  const script = async (peer: Http2Peer, index: number) => {
    connections++;
    await peer.greet();
    if (index === 0) return peer.close();
    for (let count = 0; count < 10; count++) await peer.send(...versionAnswer(await peer.request(), "1.2"));
    await peer.next(-1);
  };
  await against(script, async (transport) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const versions = await Promise.all(Array.from({ length: 10 }, () => version(transport)));
    assertEquals(new Set(versions), new Set(["1.2"]));
  });
  assertEquals(connections, 2);
});

realTest(
  "a client that is forgotten keeps no process from ending, a call does",
  async (_, { address: path }) => {
    const body = `
    const transport = await openSocket({ path: ${JSON.stringify(path)} });
    const call = { namespace: "default", action: "get the version" };
    transport.unary(Version.version, {}, call).then(({ version }) => console.log(version !== ""));`;
    const began = performance.now();
    assertEquals(await runChild(body), "true\n");
    assert(performance.now() - began < 20_000);
  },
  { series: ["2"] },
);
