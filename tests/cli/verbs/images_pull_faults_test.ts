/** What can go wrong on the way from a registry, and what the process of a pull makes of it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { fixedCredentials, openRegistry } from "davit";
import { mapConcurrent } from "../../../lib/concurrency.ts";
import { type Fault, HttpProxy, type SeenRequest, stalled, truncated } from "../../fault/http_proxy.ts";
import { assertNothingLeft, assertNothingOpen } from "../../lib/image/imported.ts";
import { pushImage } from "../../lib/registry/images.ts";
import { Authority } from "../../real/certificates.ts";
import { Containerd } from "../../real/containerd.ts";
import { Disk } from "../../real/disk.ts";
import { buildImage, type Image, parseJson } from "../../real/image_builder.ts";
import { multiPlatformImage } from "../../real/images.ts";
import { buildLayer, type Descriptor, randomLayer } from "../../real/layers.ts";
import { type Output, run } from "../../real/process.ts";
import { account, LocalRegistry } from "../../real/registry.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const main = fromFileUrl(new URL("../../../cli/main.ts", import.meta.url));
const [base, top] = [await randomLayer(1_000, 7800), await randomLayer(1_500_000, 7801)];
const image = await buildImage({ name: "app:1", layers: [base, top] });
const { config } = parseJson<{ config: Descriptor }>(image.blobs, image.target);
const thing = "application/vnd.example.thing+json";
const signature = "canary-s1gnature";

/** What no output may ever show. */
const secrets = [account.password, btoa(`${account.username}:${account.password}`), signature];

/** A pull that fails. */
interface Failure {
  fault?: Fault;
  /** @default "app:1" */
  repository?: string;
  /** Further arguments. */
  flags?: string[];
  exit: number;
  /** What the error says, and the hint if there is one. */
  says: string;
  hint?: string;
  /** Whether what came stays for the next pull. @default false */
  isKept?: boolean;
}

const layerIs = ({ method, path }: { method: string; path: string }) =>
  method === "GET" && path.endsWith(top.descriptor.digest);
const manifestIs = ({ path }: { path: string }) => path.includes("/manifests/");

/** Answers with what `change` makes of the right answer, where `applies`. */
function changed(
  applies: (request: { method: string; path: string }) => boolean,
  change: (answer: Response) => Response | Promise<Response>,
): Fault {
  return async (request, forward) => applies(request) ? await change(await forward()) : undefined;
}

function otherBytes(digest: string): Fault {
  return changed(({ method, path }) => method === "GET" && path.endsWith(digest), async (answer) => {
    const bytes = await answer.bytes();
    bytes[bytes.length >> 1]! ^= 1;
    return new Response(bytes, { headers: answer.headers });
  });
}

const failures: Record<string, Failure> = {
  "a layer of other bytes": {
    fault: otherBytes(top.descriptor.digest),
    exit: 1,
    says: `what the registry sends as ${top.descriptor.digest} is something else`,
  },
  "a config of other bytes": {
    fault: otherBytes(config.digest),
    exit: 1,
    says: `what the registry sends as ${config.digest} is something else`,
  },
  "a manifest of other bytes": {
    fault: otherBytes(image.target.digest),
    exit: 1,
    says: "sends something else than",
  },
  "a layer of another size": {
    fault: changed(layerIs, async (answer) => new Response((await answer.bytes()).subarray(9))),
    exit: 1,
    says: `not ${top.descriptor.size}`,
  },
  "a layer without end": {
    fault: changed(layerIs, async (answer) => {
      const bytes = await answer.bytes();
      return new Response(ReadableStream.from([bytes, bytes]));
    }),
    exit: 1,
    says: `sends more than the ${top.descriptor.size} bytes`,
  },
  "a layer that is not there": {
    fault: (request) => layerIs(request) ? new Response(null, { status: 404 }) : undefined,
    exit: 4,
    says: "not found in registry",
  },
  "a manifest of a type that is no image's": {
    fault: (request) =>
      manifestIs(request)
        ? Response.json({ mediaType: thing }, { headers: { "content-type": thing } })
        : undefined,
    exit: 1,
    says: `has "${thing}", which is no image`,
  },
  "a manifest of docker's schema 1": {
    fault: changed(manifestIs, (answer) => {
      answer.headers.set("content-type", "application/vnd.docker.distribution.manifest.v1+prettyjws");
      return answer;
    }),
    exit: 9,
    says: "only in docker's schema 1",
    hint: "push it again",
  },
  "an index without the platform": {
    repository: "multi:1",
    flags: ["--platform", "linux/s390x"],
    exit: 4,
    says: "it has no linux/s390x, only linux/amd64, linux/arm64",
    hint: "--platform OS/ARCH",
  },
  "a layer of another diff id": {
    repository: "wrong:1",
    exit: 1,
    says: `not ${base.diffId} as the image's config says`,
  },
  "a registry that forbids it": {
    fault: () => new Response(null, { status: 403 }),
    exit: 6,
    says: "forbids it",
  },
  "a registry that stays broken": {
    fault: (request) => layerIs(request) ? new Response(null, { status: 503 }) : undefined,
    exit: 7,
    says: "answers 503",
    isKept: true,
  },
  "a registry that is busy for longer than anybody waits": {
    fault: (request) =>
      layerIs(request) ? new Response(null, { status: 429, headers: { "retry-after": "3600" } }) : undefined,
    exit: 1,
    says: "it asks to wait for 3600 s",
    hint: "wait, or log in",
    isKept: true,
  },
  "a registry that is lost again and again": {
    fault: changed(layerIs, (answer) => truncated(answer, 0)),
    exit: 7,
    says: "connection lost",
    isKept: true,
  },
};

