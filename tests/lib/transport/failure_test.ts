import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  AlreadyExistsError,
  ContainerdError,
  DeadlineExceededError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  type Outcome,
  OutcomeUnknownError,
  PermissionDeniedError,
  UnavailableError,
  UnimplementedError,
} from "../../../lib/errors.ts";
import { connectionFailure, failure, statusFailure } from "../../../lib/transport/failure.ts";
import { Http2Error } from "../../../lib/transport/http2/http2_error.ts";
import { Images, Version } from "../../../lib/transport/methods.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import { http2Server, inFolder } from "../../fault/servers.ts";

const call = { namespace: "n", action: "do", resource: 'image "x"' };

type ErrorClass = new (...args: ConstructorParameters<typeof ContainerdError>) => ContainerdError;

/** Status, its class, and what is known of a write that ended so. */
const statuses: [number, ErrorClass, Outcome][] = [
  [0, ContainerdError, "unknown"],
  [1, ContainerdError, "unknown"],
  [2, ContainerdError, "unknown"],
  [3, InvalidArgumentError, "refused"],
  [4, DeadlineExceededError, "unknown"],
  [5, NotFoundError, "refused"],
  [6, AlreadyExistsError, "refused"],
  [7, PermissionDeniedError, "refused"],
  [8, ContainerdError, "unknown"],
  [9, FailedPreconditionError, "refused"],
  [10, ContainerdError, "unknown"],
  [11, ContainerdError, "refused"],
  [12, UnimplementedError, "refused"],
  [13, ContainerdError, "unknown"],
  [14, OutcomeUnknownError, "unknown"],
  [15, ContainerdError, "unknown"],
  [16, PermissionDeniedError, "refused"],
  [17, ContainerdError, "unknown"],
  [NaN, ContainerdError, "unknown"],
];

Deno.test("statusFailure() tells for each status its class and what is known of the effect", () => {
  for (const [code, errorClass, outcome] of statuses) {
    const write = statusFailure(Images.create, call, { code, message: "why" });
    assertEquals(
      [write.constructor, write.outcome, write.reason],
      [errorClass, outcome, "why"],
      `status ${code}`,
    );
    const read = statusFailure(Images.get, call, { code, message: "why" });
    const expected = errorClass === OutcomeUnknownError ? UnavailableError : errorClass;
    const effect = outcome === "unknown" ? "no effect" : outcome;
    assertEquals([read.constructor, read.outcome], [expected, effect], `status ${code}`);
  }
});

Deno.test("statusFailure() looks at the text where a status has two meanings", () => {
  const cases: [number, string, Outcome][] = [
    [8, "grpc: received message larger than max (17000005 vs. 16777216)", "refused"],
    [8, "Attempted to send message with a size larger than 16777216", "refused"],
    [8, "trying to send message larger than max (17000005 vs. 16777216)", "unknown"],
    [8, "Received message larger than max (17000005 vs 16777216)", "unknown"],
    [14, "ref n/1/r locked for 1.5s (since 2026-11-24): unavailable", "refused"],
    [14, "ttrpc: closed: unavailable", "unknown"],
  ];
  for (const [code, message, outcome] of cases) {
    assertEquals(statusFailure(Images.create, call, { code, message }).outcome, outcome, message);
  }
});

Deno.test("connectionFailure() takes a call for one that may have been applied unless it was not sent", () => {
  const lost = connectionFailure(Images.create, call, new Http2Error("why"));
  assertEquals([lost.constructor, lost.outcome], [OutcomeUnknownError, "unknown"]);
  assertEquals(lost.reason, "connection lost: why");
  const unsent = connectionFailure(Images.create, call, new Http2Error("why", { notSent: true }));
  assertEquals([unsent.constructor, unsent.outcome], [UnavailableError, "not sent"]);
});

