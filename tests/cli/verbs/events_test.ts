import { assertEquals, assertMatch } from "@std/assert";
import { run } from "../../../cli/app.ts";
import { Interrupted } from "../../../cli/errors.ts";
import { connect } from "../../../mod.ts";
import { someImage } from "../../lib/some_image.ts";
import type { Containerd } from "../../real/containerd.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { CapturedIo } from "../captured_io.ts";
import { spawnDavit } from "../spawn_davit.ts";

realTest(
  "events goes on when containerd is killed and comes back, and says what that means",
  async (_t, containerd) => {
    const [here, there] = [uniqueNamespace("here"), uniqueNamespace("there")];
    const flags = ['topic=="/images/create"', "-o", "jsonl"];
    await using own = new Watch(containerd, ["-n", here, "events", ...flags]);
    await using all = new Watch(containerd, ["events", "-A", ...flags]);
    // Nothing says when a subscription has begun.
    const until = async (what: string) => {
      const seenBy = ({ rows }: Watch) =>
        new Set(
          rows.filter(({ details }) => details.name.startsWith(what)).map(({ namespace }) => namespace),
        );
      while (seenBy(own).size < 1 || seenBy(all).size < 2) {
        for (const namespace of [there, here]) await makeImage(containerd, { namespace, what });
      }
    };
    await until("example.com/before");
    containerd.kill();
    await containerd.exited();
    await containerd.restart();
    await until("example.com/after");
    assertEquals(new Set(own.rows.map(({ namespace }) => namespace)), new Set([here]));
    assertEquals(new Set(all.rows.map(({ namespace }) => namespace)), new Set([here, there]));
    for (const watch of [own, all]) {
      assertEquals(new Set(watch.rows.map(({ type }) => type)), new Set(["ImageCreate"]));
      assertMatch(watch.stderr, /trying again, what happens meanwhile is missed/);
      assertEquals(await watch.end(), 130);
    }
  },
  { fresh: true },
);

realTest(
  "events ends at once when nobody reads it any more, without another event",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const davit = spawnDavit(containerd, ["-n", namespace, "events", "-o", "jsonl"]);
    const output = davit.stdout.getReader();
    let seen = false;
    const reading = output.read().then(() => seen = true);
    while (!seen) {
      await makeImage(containerd, { namespace, what: "example.com/any" });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await reading;
    await output.cancel();
    const [{ code }, errors] = await Promise.all([davit.status, new Response(davit.stderr).text()]);
    assertEquals([code, errors], [0, ""]);
  },
  { series: ["2"] },
);

async function makeImage(
  { address }: Containerd,
  { namespace, what }: { namespace: string; what: string },
): Promise<void> {
  await using client = await connect({ address });
  const { name, target } = someImage(`${what}-${crypto.randomUUID()}`);
  await client.namespace(namespace).images.create({ name, target });
}

interface Row {
  namespace: string;
  type: string;
  details: { name: string };
}

/** A davit that shows events, and those that it has shown. */
class Watch implements AsyncDisposable {
  readonly rows: Row[] = [];
  readonly #io = new CapturedIo();
  readonly #interruption = new AbortController();
  readonly #exit: Promise<number>;

  constructor({ address }: Containerd, argv: string[]) {
    this.#io.writeOut = (bytes) => {
      const lines = new TextDecoder().decode(bytes).trim().split("\n");
      this.rows.push(...lines.map((line) => JSON.parse(line)));
      return Promise.resolve();
    };
    this.#exit = run(["-a", address, ...argv], this.#io, { signal: this.#interruption.signal });
  }

  get stderr(): string {
    return this.#io.stderr;
  }

  async end(): Promise<number> {
    this.#interruption.abort(new Interrupted("SIGINT"));
    return await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