realTest("images pull fails in one clear line, and leaves only what is of use", async (_t, containerd) => {
  const other = await randomLayer(2_000, 7802);
  const wrong = await buildImage({ name: "x", layers: [{ ...other, diffId: base.diffId }] });
  const images = { "app:1": image, "multi:1": await multiPlatformImage({ seed: 7810 }), "wrong:1": wrong };
  await using scene = await Scene.make(containerd, images);
  await each(failures, async ({ fault, repository = "app:1", flags = [], isKept, ...expected }) => {
    await using proxy = scene.proxy(fault);
    const [namespace, name] = [uniqueNamespace(), `${proxy.host}/${repository}`];
    const pull = ["-n", namespace, "images", "pull", name];
    assertFails(await scene.davit(proxy, [...pull, ...flags]), { name, ...expected });
    assertEquals(await scene.images(namespace), []);
    if (!isKept) return await assertNothingLeft(containerd, namespace);
    proxy.fault = () => undefined;
    assertEquals((await scene.davit(proxy, pull)).code, 0);
    await assertNothingOpen(containerd, namespace);
  });
}, { series: ["2"], policy: "isolated" });

/** What keeps a pull from ever beginning. */
const inVain: Record<string, Pick<Failure, "fault" | "repository" | "flags" | "exit" | "says">> = {
  "an index without the platform": {
    ...failures["an index without the platform"]!,
  },
  "a manifest of another platform": {
    flags: ["--platform", "linux/s390x"],
    exit: 4,
    says: "it has no linux/s390x",
  },
  "a config of other bytes": {
    fault: otherBytes(config.digest),
    flags: ["--platform", "linux/amd64"],
    exit: 1,
    says: `what the registry sends as ${config.digest} is something else`,
  },
  "a tag that is not there": { repository: "app:2", exit: 4, says: "not found in registry" },
  "an account that is refused": { fault: () => new Response(null, { status: 401 }), exit: 6, says: "" },
  "a manifest that is not there": {
    fault: ({ path }) =>
      path.includes("/manifests/sha256:") ? new Response(null, { status: 404 }) : undefined,
    exit: 4,
    says: "not found in registry",
  },
};

realTest("images pull in vain does not even create the namespace", async (_t, containerd) => {
  const images = { "app:1": image, "multi:1": await multiPlatformImage({ seed: 7811 }) };
  await using scene = await Scene.make(containerd, images);
  const namespaces = async () => (await containerd.ctr(["namespaces", "ls", "-q"])).stdout.split("\n");
  await each(inVain, async ({ fault, repository = "app:1", flags = [], ...expected }) => {
    await using proxy = scene.proxy(fault);
    const [namespace, name] = [uniqueNamespace(), `${proxy.host}/${repository}`];
    const output = await scene.davit(proxy, ["-n", namespace, "images", "pull", name, ...flags]);
    assertFails(output, { name, ...expected });
    assert(!(await namespaces()).includes(namespace), output.stderr);
  });
});

