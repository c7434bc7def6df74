/** What can go wrong on the way from a registry, and what the process of a pull makes of it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { fixedCredentials, openRegistry } from "davit";
import { mapConcurrently } from "../../../lib/concurrency.ts";
import { type Fault, HttpProxy, stalled, truncated } from "../../fault/http_proxy.ts";
import { assertNothingLeft, assertNothingOpen } from "../../lib/image/imported.ts";
import { pushImage } from "../../lib/registry/images.ts";
import type { Containerd } from "../../real/containerd.ts";
import { buildImage, type Image, parseJson } from "../../real/image_builder.ts";
import { checkWithCtr, multiPlatformImage } from "../../real/images.ts";
import { type Descriptor, randomLayer } from "../../real/layers.ts";
import { type Output, run } from "../../real/process.ts";
import { account, LocalRegistry } from "../../real/registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const main = fromFileUrl(new URL("../../../cli/main.ts", import.meta.url));
const [base, top] = [await randomLayer(1_000, 7800), await randomLayer(1_500_000, 7801)];
const image = await buildImage({ name: "app:1", layers: [base, top] });
const { config } = parseJson<{ config: Descriptor }>(image.blobs, image.target);
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

function typed(contentType: string): Fault {
  return changed(manifestIs, (answer) => {
    answer.headers.set("content-type", contentType);
    return answer;
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
    fault: typed("application/vnd.example.thing+json"),
    exit: 1,
    says: "x",
  },
  "a manifest of docker's schema 1": {
    fault: typed("application/vnd.docker.distribution.manifest.v1+prettyjws"),
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

realTest("images pull fails in one clear line, and leaves nothing but what helps", async (_t, containerd) => {
  const other = await randomLayer(2_000, 7802);
  const wrong = await buildImage({ name: "x", layers: [{ ...other, diffId: base.diffId }] });
  const images = { "app:1": image, "multi:1": await multiPlatformImage({ seed: 7810 }), "wrong:1": wrong };
  await using scene = await Scene.make(containerd, images);
  await each(failures, async ({ fault, repository = "app:1", flags = [], exit, says, hint, isKept }) => {
    await using proxy = scene.proxy(fault);
    const namespace = uniqueNamespace();
    const name = `${proxy.host}/${repository}`;
    const pull = (...flags: string[]) =>
      scene.davit(proxy, ["-n", namespace, "images", "pull", name, ...flags]);
    const { code, stdout, stderr } = await pull(...flags, "--debug");
    console.log(stderr);
    assertEquals([code, stdout], [exit, ""], stderr);
    const errors = stderr.split("\n").filter((line) => line.startsWith("davit:"));
    assertEquals(errors.length, 1, stderr);
    assertStringIncludes(errors[0]!, `davit: Cannot pull image "${name}"`);
    assertStringIncludes(errors[0]!, says);
    assertEquals([/^hint: (.*)$/m.exec(stderr)?.[1]?.slice(0, hint?.length)], [hint]);
    assertEquals(await scene.images(namespace), []);
    if (!isKept) return await assertNothingLeft(containerd, namespace);
    proxy.fault = () => undefined;
    proxy.requests.length = 0;
    assertEquals((await pull()).code, 0);
    assertEquals(proxy.seen(new RegExp(base.descriptor.digest)).length, 0);
    await assertNothingOpen(containerd, namespace);
  });
}, { series: ["2"] });

/** A registry that wants a password, and a folder for the configuration that has it. */
class Scene implements AsyncDisposable {
  readonly #folder: string;
  readonly #server: LocalRegistry;
  readonly #containerd: Containerd;

  private constructor(folder: string, server: LocalRegistry, containerd: Containerd) {
    this.#folder = folder;
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

  /** Runs the program, which knows the password for a proxy from docker's configuration; nothing it says is secret. */
  async davit({ host }: HttpProxy, argv: string[], env: Record<string, string> = {}): Promise<Output> {
    const folder = join(this.#folder, host);
    await Deno.mkdir(folder, { recursive: true });
    const auths = { [host]: { auth: btoa(`${account.username}:${account.password}`) } };
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ auths }));
    const output = await run(
      Deno.execPath(),
      ["run", "-A", "--quiet", main, "-a", this.#containerd.address, ...argv],
      { env: { DOCKER_CONFIG: folder, ...env }, check: false },
    );
    for (const secret of secrets) assert(!`${output.stdout}${output.stderr}`.includes(secret), output.stderr);
    return output;
  }

  async images(namespace: string): Promise<string[]> {
    const { stdout } = await this.#containerd.ctr(["images", "ls", "-q"], { namespace });
    return stdout.split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Tries all cases, some at once, and says of each that fails which one it is. */
async function each<Case>(cases: Record<string, Case>, check: (one: Case) => Promise<void>): Promise<void> {
  const attempts = mapConcurrently(Object.entries(cases), {
    limit: 4,
    work: async ([name, one]) => await check(one).then(() => [], (error) => [`${name}: ${error.message}`]),
  });
  assertEquals((await Array.fromAsync(attempts)).flat().join("\n\n"), "");
}
