import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { connect } from "davit";
import { thisOwner } from "../../../cli/owner.ts";
import type { Containerd } from "../../real/containerd.ts";
import { buildImage } from "../../real/image_builder.ts";
import { checkWithCtr } from "../../real/images.ts";
import { randomLayer } from "../../real/layers.ts";
import { run } from "../../real/process.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const main = fromFileUrl(new URL("../../../cli/main.ts", import.meta.url));
const layers = [await randomLayer(14 << 20, 7100), await randomLayer(8 << 20, 7101)];
const image = await buildImage({ name: "app:1", layers });

/** So much comes of each layer before the end. */
const firstBytes = 6 << 20;

/** What may have to come again of each blob. */
const maxAgain = 4 << 20;

realTest("images pull goes on where a SIGKILL of davit has ended it", async (_t, containerd) => {
  await using scene = await Scene.make(containerd);
  const davit = scene.pulling();
  await scene.written();
  davit.kill("SIGKILL");
  await scene.ended(davit);
  await scene.assertGoesOn();
});

realTest("images pull goes on where a SIGKILL of containerd has ended it", async (_t, containerd) => {
  await using scene = await Scene.make(containerd);
  const davit = scene.pulling();
  await scene.written();
  containerd.kill();
  await containerd.exited();
  const diedAt = performance.now();
  assertEquals((await davit.status).code, 7); // not only when its patience with the registry ends
  assert(performance.now() - diedAt < 20_000);
  await scene.ended(davit);
  await containerd.restart();
  await scene.assertGoesOn();
}, { fresh: true });

/** A registry behind a proxy that stops in the middle of each layer until the first pull is over, and counts bytes. */
class Scene implements AsyncDisposable {
  readonly #namespace = uniqueNamespace();
  readonly #containerd: Containerd;
  readonly #stock: StockedRegistry;
  /** Bytes of each layer. */
  #sent = new Map<string, number>();
  readonly #over = Promise.withResolvers<void>();

  private constructor(containerd: Containerd, stock: StockedRegistry) {
    this.#containerd = containerd;
    this.#stock = stock;
  }

  static async make(containerd: Containerd): Promise<Scene> {
    const stock = await StockedRegistry.start({ "app:1": image });
    const scene = new Scene(containerd, stock);
    stock.proxy.fault = async ({ method, path }, forward) => {
      const layer = layers.find(({ descriptor }) => path.endsWith(descriptor.digest));
      return method === "GET" && layer ? scene.#counted(await forward(), layer.descriptor.digest) : undefined;
    };
    return scene;
  }

  /** Starts a pull. */
  pulling(): Deno.ChildProcess {
    const [program = "", ...args] = this.#command;
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).spawn();
  }

  /** Resolves when containerd has most of what is to come. */
  async written(): Promise<void> {
    await using client = await connect({ address: this.#containerd.address });
    const { content } = client.namespace(this.#namespace);
    for (;;) {
      const statuses = await Array.fromAsync(content.listStatuses());
      if (statuses.filter(({ offset }) => offset >= firstBytes - maxAgain / 2).length === layers.length) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Resolves when the first pull has ended; what still comes until it has noticed does not count. */
  async ended({ status }: Deno.ChildProcess): Promise<Deno.CommandStatus> {
    const sent = new Map(this.#sent);
    this.#over.resolve();
    const ending = await status;
    this.#sent = sent;
    return ending;
  }

  /** The next pull gets what is left of the layers, and little more; then nothing holds it but the image. */
  async assertGoesOn(): Promise<void> {
    await using client = await connect({ address: this.#containerd.address, owner: thisOwner });
    const { leases, content } = client.namespace(this.#namespace);
    const kept = async () => (await Array.fromAsync(leases.list(), ({ id }) => id)).sort();
    assert((await kept()).length > 0);
    const labels = { "davit/operation": "images pull" };
    await using alive = await leases.acquire({ prefix: "alive", labels });
    await leases.create({ id: "foreign" });
    const before = new Map(this.#sent);

    const [program = "", ...args] = this.#command;
    await run(program, args);
    for (const { descriptor: { digest, size } } of layers) {
      const [first = 0, both = 0] = [before.get(digest), this.#sent.get(digest)];
      assert(first < size, `all of ${digest} came before the end`);
      assert(both - size <= maxAgain, `of ${size} bytes ${first} came before the end, and ${both} in all`);
    }
    const name = this.#stock.reference("app:1");
    assertEquals(
      await checkWithCtr(this.#containerd, this.#namespace),
      new Map([[name, "complete (3/3)"]]),
    );
    assertEquals(await kept(), [alive.id, "foreign"]);
    assertEquals(await Array.fromAsync(content.listStatuses()), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stock[Symbol.asyncDispose]();
  }

  get #command(): string[] {
    const place = ["-a", this.#containerd.address, "-n", this.#namespace];
    return [
      ...[Deno.execPath(), "run", "-A", "--quiet", main],
      ...[...place, "images", "pull", this.#stock.reference("app:1")],
    ];
  }

  #counted({ body, status, headers }: Response, digest: string): Response {
    const counted = new TransformStream<Uint8Array, Uint8Array>(
      {
        transform: async (piece, controller) => {
          const sent = (this.#sent.get(digest) ?? 0) + piece.length;
          if (sent > firstBytes) await this.#over.promise;
          this.#sent.set(digest, sent);
          controller.enqueue(piece);
        },
      },
      undefined,
      { highWaterMark: 0 },
    );
    return new Response(body!.pipeThrough(counted), { status, headers });
  }
}