/** A pull that succeeds all the same. */
interface Trouble {
  fault: Fault;
  /** The warnings. */
  warns?: RegExp[];
  /** How often the layer is asked for. @default 1 */
  requests?: number;
}

/** Does it with the first request that `applies`. */
function once(applies: (request: SeenRequest) => boolean, fault: Fault): Fault {
  let isOver = false;
  return (request, forward) => {
    if (isOver || !applies(request)) return undefined;
    isOver = true;
    return fault(request, forward);
  };
}

const troubles: Record<string, Trouble> = {
  "a registry that is busy for a moment": {
    fault: once(layerIs, () => new Response(null, { status: 429, headers: { "retry-after": "1" } })),
    warns: [/lets no more requests through for now; trying again in 2 s/],
    requests: 2,
  },
  "a registry that fails once": {
    fault: once(layerIs, () => new Response(null, { status: 503 })),
    warns: [/answers 503; trying again in 1 s/],
    requests: 2,
  },
  "a layer that breaks off": {
    fault: once(layerIs, async (_, forward) => truncated(await forward(), 300_000)),
    warns: [/connection lost: .*; trying again in 1 s/],
    requests: 2,
  },
  "a layer that breaks off, and no ranges": {
    fault: async (request, forward) => {
      if (!layerIs(request)) return undefined;
      const isAgain = request.headers.has("range");
      request.headers.delete("range");
      return isAgain ? await forward() : truncated(await forward(), 300_000);
    },
    warns: [/connection lost: .*; trying again in 1 s/],
    requests: 2,
  },
};

realTest("images pull gets over what passes, each byte written once", async (_t, containerd) => {
  await using scene = await Scene.make(containerd, { "app:1": image });
  await each(troubles, async ({ fault, warns = [], requests = 1 }) => {
    await using proxy = scene.proxy(fault);
    const [namespace, name] = [uniqueNamespace(), `${proxy.host}/app:1`];
    const pull = ["-n", namespace, "images", "pull", name, "-o", "json", "--log-format", "text"];
    const { code, stdout, stderr } = await scene.davit(proxy, pull);
    assertEquals(code, 0, stderr);
    const warnings = stderr.split("\n").filter((line) => /^warning: (?!Namespace)/.test(line));
    assertEquals(warnings.length, warns.length, stderr);
    for (const [i, pattern] of warns.entries()) assertMatch(warnings[i]!, pattern);
    assertEquals(proxy.requests.filter(layerIs).length, requests);
    const [{ size, bytesMoved }] = JSON.parse(stdout);
    assertEquals(bytesMoved, size);
    await assertNothingOpen(containerd, namespace);
  });
}, { series: ["2"], policy: "isolated" });

realTest("images pull follows redirects without what is secret", async (_t, containerd) => {
  await using scene = await Scene.make(containerd, { "app:1": image });
  await using elsewhere = scene.proxy(({ path }) => {
    const digest = /sha256:\w+/.exec(path)?.[0];
    return new Response(digest && image.blobs.get(digest));
  });
  await using proxy = scene.proxy(({ method, path }) => {
    if (method !== "GET" || !path.includes("/blobs/")) return undefined;
    const location = `http://${elsewhere.host}${path}?signature=${signature}`;
    return new Response(null, { status: 307, headers: { location } });
  });
  const [namespace, name] = [uniqueNamespace(), `${proxy.host}/app:1`];
  const { code, stderr } = await scene.davit(proxy, ["-n", namespace, "images", "pull", name, "--debug"]);
  assertEquals(code, 0, stderr);
  assertEquals(elsewhere.seen(new RegExp(`^GET .*signature=${signature}`)).length, 3);
  assert(proxy.seen(/blobs/).every(({ headers }) => headers.has("authorization")));
  assert(elsewhere.requests.every(({ headers }) => !headers.has("authorization")));
  assertEquals(await scene.images(namespace), [name]);

  elsewhere.fault = () => new Response(`no: ${signature}`, { status: 403 });
  const other = uniqueNamespace();
  const refused = await scene.davit(proxy, ["-n", other, "images", "pull", name, "--debug"]);
  assertFails(refused, { name, exit: 6, says: "forbids it: no: …" });
  await assertNothingLeft(containerd, other);
}, { series: ["2"], policy: "isolated" });

/** A helper that has the password, or not. */
interface Helper {
  /** The body of a shell script; there is none without. */
  script?: string;
  says: string;
}

