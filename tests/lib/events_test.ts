import { assert, assertEquals, assertRejects } from "@std/assert";
import { InvalidArgumentError } from "../../lib/errors.ts";
import type { Event } from "../../lib/events.ts";
import { join } from "@std/path";
import type { Containerd } from "../real/containerd.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";
import { connect } from "../../lib/client.ts";
import { runBusybox, runTest } from "./run/setting.ts";

/** Subscribes, does something, and collects the events up to one that is the last. */
async function eventsOf(
  events: AsyncIterable<Event>,
  { work, isLast, until = "first" }: {
    work: () => Promise<unknown>;
    isLast: (event: Event) => boolean;
    /** The event with whose arrival the work is not done again. */
    until?: "first" | "last";
  },
): Promise<Event[]> {
  const found: Event[] = [];
  const done = new AbortController();
  // Nothing says when a subscription has begun, so it is done until its events arrive.
  const repeat = async () => {
    while (!done.signal.aborted && (until === "last" || found.length === 0)) {
      await work();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const repeating = repeat();
  for await (const event of events) {
    found.push(event);
    if (isLast(event)) break;
  }
  done.abort();
  await repeating;
  return found;
}

/** What becomes of a container that runs once; the shim's events and containerd's own come in no fixed order. */
const lifeOfContainer = [
  "/containers/create",
  "/containers/delete",
  "/tasks/create",
  "/tasks/delete",
  "/tasks/exit",
  "/tasks/start",
];

runTest("events.subscribe() tells what becomes of a container, with all details", async ({ client }) => {
  const lives = new Map<unknown, Set<string>>();
  const isWhole = (life: ReadonlySet<string>) => lifeOfContainer.every((topic) => life.has(topic));
  const found = await eventsOf(client.events.subscribe({ filters: [`topic~="^/(tasks|containers)/"`] }), {
    work: () => runBusybox(client, ["sh", "-c", "exit 3"]),
    isLast({ topic, details }) {
      const id = topic.startsWith("/containers/") ? details.id : details.containerId;
      lives.set(id, (lives.get(id) ?? new Set()).add(topic));
      return isWhole(lives.get(id)!);
    },
    until: "last",
  });
  const life = [...lives.values()].find(isWhole)!;
  assertEquals([...life].toSorted(), lifeOfContainer);
  const exit = found.find(({ topic }) => topic === "/tasks/exit")!;
  assertEquals([exit.namespace, exit.type, exit.details.exitStatus], [client.name, "TaskExit", 3]);
  assert(exit.details.exitedAt instanceof Date && exit.timestamp instanceof Date);
});

realTest("events.subscribe() tells of its own namespace, or of all", async (_, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const [ours, theirs] = [uniqueNamespace(), uniqueNamespace()].map((name) => connection.namespace(name));
  const make = async (client: typeof ours) => {
    const name = `example.com/${crypto.randomUUID()}`;
    const target = { mediaType: "application/x", digest: `sha256:${"0".repeat(64)}`, size: 1 } as const;
    await client!.images.create({ name, target });
  };
  const both = async () => {
    await make(theirs);
    await make(ours);
  };
  const isOurs = ({ namespace }: Event) => namespace === ours!.name;
  const own = await eventsOf(ours!.events.subscribe(), { work: both, isLast: isOurs });
  assertEquals(new Set(own.map(({ namespace }) => namespace)), new Set([ours!.name]));
  assertEquals(own.map(({ type }) => type), ["ImageCreate"]);
  const all = await eventsOf(
    ours!.events.subscribe({ allNamespaces: true, filters: ['topic=="/images/create"'] }),
    { work: () => make(theirs), isLast: () => true }, // the subscription may begin between two events
  );
  assertEquals(all.map(({ namespace }) => namespace), [theirs!.name]);
}, { series: ["2"] });

realTest(
  "events.subscribe() refuses a filter that is none, and ends when its signal aborts",
  async (_, containerd) => {
    await using connection = await connect({ address: containerd.address });
    const { events } = connection.namespace(uniqueNamespace());
    await assertRejects(() => Array.fromAsync(events.subscribe({ filters: ["=="] })), InvalidArgumentError);
    const signal = AbortSignal.abort(new Error("enough"));
    await assertRejects(() => Array.fromAsync(events.subscribe({ signal })), Error, "enough");
  },
  { series: ["2"] },
);

const sentAt = new Date("2024-02-29T12:34:56.789Z");

realTest(
  "events.publish() and forward() tell davit and ctr, and forward() keeps all",
  async (_, containerd) => {
    await using connection = await connect({ address: containerd.address });
    const [here, there] = [uniqueNamespace(), uniqueNamespace()].map((name) => connection.namespace(name));
    const details = { containerId: "web", pid: 7, exitStatus: 3, exitedAt: sentAt };
    const exit = { topic: "/tasks/exit", type: "TaskExit", details: { ...details, id: "web" } };
    await using ctr = new CtrEvents(containerd);
    const filters = ['topic=="/tasks/exit"'];
    const began = Date.now();
    const [published] = await eventsOf(here!.events.subscribe({ filters }), {
      work: () => here!.events.publish(exit),
      isLast: () => true,
    });
    assertEquals(published, {
      ...exit,
      namespace: here!.name,
      timestamp: published!.timestamp,
      message: { typeUrl: "containerd.events.TaskExit", value: published!.message.value },
    });
    assert(Math.abs(published!.timestamp.getTime() - began) < 60_000);

    const forwarded = { ...published!, namespace: there!.name, timestamp: sentAt };
    assertEquals(
      await eventsOf(there!.events.subscribe({ filters }), {
        work: () => here!.events.forward(forwarded),
        isLast: () => true,
      }),
      [forwarded],
    );
    const pattern = /^2024-02-29 12:34:56\.789\S* \+0000 UTC (\S+) \/tasks\/exit (.*)$/m;
    const [, namespace, event] = await ctr.until(pattern, () => here!.events.forward(forwarded));
    assertEquals([namespace, JSON.parse(event!).exit_status], [there!.name, 3]);

    // Whatever davit does not know goes on as it came.
    const message = { typeUrl: "example.com/Custom", value: new Uint8Array([8, 1]) };
    const [custom] = await eventsOf(here!.events.subscribe({ filters: ['topic=="/custom"'] }), {
      work: () => here!.events.publish({ topic: "/custom", message }),
      isLast: () => true,
    });
    assertEquals([custom!.details, custom!.message], [{}, message]);
  },
);

realTest("events.publish() and forward() refuse what cannot be an event", async (_, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const { events } = connection.namespace(uniqueNamespace());
  const event = { topic: "/tasks/oom", type: "TaskOOM", details: {} };
  for (const topic of ["", "tasks", "/", "/tasks//oom", "/tasks oom"]) {
    await assertRejects(
      () => events.publish({ ...event, topic }),
      InvalidArgumentError,
      "Cannot publish event",
    );
  }
  const { message } = await assertRejects(
    () => events.publish({ ...event, type: "None" }),
    InvalidArgumentError,
  );
  assertEquals(message, 'Cannot publish event "None": containerd has no event of that type');
  const elsewhere = { ...event, namespace: "a b", timestamp: sentAt };
  await assertRejects(() => events.forward(elsewhere), InvalidArgumentError, "Cannot forward event");
});

/** A ctr that shows events. */
class CtrEvents implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #text = "";

  constructor({ address, release }: Containerd) {
    this.#child = new Deno.Command(join(release.bin, "ctr"), {
      args: ["--address", address, "events"],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#reading = this.#read();
  }

  /** Does something until it shows what it looks for; nothing says when its subscription has begun. */
  async until(pattern: RegExp, work: () => Promise<void>): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match) return match;
      await work();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) this.#text += text;
  }
}
