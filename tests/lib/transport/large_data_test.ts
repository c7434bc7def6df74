import { assertEquals } from "@std/assert";
import { withLargeData } from "../../../lib/transport/large_data.ts";
import {
  ContentDefinition,
  WriteAction,
  WriteContentRequest,
} from "../../../proto/gen/containerd/services/content/v1/content.ts";

Deno.test("withLargeData() encodes what the generated code reads back", () => {
  const { requestType } = withLargeData(ContentDefinition).methods.write;
  for (const size of [0, 1, 127, 128, 16_383, 16_384, 1 << 20]) {
    const data = new Uint8Array(size).fill(7);
    const request = WriteContentRequest.fromPartial({
      action: WriteAction.WRITE,
      ref: "r",
      total: 1n << 40n,
      expected: "sha256:0",
      offset: 5n,
      labels: { a: "b" },
      data,
    });
    const bytes = requestType.encode(request).finish();
    assertEquals(WriteContentRequest.decode(bytes), request);
    assertEquals(bytes.length, WriteContentRequest.encode(request).finish().length);
    assertEquals(request.data.length, size);
  }
});

Deno.test("withLargeData() leaves the bytes of a blob where they are", () => {
  const { requestType } = withLargeData(ContentDefinition).methods.write;
  const request = WriteContentRequest.fromPartial({ ref: "r", data: new Uint8Array(1 << 20).fill(7) });
  const encoded: { parts?(): readonly Uint8Array[]; finish(): Uint8Array } = requestType.encode(request);
  const parts = encoded.parts!();
  assertEquals(parts.at(-1)!.buffer, request.data.buffer);
  assertEquals(new Uint8Array(parts.flatMap((part) => [...part])), encoded.finish());
});