const helpers: Record<string, Helper> = {
  "no helper": { says: "docker-credential-test is not installed" },
  "a helper that says something else": {
    script: `echo "${account.password} is it"`,
    says: "its answer is not JSON",
  },
  "a helper that lacks the secret": { script: `echo '{"Username":"x"}'`, says: "its answer lacks a secret" },
  "a helper that fails": { script: `echo ${account.password}; exit 3`, says: "exit 3" },
  "a helper that does not stop": {
    script: `yes ${account.password}`,
    says: "docker-credential-test says too much",
  },
  "a helper with the wrong password": {
    script: `echo '{"Username":"davit","Secret":"${account.password}-not"}'`,
    says: "refuses the credentials",
  },
};

realTest("images pull says what is wrong with a helper, but not what it says", async (_t, containerd) => {
  await using scene = await Scene.make(containerd, { "app:1": image });
  await each(helpers, async ({ script, says }) => {
    await using proxy = scene.proxy();
    const [namespace, name] = [uniqueNamespace(), `${proxy.host}/app:1`];
    const env = await scene.helper(script);
    const output = await scene.davit(proxy, ["-n", namespace, "images", "pull", name], env);
    assertFails(output, { name, exit: 6, says });
    await assertNothingLeft(containerd, namespace);
  });
}, { series: ["2"] });

realTest("images pull waits half a minute for a registry, and for a helper", async (_t, containerd) => {
  await using scene = await Scene.make(containerd, { "app:1": image });
  const stalling = async () => {
    await using proxy = scene.proxy(once(layerIs, async (_, forward) => stalled(await forward(), 500_000)));
    const [namespace, name] = [uniqueNamespace(), `${proxy.host}/app:1`];
    const { code, stderr } = await scene.davit(proxy, ["-n", namespace, "images", "pull", name]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "nothing came for 30 s; trying again in 1 s");
    assertEquals(proxy.requests.filter(layerIs).map(({ headers }) => headers.has("range")), [false, true]);
    await assertNothingOpen(containerd, namespace);
  };
  const hanging = async () => {
    await using proxy = scene.proxy();
    const [namespace, name] = [uniqueNamespace(), `${proxy.host}/app:1`];
    const env = await scene.helper(`sleep 60; echo ${account.password}`);
    const output = await scene.davit(proxy, ["-n", namespace, "images", "pull", name], env);
    assertFails(output, { name, exit: 6, says: "docker-credential-test did not answer within 30 s" });
  };
  await Promise.all([stalling(), hanging()]);
}, { series: ["2"], policy: "isolated", full: true });

realTest("images pull says what is wrong with a certificate", async (_t, containerd) => {
  await using scene = await Scene.make(containerd, {});
  const authority = await Authority.make(scene.folder);
  const certificates = {
    "its certificate has expired": { days: -1, hint: "it has to be renewed" },
    'its certificate is for "other.example"': { names: "DNS:other.example", hint: "use the name in" },
  };
  for (const [says, { hint, ...options }] of Object.entries(certificates)) {
    await using server = await LocalRegistry.start({ tls: await authority.sign(options), password: true });
    const [namespace, name] = [uniqueNamespace(), `${server.host}/app:1`];
    const pull = ["-n", namespace, "images", "pull", name, "--ca", authority.cert];
    assertFails(await scene.davit(server, pull), { name, exit: 7, says, hint });
    await assertNothingLeft(containerd, namespace);
  }
}, { series: ["2"] });

realTest(
  "images pull gives the room back when the disk is full, whatever it is at",
  async (_t, { release }) => {
    await using disk = await Disk.make("40m");
    await using containerd = await Containerd.start(release, {
      root: `${disk.path}/c`,
      collecting: "on request",
    });
    const zeros = await buildLayer({
      entries: [{ header: { name: "zeros", size: 8 << 20 }, body: new Uint8Array(8 << 20) }],
    });
    const layers = [await randomLayer(3 << 20, 7830), zeros];
    await using stock = await StockedRegistry.start({ "app:1": await buildImage({ name: "x", layers }) });
    const filler = `${disk.path}/filler`;
    const before = await disk.free();
    const name = stock.reference("app:1");
    const pull = () => program(containerd, ["pull", name]);
    // In KiB: as it unpacks the second or the first layer, commits the snapshot of that, downloads, begins.
    for (const room of [9000, 5000, 3130, 1000, 16]) {
      await disk.fill(filler, { leaving: room << 10 });
      const { code, stdout, stderr } = await pull();
      await Deno.remove(filler);
      assertEquals([code, stdout], [1, ""], stderr);
      assertEquals(stderr.match(/^davit: .*$/gm)?.map((line) => line.replace(/.*: /, "")), [
        "no space left on device",
      ]);
      if (room > 16) await assertNothingLeft(containerd, "default"); // else there may be none to delete a lease
    }
    assert(await disk.free() > before - (2 << 20), `${before} bytes were free, now ${await disk.free()}`);
    assertEquals((await pull()).code, 0);
    await assertNothingOpen(containerd, "default");
  },
  { series: ["2"] },
);

