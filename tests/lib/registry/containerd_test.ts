import { assertEquals, assertRejects } from "@std/assert";
import { connect, FailedPreconditionError, openRegistry } from "../../../mod.ts";
import { HttpProxy, truncated } from "../../fault/http_proxy.ts";
import { buildImage } from "../../real/image_builder.ts";
import { randomLayer } from "../../real/layers.ts";
import { LocalRegistry } from "../../real/registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { pushImage } from "./images.ts";

realTest(
  "a blob goes from a registry that breaks off into containerd, which refuses other bytes",
  async (_t, containerd) => {
    await using server = await LocalRegistry.start();
    await using proxy = HttpProxy.start(server.url);
    const layer = await randomLayer(4_000_000, 1);
    const name = `${proxy.host}/app:v1`;
    await using registry = openRegistry({ retry: { firstWaitMs: 1 } });
    await pushImage(registry, name, await buildImage({ name, layers: [layer] }));
    await using client = await connect({ address: containerd.address });
    const { leases, content } = client.namespace(uniqueNamespace());
    await using _lease = await leases.acquire({ prefix: "test" });
    const { descriptor } = layer;
    const write = () => content.write(descriptor, (offset) => registry.blob(name, descriptor, { offset }));

    await Deno.writeFile(server.blobFile(descriptor.digest), new Uint8Array(descriptor.size));
    await assertRejects(write, FailedPreconditionError);
    await Deno.writeFile(server.blobFile(descriptor.digest), layer.bytes);
    let cuts = 0;
    proxy.fault = async (_, forward) => ++cuts <= 2 ? truncated(await forward(), 1_000_000) : undefined;
    const { digest, sentBytes } = await write();
    assertEquals([digest, sentBytes, cuts], [descriptor.digest, descriptor.size, 3]);
  },
  { series: ["2"] },
);
