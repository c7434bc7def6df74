import { assertEquals, assertThrows } from "@std/assert";
import { encodeHeaders, type Header, HeaderDecoder } from "../../../../lib/transport/http2/hpack.ts";
import { ProtocolError } from "../../../../lib/transport/http2/http2_error.ts";

const listBytes = 10_000;

/** RFC 7541, appendices C.3 to C.6: blocks of one connection each. */
const examples: { name: string; tableBytes: number; blocks: [hex: string, headers: string[]][] }[] = [
  {
    name: "requests without Huffman codes",
    tableBytes: 4096,
    blocks: [
      ["828684410f7777772e6578616d706c652e636f6d", requestLines()],
      ["828684be58086e6f2d6361636865", requestLines("cache-control: no-cache")],
      ["828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", secureLines()],
    ],
  },
  {
    name: "requests with Huffman codes",
    tableBytes: 4096,
    blocks: [
      ["828684418cf1e3c2e5f23a6ba0ab90f4ff", requestLines()],
      ["828684be5886a8eb10649cbf", requestLines("cache-control: no-cache")],
      ["828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", secureLines()],
    ],
  },
  {
    name: "answers without Huffman codes that evict each other",
    tableBytes: 256,
    blocks: [
      [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470" +
        "733a2f2f7777772e6578616d706c652e636f6d",
        answerLines("302", 21),
      ],
      ["4803333037c1c0bf", answerLines("307", 21)],
      [
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b" +
        "48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
        lastAnswerLines(),
      ],
    ],
  },
  {
    name: "answers with Huffman codes that evict each other",
    tableBytes: 256,
    blocks: [
      [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82" +
        "ae43d3",
        answerLines("302", 21),
      ],
      ["4883640effc1c0bf", answerLines("307", 21)],
      [
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5" +
        "af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        lastAnswerLines(),
      ],
    ],
  },
];

for (const { name, tableBytes, blocks } of examples) {
  Deno.test(`HeaderDecoder reads the RFC's ${name}`, () => {
    const decoder = new HeaderDecoder({ tableBytes, listBytes });
    for (const [block, expected] of blocks) assertEquals(lines(decoder.decode(hex(block))), expected);
  });
}

Deno.test("HeaderDecoder reads every form of a header (RFC 7541, appendix C.2)", () => {
  const forms: [string, string][] = [
    ["400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header"],
    ["040c2f73616d706c652f70617468", ":path: /sample/path"],
    ["100870617373776f726406736563726574", "password: secret"],
    ["82", ":method: GET"],
  ];
  for (const [block, expected] of forms) {
    assertEquals(lines(new HeaderDecoder({ listBytes }).decode(hex(block))), [expected]);
  }
});

Deno.test("HeaderDecoder empties its table when told to, and no larger one is taken", () => {
  const decoder = new HeaderDecoder({ listBytes });
  decoder.decode(hex("400161" + "0162")); // a: b, kept
  assertEquals(lines(decoder.decode(hex("be"))), ["a: b"]);
  assertEquals(lines(decoder.decode(hex("203fe11f" + "82"))), [":method: GET"]); // 0 bytes, then 4,096
  assertThrows(() => decoder.decode(hex("be")), ProtocolError, "there is no number 62");
  assertThrows(() => decoder.decode(hex("3fe21f")), ProtocolError, "a table of 4097 bytes");
  assertThrows(() => decoder.decode(hex("8220")), ProtocolError, "changes midway");
});

Deno.test("HeaderDecoder keeps no header that is larger than its table", () => {
  const decoder = new HeaderDecoder({ tableBytes: 64, listBytes });
  decoder.decode(hex("400161" + "0162"));
  const long = encodeInteger(100) + "78".repeat(100);
  assertEquals(decoder.decode(hex("400163" + long)), [["c", "x".repeat(100)]]);
  assertThrows(() => decoder.decode(hex("be")), ProtocolError, "there is no number 62");
});

Deno.test("HeaderDecoder refuses what is malformed", () => {
  const blocks: [string, string][] = [
    ["80", "there is no number 0"],
    ["be", "there is no number 62"],
    ["ffffffffff7f", "a number too large"],
    ["ffffffff", "they break off"],
    ["ff", "they break off"],
    ["40", "they break off"],
    ["400561", "they break off"],
    ["40016105", "they break off"],
    ["4081ff0161", "a string that"],
  ];
  for (const [block, reason] of blocks) {
    assertThrows(() => new HeaderDecoder({ listBytes }).decode(hex(block)), ProtocolError, reason, block);
  }
});

Deno.test("HeaderDecoder bounds what few bytes can stand for", () => {
  const decoder = new HeaderDecoder({ listBytes });
  decoder.decode(hex("400161" + encodeInteger(3_000) + "78".repeat(3_000)));
  const [, [, value] = []] = decoder.decode(hex("bebe"));
  assertEquals(value?.length, 3_000);
  assertThrows(() => decoder.decode(hex("be".repeat(4))), ProtocolError, "headers of more than 10000 bytes");
});

Deno.test("encodeHeaders() writes what HeaderDecoder reads, and keeps nothing in its table", () => {
  const headers: Header[] = [
    [":method", "POST"],
    [":path", "/containerd.services.version.v1.Version/Version"],
    ["te", "trailers"],
    ["long", "x".repeat(50_000)],
    ["", ""],
  ];
  const decoder = new HeaderDecoder({ tableBytes: 0, listBytes: 100_000 });
  assertEquals(decoder.decode(encodeHeaders(headers, { isFirst: true })), headers);
  assertEquals(decoder.decode(encodeHeaders(headers)), headers);
  assertEquals([...encodeHeaders([[":method", "POST"]], { isFirst: true })], [0x20, 0x83]);
});

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

/** The length of a string, as it stands before one without Huffman codes. */
function encodeInteger(value: number): string {
  const bytes = value < 127 ? [value] : [127, (value - 127) & 127 | 128, (value - 127) >> 7];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function lines(headers: Header[]): string[] {
  return headers.map(([name, value]) => `${name}: ${value}`);
}

function requestLines(...more: string[]): string[] {
  return [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", ...more];
}

function secureLines(): string[] {
  return [
    ":method: GET",
    ":scheme: https",
    ":path: /index.html",
    ":authority: www.example.com",
    "custom-key: custom-value",
  ];
}

function answerLines(status: string, second: number): string[] {
  return [
    `:status: ${status}`,
    "cache-control: private",
    `date: Mon, 21 Oct 2013 20:13:${second} GMT`,
    "location: https://www.example.com",
  ];
}

function lastAnswerLines(): string[] {
  return [
    ...answerLines("200", 22),
    "content-encoding: gzip",
    "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
  ];
}