/** Checks that a pull of one image failed, and said so in one line. */
function assertFails(
  { code, stdout, stderr }: Output,
  { name, exit, says, hint }: Pick<Failure, "exit" | "says" | "hint"> & { name: string },
): void {
  assertEquals([code, stdout], [exit, ""], stderr);
  const errors = stderr.split("\n").filter((line) => line.startsWith("davit:"));
  assertEquals(errors.length, 1, stderr);
  assertStringIncludes(errors[0]!, `image "${name}"`);
  assertStringIncludes(errors[0]!, says);
  if (hint !== undefined) assertStringIncludes(stderr, `hint: ${hint}`);
}

/** Runs davit in a process of its own. */
async function program(
  { address }: Containerd,
  argv: string[],
  env: Record<string, string> = {},
): Promise<Output> {
  const args = ["run", "-A", "--quiet", main, "-a", address, ...argv];
  return await run(Deno.execPath(), args, { env, check: false });
}

/** A registry that wants a password, and a folder for the configuration that has it. */
class Scene implements AsyncDisposable {
  readonly folder: string;
  readonly #server: LocalRegistry;
  readonly #containerd: Containerd;

  private constructor(folder: string, server: LocalRegistry, containerd: Containerd) {
    this.folder = folder;
    this.#server = server;
    this.#containerd = containerd;
  }

  static async make(containerd: Containerd, images: Record<string, Image>): Promise<Scene> {
    const server = await LocalRegistry.start({ password: true });
    const scene = new Scene(await Deno.makeTempDir({ prefix: "davit-pull-" }), server, containerd);
    const credentials = fixedCredentials(server.host, account);
    await using registry = openRegistry({ plainHttp: true, credentials });
    for (const [name, image] of Object.entries(images)) {
      await pushImage(registry, `${server.host}/${name}`, image);
    }
    return scene;
  }

  proxy(fault: Fault = () => undefined): HttpProxy {
    const proxy = HttpProxy.start(this.#server.url);
    proxy.fault = fault;
    return proxy;
  }

  /** Runs the program, which knows the password for a host from docker's configuration; nothing it says is secret. */
  async davit({ host }: { host: string }, argv: string[], env: Record<string, string> = {}): Promise<Output> {
    const folder = join(this.folder, host);
    await Deno.mkdir(folder, { recursive: true });
    const auths = { [host]: { auth: btoa(`${account.username}:${account.password}`) } };
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ auths }));
    const output = await program(this.#containerd, argv, { DOCKER_CONFIG: folder, ...env });
    for (const secret of secrets) assert(!`${output.stdout}${output.stderr}`.includes(secret), output.stderr);
    return output;
  }

  /** The environment with a credential helper for everything. */
  async helper(script: string | undefined): Promise<Record<string, string>> {
    const folder = await Deno.makeTempDir({ dir: this.folder });
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ credsStore: "test" }));
    if (script !== undefined) {
      const path = join(folder, "docker-credential-test");
      await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    return { DOCKER_CONFIG: folder, PATH: `${folder}:${Deno.env.get("PATH")}` };
  }

  async images(namespace: string): Promise<string[]> {
    const { stdout } = await this.#containerd.ctr(["images", "ls", "-q"], { namespace });
    return stdout.split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Tries all cases, some at once, and says of each that fails which one it is. */
async function each<Case>(cases: Record<string, Case>, check: (one: Case) => Promise<void>): Promise<void> {
  const attempts = mapConcurrent(
    Object.entries(cases),
    async ([name, one]) => await check(one).then(() => [], (error) => [`${name}: ${error.message}`]),
    { limit: 4 },
  );
  assertEquals((await Array.fromAsync(attempts)).flat().join("\n\n"), "");
}
