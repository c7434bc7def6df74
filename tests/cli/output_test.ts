import { assertEquals, assertRejects } from "@std/assert";
import { CliError } from "../../cli/errors.ts";
import { Output, OutputClosed } from "../../cli/output.ts";
import { CapturedIo } from "./captured_io.ts";

class RecordingIo extends CapturedIo {
  readonly writes: number[] = [];
  failure: Error | undefined;

  override async writeOut(bytes: Uint8Array): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (this.failure) throw this.failure;
    this.writes.push(bytes.length);
    await super.writeOut(bytes);
  }
}

Deno.test("Output gathers small texts and keeps their order", async () => {
  const io = new RecordingIo();
  const output = new Output(io);
  for (let line = 0; line < 50_000; line++) await output.write(`${line}\n`);
  await output.flush();
  assertEquals(io.stdout.split("\n").slice(0, -1), Array.from({ length: 50_000 }, (_, line) => `${line}`));
  assertEquals(io.writes.length < 20, true, `${io.writes.length} writes`);
});

Deno.test("Output does not keep a text back when no other follows", async () => {
  const io = new RecordingIo();
  const output = new Output(io);
  await output.write("event\n");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(io.stdout, "event\n");
});

Deno.test("Output announces each write", async () => {
  const io = new RecordingIo();
  const seen: string[] = [];
  const output = new Output(io, () => seen.push(io.stdout));
  await output.write("a");
  await output.flush();
  await output.write("b");
  await output.flush();
  assertEquals([seen, io.stdout], [["", "a"], "ab"]);
});

Deno.test("Output waits for a slow reader", async () => {
  const gate = Promise.withResolvers<void>();
  const io = new RecordingIo();
  io.writeOut = () => gate.promise;
  const output = new Output(io);
  let isTaken = false;
  await output.write("x");
  const writing = output.write("x".repeat(100_000)).then(() => isTaken = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(isTaken, false);
  gate.resolve();
  await writing;
});

Deno.test("Output tells a reader that is gone from other failures", async () => {
  const io = new RecordingIo();
  io.failure = new Deno.errors.BrokenPipe();
  const output = new Output(io);
  await output.write("a");
  await new Promise((resolve) => setTimeout(resolve, 5));
  await assertRejects(() => output.flush(), OutputClosed);
  io.failure = new Error("No space left on device (os error 28)");
  const full = new Output(io);
  await full.write("a");
  await assertRejects(
    () => full.flush(),
    CliError,
    "Cannot write the output: No space left on device (os error 28)",
  );
});

Deno.test("Output pours bytes as they are, behind the texts before them", async () => {
  const io = new RecordingIo();
  const parts: number[] = [];
  io.writeOut = (bytes) => {
    parts.push(...bytes);
    return Promise.resolve();
  };
  let announced = 0;
  const output = new Output(io, () => announced++);
  await output.write("a");
  await output.pour(ReadableStream.from([new Uint8Array([0, 255]), new Uint8Array([10])]));
  assertEquals([parts, announced], [[97, 0, 255, 10], 3]);
});

Deno.test("Output asks for the next bytes when the last ones are taken, and for none when the reader is gone", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const io = new RecordingIo();
  let written = 0;
  io.writeOut = () => gates[written++]!.promise;
  let asked = 0;
  let isEnded = false;
  const output = new Output(io);
  const pouring = output.pour((async function* () {
    try {
      for (;; asked++) yield new Uint8Array(1);
    } finally {
      isEnded = true;
    }
  })());
  const closed = assertRejects(() => pouring, OutputClosed);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals([asked, written], [0, 1]);
  gates[0]!.resolve();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals([asked, written, isEnded], [1, 2, false]);
  gates[1]!.reject(new Deno.errors.BrokenPipe());
  await closed;
  assertEquals([asked, isEnded], [1, true]);
});
