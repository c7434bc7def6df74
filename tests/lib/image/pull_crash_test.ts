import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { connect, openRegistry, pullImages } from "davit";
import { buildImage } from "../../real/image_builder.ts";
import { checkWithCtr } from "../../real/images.ts";
import { randomLayer } from "../../real/layers.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const main = fromFileUrl(new URL("../../../cli/main.ts", import.meta.url));
const image = await buildImage({ name: "app:1", layers: [await randomLayer(24 << 20, 7100)] });
const layer = [...image.blobs.keys()][0]!;

/** What may have to come again of each blob. */
const maxAgain = 4 << 20;

realTest("images pull goes on where a SIGKILL of davit has ended it", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await using stock = await StockedRegistry.start({ "app:1": image });
  const name = stock.reference("app:1");
  const sent = slowly(stock);
  const davit = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, "-a", containerd.address, "-n", namespace, "images", "pull", name],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await sent.atLeast(9 << 20);
  davit.kill("SIGKILL");
  await davit.status;
  await assertGoesOn({ stock, sent: sent.bytes, address: containerd.address, namespace });
  assertEquals(await checkWithCtr(containerd, namespace), new Map([[name, "complete (2/2)"]]));
});

realTest("pullImages() goes on where a SIGKILL of containerd has ended it", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await using stock = await StockedRegistry.start({ "app:1": image });
  const name = stock.reference("app:1");
  const sent = slowly(stock);
  {
    await using connection = await connect({ address: containerd.address });
    await using registry = openRegistry({ plainHttp: true });
    const pulling = Array.fromAsync(pullImages(connection.namespace(namespace), [name], { registry }));
    await sent.atLeast(9 << 20);
    containerd.kill();
    const [result] = await pulling;
    assertEquals([result?.status, result?.isKept], ["failed", true]);
    await containerd.exited();
  }
  await containerd.restart();
  await assertGoesOn({ stock, sent: sent.bytes, address: containerd.address, namespace });
  assertEquals(await checkWithCtr(containerd, namespace), new Map([[name, "complete (2/2)"]]));
}, { fresh: true });

/** Has the layer come in small pieces with some time between them, and counts its bytes. */
function slowly({ proxy }: StockedRegistry): { bytes: number; atLeast(bytes: number): Promise<void> } {
  const waiting = new Map<number, () => void>();
  const sent = {
    bytes: 0,
    atLeast: (bytes: number) => new Promise<void>((resolve) => waiting.set(bytes, resolve)),
  };
  proxy.fault = async ({ method, path }, forward) => {
    if (method !== "GET" || !path.endsWith(layer)) return undefined;
    const { body, status, headers } = await forward();
    const counted = new TransformStream<Uint8Array, Uint8Array>(
      {
        async transform(piece, controller) {
          controller.enqueue(piece);
          sent.bytes += piece.length;
          for (const [bytes, resolve] of waiting) if (sent.bytes >= bytes) resolve();
          await new Promise((resolve) => setTimeout(resolve, 1));
        },
      },
      undefined,
      { highWaterMark: 0 },
    );
    return new Response(body!.pipeThrough(counted), { status, headers });
  };
  return sent;
}

/** The next pull asks for what is left of the layer, and little more. */
async function assertGoesOn(
  { stock, sent, address, namespace }: {
    stock: StockedRegistry;
    sent: number;
    address: string;
    namespace: string;
  },
): Promise<void> {
  const size = image.blobs.get(layer)!.length;
  assert(sent < size, `all ${sent} bytes came before the end`);
  stock.proxy.fault = () => undefined;
  stock.proxy.requests.length = 0;
  await using connection = await connect({ address });
  await using registry = openRegistry({ plainHttp: true });
  const references = [stock.reference("app:1")];
  const [result] = await Array.fromAsync(
    pullImages(connection.namespace(namespace), references, { registry }),
  );
  assertEquals([result?.status, result?.error], ["pulled", undefined]);
  const asked = stock.proxy.seen(new RegExp(`GET .*${layer}`));
  assertEquals(asked.length, 1);
  const from = Number(/\d+/.exec(asked[0]!.headers.get("range") ?? "0"));
  assert(from > 0 && sent - from <= maxAgain, `${sent} bytes had come, and it went on from ${from}`);
}
