import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { failureOf, UsageError } from "../../cli/errors.ts";
import { credentialsFiles, openRegistryFor } from "../../cli/registry.ts";
import type { RegistryFlags } from "../../cli/registry_options.ts";
import { Authority } from "../real/certificates.ts";
import { buildImage } from "../real/image_builder.ts";
import { randomLayer } from "../real/layers.ts";
import { account, LocalRegistry, registryTest } from "../real/registry.ts";
import { pushImage } from "../lib/registry/images.ts";

const image = await buildImage({ name: "example.com/app:v1", layers: [await randomLayer(1000, 1)] });

const none: RegistryFlags = {
  user: undefined,
  passwordStdin: false,
  plainHttp: false,
  skipVerify: false,
  ca: [],
  cert: undefined,
  key: undefined,
  hostsDir: ["/nonexistent"],
};

interface Run {
  flags?: Partial<RegistryFlags>;
  env?: Record<string, string>;
  stdin?: string;
}

function open(reference: string, { flags = {}, env = {}, stdin = "" }: Run = {}) {
  return openRegistryFor(reference, { ...none, ...flags }, {
    env: (name) => env[name],
    stdin: () => ReadableStream.from([new TextEncoder().encode(stdin)]),
  });
}

async function pushes({ host }: LocalRegistry, run: Run): Promise<void> {
  await using registry = await open(host + "/app:v1", run);
  await pushImage(registry, `${host}/app:v1`, image);
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-registry-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

registryTest(
  "openRegistryFor() logs in with a password from stdin, from a file, and from a helper",
  () =>
    inFolder(async (folder) => {
      await using server = await LocalRegistry.start({ password: true });
      const { username, password } = account;
      await pushes(server, { flags: { user: username, passwordStdin: true }, stdin: `${password}\n` });

      const env = { DOCKER_CONFIG: folder };
      const write = (config: unknown) =>
        Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(config));
      await write({ auths: { [server.host]: { auth: btoa(`${username}:${password}`) } } });
      await pushes(server, { env });

      const answer = JSON.stringify({ ServerURL: server.host, Username: username, Secret: password });
      const helper = `#!/bin/sh\n[ "$1 $(cat)" = "get ${server.host}" ] && echo '${answer}'\n`;
      await Deno.writeTextFile(join(folder, "docker-credential-davit-test"), helper, { mode: 0o755 });
      const path = Deno.env.get("PATH")!;
      Deno.env.set("PATH", `${folder}:${path}`);
      try {
        await write({ credHelpers: { [server.host]: "davit-test" } });
        await pushes(server, { env });
      } finally {
        Deno.env.set("PATH", path);
      }
      await write({ credsStore: "davit-test-absent" });
      const error = await assertRejects(() => pushes(server, { env }), Error, "is not installed");
      assertEquals(failureOf(error).exit, 6);
    }),
);

registryTest(
  "openRegistryFor() takes certificates from flags and from a folder of hosts",
  () =>
    inFolder(async (folder) => {
      const authority = await Authority.make(folder);
      await using server = await LocalRegistry.start({
        tls: await authority.sign(),
        clientCa: authority.cert,
      });
      const { cert, key } = await authority.sign();
      await pushes(server, { flags: { ca: [authority.cert], cert, key } });
      await pushes(server, { flags: { skipVerify: true, cert, key } });
      const certs = join(folder, "certs.d", server.host);
      await Deno.mkdir(certs, { recursive: true });
      await Deno.writeTextFile(
        join(certs, "hosts.toml"),
        `server = "${server.url}"\nca = "${authority.cert}"\nclient = [["${cert}", "${key}"]]\n`,
      );
      await pushes(server, { flags: { hostsDir: [join(folder, "certs.d")] } });
      const error = await assertRejects(() => pushes(server, {}));
      const { exit, hint } = failureOf(error);
      assertEquals(exit, 7);
      assertStringIncludes(hint!, "--ca");
    }),
);

registryTest("failureOf() says what to do about a registry that wants a login", async () => {
  await using server = await LocalRegistry.start({ password: true });
  const { exit, hint, message } = failureOf(await assertRejects(() => pushes(server, {})));
  assertEquals(exit, 6);
  assertStringIncludes(
    message,
    `Cannot push image "${server.host}/app:v1": registry "${server.host}" wants credentials`,
  );
  assertStringIncludes(hint!, "--password-stdin");
  const { username } = account;
  const wrong = { flags: { user: username, passwordStdin: true }, stdin: "canary-wr0ng" };
  const refused = failureOf(await assertRejects(() => pushes(server, wrong)));
  assertEquals(refused.exit, 6);
  assert(!JSON.stringify(refused).includes("canary"));
});

Deno.test("openRegistryFor() refuses flags that do not go together, and passwords that others can read", async () => {
  const refused: [Run, string][] = [
    [{ flags: { user: "me:canary" } }, "Cannot take a password in --user"],
    [{ flags: { user: "me" } }, "go together"],
    [{ flags: { passwordStdin: true } }, "go together"],
    [{ flags: { user: "me", passwordStdin: true } }, "stdin is empty"],
    [{ flags: { cert: "/x" } }, "go together"],
    [{ flags: { ca: ["/nonexistent"] } }, 'Cannot read "/nonexistent": no such file'],
  ];
  for (const [run, reason] of refused) {
    const error = await assertRejects(() => open("example.com/app", run), UsageError, reason);
    assert(!error.message.includes("canary"));
  }
});

Deno.test("credentialsFiles() is where docker and podman look", () => {
  const files = (env: Record<string, string>) => credentialsFiles((name) => env[name]);
  assertEquals(files({}), []);
  assertEquals(files({ HOME: "/h" }), ["/h/.config/containers/auth.json", "/h/.docker/config.json"]);
  assertEquals(files({ HOME: "/h", XDG_RUNTIME_DIR: "/r", XDG_CONFIG_HOME: "/c", DOCKER_CONFIG: "/d" }), [
    "/d/config.json",
    "/r/containers/auth.json",
    "/c/containers/auth.json",
  ]);
  assertEquals(files({ HOME: "/h", REGISTRY_AUTH_FILE: "/f" }), ["/f"]);
});
