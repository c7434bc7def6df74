import { assertEquals, assertRejects } from "@std/assert";
import { FetchTransport } from "../../../lib/transport/fetch.ts";
import { Content, Version } from "../../../lib/transport/methods.ts";
import { Relay } from "../../fault/relay.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

realTest(
  "a stream goes over fetch only with one request and an answer that is verified",
  async (_, containerd) => {
    await using relay = await Relay.start(containerd.address);
    await using transport = new FetchTransport(relay.path);
    const call = { namespace: uniqueNamespace(), action: "list content" };
    await transport.unary(Version.version, {}, call);
    const counts = relay.count();
    const endless = async function* () {
      for (;;) yield await Promise.resolve({});
    };
    const streams = [
      transport.stream(Content.list, [{}], call),
      transport.stream(Content.list, [{}, {}], { ...call, verified: true }),
      transport.stream(Content.list, endless(), { ...call, verified: true }),
    ];
    for (const stream of streams) {
      await assertRejects(() => Array.fromAsync(stream), TypeError, "not one request with a verified answer");
    }
    assertEquals(counts.seen, 0);
    await Array.fromAsync(transport.stream(Content.list, [{}], { ...call, verified: true }));
    assertEquals(counts.seen, 1);
  },
);
