import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { UnavailableError } from "../../../lib/errors.ts";
import { GrpcTransport } from "../../../lib/transport/grpc.ts";
import { Http2Transport } from "../../../lib/transport/http2.ts";
import { Version } from "../../../lib/transport/methods.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import { runChild } from "../../fault/child.ts";
import { frozen } from "../../fault/frozen.ts";
import { http1Server, inFolder, rawServer, staleSocket } from "../../fault/servers.ts";
import { realTest } from "../../real/test.ts";

interface Place {
  name: string;
  /** Makes what is at the path. */
  make?: (path: string) => Promise<AsyncDisposable | void> | AsyncDisposable;
  /** What openSocket() says. */
  reason: string;
  /** What grpc-js says that finds it so later; same as `reason` unless given. */
  later?: string;
}

const notHttp2 = "not a containerd socket: it does not speak HTTP/2";

const places: Place[] = [
  { name: "missing", reason: "no such file", later: "no such socket" },
  {
    name: "folder",
    make: (path) => Deno.mkdir(path),
    reason: "it is a directory, not a socket",
    later: "nothing listens on the socket",
  },
  {
    name: "file",
    make: (path) => Deno.writeTextFile(path, ""),
    reason: "it is a file, not a socket",
    later: "nothing listens on the socket",
  },
  { name: "stale", make: staleSocket, reason: "nothing listens on the socket" },
  {
    name: "dangling",
    make: (path) => Deno.symlink("nowhere", path),
    reason: "no such file",
    later: "no such socket",
  },
  {
    name: "loop",
    make: (path) => Deno.symlink("loop", path),
    reason: "Too many levels of symbolic links (os error 40)",
    later: "cannot connect: connect ELOOP PATH",
  },
  {
    name: "too-long".padEnd(110, "-"),
    reason: "path must be shorter than SUN_LEN",
    later: "cannot connect: connect EINVAL PATH",
  },
  {
    name: "closing",
    make: (path) => rawServer(path, (connection) => connection.close()),
    reason: "it closes the connection at once",
    later: "cannot connect: write EPIPE",
  },
  {
    name: "ssh",
    make: (path) => rawServer(path, (connection) => write(connection, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
    reason: notHttp2,
  },
  {
    name: "http1",
    make: http1Server,
    reason: notHttp2,
    later: "cannot connect: write EPIPE",
  },
];

for (const { name, make = () => {}, reason } of places) {
  Deno.test(`openSocket() says what is wrong with a socket: ${name.slice(0, 10)}`, async () => {
    await inFolder(async (folder) => {
      const path = join(folder, name);
      await using _server = await make(path) ?? { [Symbol.asyncDispose]: () => Promise.resolve() };
      for (const only of [{}, { only: "grpc" }] as const) {
        const error = await assertRejects(() => openSocket({ path, ...only }), UnavailableError);
        assertEquals([error.code, error.outcome, error.reason], ["unavailable", "not sent", reason]);
        assert(error.message.startsWith(`Cannot reach containerd at "${folder}`), error.message);
      }
    });
  });
}

const transports = {
  http2: (path: string) => new Http2Transport({ path }),
  grpc: (path: string) => new GrpcTransport(path),
};

for (const kind of ["http2", "grpc"] as const) {
  Deno.test(`a call over ${kind} says what became of the socket meanwhile`, async () => {
    for (const { name, make = () => {}, reason, later = reason } of places) {
      await inFolder(async (folder) => {
        const path = join(folder, name);
        await using _server = await make(path) ?? { [Symbol.asyncDispose]: () => Promise.resolve() };
        await using transport = transports[kind](path);
        const call = { namespace: "default", action: "get the version" };
        const error = await assertRejects(() => transport.unary(Version.version, {}, call), UnavailableError);
        const expected = kind === "grpc" ? later : reason;
        assertEquals([error.outcome, error.reason], ["not sent", expected.replace("PATH", path)]);
      });
    }
    // grpc-js goes on with its timers for the next attempt to connect after it was closed.
    if (kind === "grpc") await new Promise((resolve) => setTimeout(resolve, 400));
  });
}

Deno.test("openSocket() gives up on a socket that accepts and shows no sign of life", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "silent");
    await using _server = rawServer(path);
    const began = performance.now();
    const error = await assertRejects(() => openSocket({ path, connectTimeoutMs: 100 }), UnavailableError);
    assertEquals([error.outcome, error.reason], ["not sent", "no sign of life within 100 ms"]);
    assert(performance.now() - began < 10_000);
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    assertEquals(await openSocket({ path, signal }).catch((error) => error), reason);
    const later = new AbortController();
    const opening = openSocket({ path, signal: later.signal }).catch((error) => error);
    setTimeout(() => later.abort(reason), 20);
    assertEquals(await opening, reason);
  });
});

realTest("openSocket() notices a containerd that is hung", async (_, containerd) => {
  using _frozen = await frozen(containerd);
  const opening = openSocket({ path: containerd.address, connectTimeoutMs: 200 });
  await assertRejects(() => opening, UnavailableError, "no sign of life within 200 ms");
});

Deno.test({
  name: "openSocket() tells whose socket it is that it may not use",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn: () =>
    inFolder(async (folder) => {
      const path = join(folder, "socket");
      await using _server = rawServer(path);
      await Deno.chown(path, 1234, 5678);
      await Deno.chmod(path, 0o640);
      const output = await runChild(
        `await openSocket({ path: ${
          JSON.stringify(path)
        } }).catch(({ name, message }) => console.log(name, message));`,
        { under: ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"] },
      );
      assertEquals(
        output,
        `PermissionDeniedError Cannot reach containerd at "${path}": permission denied: ` +
          "the socket belongs to uid 1234, gid 5678, mode 0640\n",
      );
    }),
});

realTest("openSocket() names the permission that Deno lacks", async (_, { address: path }) => {
  const body = `await openSocket({ path: ${
    JSON.stringify(path)
  } }).catch((error) => console.log(error.name, error.reason));`;
  const output = await runChild(body, { permissions: ["--allow-read"] });
  assertStringIncludes(output, "PermissionDeniedError Requires ");
});

realTest("a proxy that the environment names is not for the socket", async (_, { address: path }) => {
  const body = `
    for (const only of [{}, { only: "grpc" }]) {
      await using transport = await openSocket({ path: ${JSON.stringify(path)}, ...only });
      const call = { namespace: "default", action: "get the version" };
      console.log((await transport.unary(Version.version, {}, call)).version !== "");
    }`;
  for (const NO_PROXY of ["localhost", "*", "127.0.0.1,.example.com"]) {
    const proxy = "http://127.0.0.1:1";
    const env = {
      NO_PROXY,
      no_proxy: NO_PROXY,
      HTTP_PROXY: proxy,
      HTTPS_PROXY: proxy,
      ALL_PROXY: proxy,
      http_proxy: proxy,
    };
    assertEquals(await runChild(body, { env }), "true\ntrue\n", NO_PROXY);
  }
}, { series: ["1.7"] });

async function write(connection: Deno.Conn, text: string): Promise<void> {
  await connection.write(new TextEncoder().encode(text)).catch(() => {}); // the client may hang up first
}
