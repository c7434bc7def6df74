import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { run } from "../../../cli/app.ts";
import { fixedCredentials, openRegistry } from "../../../mod.ts";
import { pushImage } from "../../lib/registry/images.ts";
import { Authority } from "../../real/certificates.ts";
import { busyboxImage, checkWithCtr, randomImage } from "../../real/images.ts";
import type { Output } from "../../real/process.ts";
import { account, LocalRegistry } from "../../real/registry.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { CapturedIo } from "../captured_io.ts";
import { davit } from "./davit.ts";

realTest(
  "davit pull fetches an image once for two namespaces, and removing it in one leaves the other",
  async (_t, containerd) => {
    const [one, other] = [uniqueNamespace("one"), uniqueNamespace("other")];
    const image = await busyboxImage();
    await using stock = await StockedRegistry.start({ "library/redis:alpine": image });
    const name = stock.reference("library/redis:alpine");
    const first = await davit(containerd, ["pull", name], { env: { CONTAINERD_NAMESPACE: one } });
    assertEquals(first.code, 0, first.stderr);
    const [titles, row] = first.stdout.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
    assertEquals(titles, ["REF", "DIGEST", "SIZE", "STATUS", "MOVED", "CHAIN ID"]);
    assertEquals([row![0], row![1], row![3]], [name, image.target.digest, "pulled"]);
    assertEquals(row![2], row![4]);
    assertMatch(row![5]!, /^sha256:[0-9a-f]{64}$/);

    stock.proxy.requests.length = 0;
    const second = await davit(containerd, ["-n", other, "images", "pull", name, "-o", "json"]);
    assertEquals(JSON.parse(second.stdout)[0].bytesMoved, 0);
    assertEquals(stock.downloads(), 0);
    const names = async (namespace: string) =>
      (await davit(containerd, ["-n", namespace, "images", "ls", "-q"])).stdout;
    assertEquals([await names(one), await names(other)], [`${name}\n`, `${name}\n`]);
    await davit(containerd, ["-n", one, "images", "rm", name]);
    assertEquals([await names(one), await names(other)], ["", `${name}\n`]);
    assertEquals(await checkWithCtr(containerd, other), new Map([[name, "complete (2/2)"]]));
    const command = ["run", "--rm", name, uniqueNamespace("id"), "echo", "still here"];
    assertEquals((await containerd.ctr(command, { namespace: other })).stdout, "still here\n");
    assertEquals((await davit(containerd, ["-n", other, "pull", name, "-q"])).stdout, `${name}\n`);
  },
);

realTest(
  "images pull goes on with the other images when one fails, and says what to do",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    await using stock = await StockedRegistry.start({ "app:1": await randomImage({ seed: 7700 }) });
    const [name, absent] = [stock.reference("app:1"), stock.reference("none:1")];
    const pull = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", "pull", ...argv]);
    const both = await pull(absent, name, "-q");
    assertEquals([both.code, both.stdout], [3, `${name}\n`]);
    assertStringIncludes(both.stderr, `Cannot pull image "${absent}"`);
    assertEquals((await pull(absent)).code, 4);
    const platform = await pull(name, "--platform", "linux/arm64");
    assertEquals(platform.code, 4);
    assertStringIncludes(platform.stderr, "it has no linux/arm64, only linux/amd64\nhint: --platform");
    assertEquals((await pull(name, "--platform", "linux/arm64", "--all-platforms")).code, 2);
    assertEquals((await pull("127.0.0.1:1/UPPER")).code, 2);
    const habit = await pull(name, "--tlscacert", "x");
    assertEquals(habit.code, 2);
    assertStringIncludes(habit.stderr, "--ca");
    const unpacked = await pull(name, "--no-unpack", "--label", "team=a", "-o", "json");
    assertEquals(JSON.parse(unpacked.stdout)[0].chainIds, []);
    const absentSnapshotter = await pull(name, "--snapshotter", "nowhere");
    assertStringIncludes(absentSnapshotter.stderr, 'snapshotter "nowhere"');
    assertEquals(absentSnapshotter.code, 2);
    const nowhere = await pull("127.0.0.1:1/app:1");
    assertEquals(nowhere.code, 7);
  },
  { series: ["2"] },
);

