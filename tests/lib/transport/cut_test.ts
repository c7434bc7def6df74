/** A call that is cut off on its way is sent once, and fails with what is known of its effect. */
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { ContainerdError, type Outcome, OutcomeUnknownError, UnavailableError } from "../../../lib/errors.ts";
import { Content, Leases, Version } from "../../../lib/transport/methods.ts";
import { type Cut, Relay } from "../../fault/relay.ts";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { uniqueNamespace } from "../../real/test.ts";
import { everyWay, openOver, transportTest } from "../both_transports.ts";

const places: Cut["at"][] = ["request", "answer", "headers", "message"];
const ends: Cut["by"][] = ["eof", "reset", "goAway", "cancel", "noError"];
const cuts: Cut[] = [
  ...places.flatMap((at) => ends.map((by) => ({ at, by }))),
  { at: "request", by: "refusedStream" }, // said later it would be a lie
];

/** What is known of a call that changes something. */
function outcomeOf({ at, by }: Cut): Outcome {
  return at === "request" && (by === "goAway" || by === "refusedStream") ? "not sent" : "unknown";
}

transportTest(
  "a write that is cut off is sent once, and known to be in doubt",
  async ({ containerd, over }) => {
    await using direct = await openOver(over, containerd.address);
    for (const [index, cut] of cuts.entries()) {
      await using relay = await Relay.start(containerd.address);
      await using transport = await openOver(over, relay.path);
      const call = { namespace: uniqueNamespace(), action: "create", resource: 'lease "l"' };
      const onUsedConnection = index % 2 === 0;
      if (onUsedConnection) await transport.unary(Version.version, {}, call);
      const counts = relay.cutNext(cut);
      const error = await assertRejects(
        () => transport.unary(Leases.create, { id: "l" }, call),
        ContainerdError,
      );
      const what = `${cut.at} ${cut.by}: ${error.message}`;
      const outcome = outcomeOf(cut);
      assertInstanceOf(error, outcome === "unknown" ? OutcomeUnknownError : UnavailableError, what);
      assertEquals(error.outcome, outcome, what);
      const applied = cut.at !== "request";
      assertEquals(counts, { seen: 1, passedOn: applied ? 1 : 0 }, what);
      const { leases } = await direct.unary(Leases.list, {}, call);
      assertEquals(leases.length, applied ? 1 : 0, what);
    }
  },
  { ways: everyWay },
);

transportTest("a read that is cut off is sent once, and is without effect", async ({ containerd, over }) => {
  for (const cut of cuts) {
    await using relay = await Relay.start(containerd.address);
    await using transport = await openOver(over, relay.path);
    const call = { namespace: uniqueNamespace(), action: "list leases" };
    const counts = relay.cutNext(cut);
    const error = await assertRejects(() => transport.unary(Leases.list, {}, call), UnavailableError);
    const what = `${cut.at} ${cut.by}: ${error.message}`;
    assertEquals(error.outcome, outcomeOf(cut) === "unknown" ? "no effect" : "not sent", what);
    assertEquals(counts, { seen: 1, passedOn: cut.at === "request" ? 0 : 1 }, what);
  }
}, { ways: everyWay });

transportTest("a stream that is cut off never looks complete", async ({ containerd, over }) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ layerBytes: 1_000_000 });
  await importWithCtr(containerd, namespace, ociArchive([image]));
  const [digest = ""] = [...image.blobs].find(([, bytes]) => bytes.length > 500_000) ?? [];
  for (const cut of cuts) {
    await using relay = await Relay.start(containerd.address);
    await using transport = await openOver(over, relay.path);
    const call = { namespace, action: "read" };
    for (const [method, request] of [[Content.list, {}], [Content.read, { digest }]] as const) {
      const counts = relay.cutNext(cut);
      const stream: AsyncIterable<unknown> = transport.stream<object, unknown>(method, [request], call);
      const error = await assertRejects(() => Array.fromAsync(stream), UnavailableError);
      assertEquals(counts, { seen: 1, passedOn: cut.at === "request" ? 0 : 1 }, error.message);
    }
  }
}, { ways: everyWay });
