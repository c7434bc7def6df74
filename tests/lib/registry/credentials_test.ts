import { assertEquals, assertRejects } from "@std/assert";
import {
  configCredentials,
  type CredentialRequest,
  type CredentialsSource,
  fixedCredentials,
} from "../../../lib/registry/credentials.ts";

const canary = "canary-5ecret";
const pair = btoa(`me:${canary}`);

/** Files by path, and helpers by name: what they say, or the code with which they end. */
function sourceOf(files: Record<string, unknown>, helpers: Record<string, unknown> = {}) {
  const asked: string[] = [];
  const source: CredentialsSource = {
    readFile: (path) =>
      Promise.resolve(
        path in files
          ? typeof files[path] === "string" ? files[path] : JSON.stringify(files[path])
          : undefined,
      ),
    runHelper(name, server) {
      asked.push(`${name} ${server}`);
      const answer = helpers[name];
      return Promise.resolve(
        typeof answer === "number"
          ? { code: answer, stdout: canary }
          : typeof answer === "string"
          ? { code: 1, stdout: answer }
          : { code: 0, stdout: JSON.stringify(answer) },
      );
    },
  };
  return { source, asked };
}

function find(file: unknown, request: CredentialRequest, helpers?: Record<string, unknown>) {
  return configCredentials(["/f"], sourceOf({ "/f": file }, helpers).source)(request);
}

const app = { host: "a.example", repository: "team/app" };

Deno.test("configCredentials reads every form of an entry", async () => {
  const entry = async (entry: unknown) => await find({ auths: { "a.example": entry } }, app);
  const known = { username: "me", password: canary };
  assertEquals(await entry({ auth: pair }), known);
  assertEquals(await entry({ auth: btoa("me:a:b") }), { username: "me", password: "a:b" });
  assertEquals(await entry({ username: "me", password: canary }), known);
  assertEquals(await entry({ auth: pair, identitytoken: "t" }), { identityToken: "t" });
  assertEquals(await entry({ registrytoken: "t" }), { registryToken: "t" });
  assertEquals(await entry({}), undefined);
  assertEquals(await entry(1), undefined);
});

Deno.test("configCredentials takes the key that fits best", async () => {
  const entry = (username: string) => ({ username, password: "p" });
  const auths = {
    "a.example": entry("host"),
    "a.example/team": entry("team"),
    "a.example/team/app": entry("app"),
    "a.example/te": entry("never"),
    "https://b.example/v2/": entry("url"),
    "https://index.docker.io/v1/": entry("hub"),
  };
  const nameOf = async (host: string, repository: string) =>
    (await find({ auths }, { host, repository }) as { username: string } | undefined)?.username;
  assertEquals(await nameOf("a.example", "team/app"), "app");
  assertEquals(await nameOf("a.example", "team/app2"), "team");
  assertEquals(await nameOf("a.example", "other"), "host");
  assertEquals(await nameOf("b.example", "x"), "url");
  assertEquals(await nameOf("docker.io", "library/x"), "hub");
  assertEquals(await nameOf("a.example:5000", "x"), undefined);
  assertEquals(await nameOf("c.example", "x"), undefined);
});

Deno.test("configCredentials asks helpers first: that of the host, then that for all", async () => {
  const file = {
    auths: { "a.example": { auth: pair }, "b.example": {} },
    credHelpers: { "a.example": "own", "c.example": "none" },
    credsStore: "all",
  };
  const helpers = {
    own: { Username: "<token>", Secret: "t" },
    none: "credentials not found in native keychain",
    all: { Username: "me", Secret: "all" },
  };
  const { source, asked } = sourceOf({ "/f": file }, helpers);
  const credentials = configCredentials(["/f"], source);
  assertEquals(await credentials(app), { identityToken: "t" });
  for (const host of ["b.example", "c.example", "docker.io"]) {
    assertEquals(await credentials({ host, repository: "x" }), { username: "me", password: "all" });
  }
  assertEquals(asked, [
    "own a.example",
    "all b.example",
    "none c.example",
    "all c.example",
    "all https://index.docker.io/v1/",
  ]);
});

Deno.test("configCredentials goes on to the file when a helper knows nothing", async () => {
  const file = { auths: { "a.example": { auth: pair } }, credsStore: "all" };
  assertEquals(await find(file, app, { all: "credentials not found" }), { username: "me", password: canary });
});

Deno.test("configCredentials refuses what is malformed, and shows nothing of it", async () => {
  const cases: [unknown, string, Record<string, unknown>?][] = [
    [`{"auths":"${canary}`, "not valid JSON"],
    [[], "not a JSON object"],
    [{ auths: [] }, "auths is not an object"],
    [{ auths: { "a.example": { auth: "canary-5ecret" } } }, 'those of "a.example" are malformed'],
    [{ auths: { "a.example": { auth: btoa(canary) } } }, 'those of "a.example" are malformed'],
    [{ credsStore: "../x" }, "not the name of a helper"],
    [{ credsStore: "bad" }, "exit 3", { bad: 3 }],
    [{ credsStore: "bad" }, "lacks a secret", { bad: { Username: canary } }],
  ];
  for (const [file, reason, helpers] of cases) {
    const error = await assertRejects(() => find(file, app, helpers), SyntaxError, reason);
    assertEquals(error.message.includes(canary), false);
  }
});

Deno.test("configCredentials takes the first file that has some, and reads none twice", async () => {
  const { source } = sourceOf({ "/2": { auths: { "a.example": { auth: pair } } }, "/3": "nonsense" });
  let reads = 0;
  const credentials = configCredentials(["/1", "/2", "/3"], {
    ...source,
    readFile: (path) => (reads++, source.readFile(path)),
  });
  assertEquals(await credentials(app), { username: "me", password: canary });
  assertEquals(await credentials(app), { username: "me", password: canary });
  assertEquals(reads, 2);
});

Deno.test("fixedCredentials are for one host alone", async () => {
  const one = { username: "me", password: canary };
  const credentials = fixedCredentials("docker.io", one);
  assertEquals(await credentials({ host: "docker.io", repository: "x" }), one);
  assertEquals(await credentials({ host: "mirror.example", repository: "x" }), undefined);
});