realTest(
  "images pull logs in over a private authority's TLS, and tells nobody the password",
  async (_t, containerd) => {
    const folder = await Deno.makeTempDir({ prefix: "davit-pull-" });
    try {
      const authority = await Authority.make(folder);
      await using server = await LocalRegistry.start({ tls: await authority.sign(), password: true });
      const [name, tls] = [`${server.host}/app:1`, { ca: [await authority.pem()] }];
      const image = await randomImage({ seed: 7710 });
      {
        await using registry = openRegistry({ tls, credentials: fixedCredentials(server.host, account) });
        await pushImage(registry, name, image);
      }
      const outputs: Output[] = [];
      const pull = async (flags: string[], { stdin = "", env = {} } = {}) => {
        const argv = ["-a", containerd.address, "-n", uniqueNamespace(), "--debug", "pull", name, ...flags];
        const io = new TypedIo(stdin, env);
        const code = await run(argv, io);
        outputs.push({ code, stdout: io.stdout, stderr: io.stderr });
        return outputs.at(-1)!;
      };
      const { username, password } = account;
      const login = ["--user", username, "--password-stdin"];
      const typed = await pull(["--ca", authority.cert, ...login], { stdin: `${password}\n` });
      assertEquals(typed.code, 0, typed.stderr);
      const auths = { [server.host]: { auth: btoa(`${username}:${password}`) } };
      await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ auths }));
      assertEquals((await pull(["--ca", authority.cert], { env: { DOCKER_CONFIG: folder } })).code, 0);
      assertEquals((await pull(["--skip-verify"], { env: { DOCKER_CONFIG: folder } })).code, 0);

      const unknown = await pull(["--ca", authority.cert]);
      assertEquals(unknown.code, 6);
      assertStringIncludes(unknown.stderr, "wants credentials");
      assertStringIncludes(unknown.stderr, "--password-stdin");
      const wrong = await pull(["--ca", authority.cert, ...login], { stdin: "canary-wr0ng" });
      assertEquals(wrong.code, 6);
      const untrusted = await pull([]);
      assertEquals(untrusted.code, 7);
      assertStringIncludes(untrusted.stderr, "--ca");
      const secrets = [password, btoa(`${username}:${password}`), "canary-wr0ng"];
      for (const { stdout, stderr } of outputs) {
        for (const secret of secrets) assert(!`${stdout}${stderr}`.includes(secret), stderr);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  { series: ["2"] },
);

realTest("images pull shows a tree in the words of 2017, and what it came to", async (_t, containerd) => {
  await using stock = await StockedRegistry.start({ "app:1": await randomImage({ seed: 7720 }) });
  const name = stock.reference("app:1");
  const argv = ["-a", containerd.address, "-n", uniqueNamespace(), "pull", name];
  const io = new CapturedIo({ terminal: { columns: 100, rows: 30, colour: false, showsOutput: false } });
  assertEquals(await run(argv, io), 0);
  const last = io.stderr.slice(io.stderr.lastIndexOf(`${name}:`)).replaceAll("\x1b[K", "").split("\n");
  assertEquals(last.slice(1, 5).map((line) => line.trim().split(/ +/)[0]), [
    "manifest",
    "config",
    "layer",
    "layer",
  ]);
  for (const line of last.slice(1, 5)) assertMatch(line, / done +\|\++\|$/);
  assertMatch(last[5]!, /^elapsed: \d+\.\d s {2}total: 1\d\d\.\d KiB \(/);
  const json = await davit(containerd, [...argv.slice(2), "--log-format", "json", "--progress", "json"]);
  const states = json.stderr.trimEnd().split("\n").flatMap((line) => JSON.parse(line).items ?? []);
  assert(states.some(({ state }) => state === "exists"));
}, { series: ["2"] });

/** Somebody types, or pipes, into it. */
class TypedIo extends CapturedIo {
  readonly #stdin: string;

  constructor(stdin: string, env: Record<string, string>) {
    super({ env });
    this.#stdin = stdin;
  }

  override stdin(): ReadableStream<Uint8Array> {
    return ReadableStream.from([new TextEncoder().encode(this.#stdin)]);
  }
}