Deno.test("failure() says once what it is about", () => {
  const reasons: [string, string][] = [
    ['image "x": not found', "not found"],
    ['image "\\u202e": not found', "not found"],
    ['lease "l": not found', 'lease "l": not found'],
    ["not found", "not found"],
  ];
  for (const [reason, shown] of reasons) {
    const error = failure(Images.get, call, { code: "not_found", reason, outcome: "refused" });
    assertEquals(error.message, `Cannot do image "x" in namespace "n": ${shown}`);
  }
  const reason = 'image "x": already exists';
  assertEquals(
    failure(Images.get, call, { code: "already_exists", reason, outcome: "refused" }).reason,
    "already exists",
  );
  // Other codes say more than their name.
  const why = 'image "x" has a child';
  assertEquals(
    failure(Images.get, call, { code: "failed_precondition", reason: why, outcome: "refused" }).reason,
    why,
  );
});

Deno.test("failure() escapes what a terminal would obey", () => {
  const reason = "a\nb\x1b[31m\x7f\x9b\u202e\u2028é🚢";
  const error = failure(Images.get, call, { code: "internal", reason, outcome: "refused" });
  assertEquals(error.reason, "a\\u{a}b\\u{1b}[31m\\u{7f}\\u{9b}\\u{202e}\\u{2028}é🚢");
});

Deno.test("failure() names the namespace only where the method has one", () => {
  const error = failure(Version.version, call, { code: "internal", reason: "why", outcome: "refused" });
  assertEquals([error.namespace, error.message], [undefined, 'Cannot do image "x": why']);
});

Deno.test("an error keeps its cause, and has none of its own making", () => {
  const cause = new Error("deep");
  assertEquals(
    failure(Images.get, call, { code: "internal", reason: "why", outcome: "refused", cause }).cause,
    cause,
  );
  const without = failure(Images.get, call, { code: "internal", reason: "why", outcome: "refused" });
  assertEquals(Object.hasOwn(without, "cause"), false);
});

for (const only of [undefined, "grpc"] as const) {
  const over = `over ${only ?? "http2"}`;

  Deno.test(`a call to another HTTP/2 server says that it is no containerd, ${over}`, async () => {
    const others = [{ ":status": 302, "location": "http://127.0.0.1:1/" }, { ":status": 404 }, {
      ":status": 503,
    }];
    for (const headers of others) {
      const error = await answeredWith({ headers }, only);
      assertInstanceOf(error, UnavailableError);
      const reason = `not a containerd socket: it answers HTTP ${headers[":status"]}`;
      assertEquals([error.outcome, error.reason], ["not sent", reason]);
    }
    // grpc-js does not tell this from a connection that was cut.
    const headers = { ":status": 200, "content-type": "text/plain" };
    const error = await answeredWith({ headers, body: new TextEncoder().encode("hi") }, only);
    assertInstanceOf(error, UnavailableError);
    assertEquals(error.outcome, only ? "no effect" : "not sent");
  });

  Deno.test(`an answer that is no message is an error, ${over}`, async () => {
    const headers = { ":status": 200, "content-type": "application/grpc" };
    const error = await answeredWith({ headers, body: Uint8Array.of(0, 0, 0, 0, 3, 255, 255, 255) }, only);
    assertEquals([error.code, error.outcome], ["internal", "no effect"]);
    assertStringIncludes(error.reason, "premature EOF");
  });

  Deno.test(`a reason that is badly percent-encoded is shown as it came, ${over}`, async () => {
    const texts = [
      ["caf%C3%A9 100%25 %1b[31m", "café 100% \\u{1b}[31m"],
      ["100% of caf%C3%A9", "100% of caf%C3%A9"],
      ["broken %E4%BD", "broken %E4%BD"],
      ["", "unknown"],
    ];
    for (const [sent, shown] of texts) {
      const status = { "grpc-status": "2", "grpc-message": sent };
      const headers = { ":status": 200, "content-type": "application/grpc", ...status };
      assertEquals((await answeredWith({ headers }, only)).reason, shown);
    }
  });
}

/** What a call fails with that gets this answer. */
async function answeredWith(
  answer: Parameters<typeof http2Server>[1],
  only: "grpc" | undefined,
): Promise<ContainerdError> {
  return await inFolder(async (folder) => {
    const path = join(folder, "socket");
    await using _server = await http2Server(path, answer);
    await using transport = await openSocket({ path, only });
    return await assertRejects(
      () => transport.unary(Version.version, {}, { namespace: "default", action: "get the version" }),
      ContainerdError,
    );
  });
}
