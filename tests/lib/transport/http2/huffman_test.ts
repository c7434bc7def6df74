import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../../../lib/transport/http2/http2_error.ts";
import { decodeHuffman } from "../../../../lib/transport/http2/huffman.ts";

Deno.test("decodeHuffman() knows the code of every byte", () => {
  // Of bytes 0, 1, 2, … as RFC 7541 has them in appendix B, where codes differ in length most.
  const codes: [byte: number, code: number, bits: number][] = [
    [0, 0x1ff8, 13],
    [1, 0x7fffd8, 23],
    [2, 0xfffffe2, 28],
    [9, 0xffffea, 24],
    [10, 0x3ffffffc, 30],
    [13, 0x3ffffffd, 30],
    [22, 0x3ffffffe, 30],
    [32, 0x14, 6],
    [35, 0xffa, 12],
    [48, 0x0, 5],
    [60, 0x7ffc, 15],
    [88, 0xfc, 8],
    [92, 0x7fff0, 19],
    [97, 0x3, 5],
    [124, 0x7fc, 11],
    [127, 0xffffffc, 28],
    [128, 0xfffe6, 20],
    [153, 0x1fffdc, 21],
    [179, 0x1fffe2, 21],
    [192, 0x3ffffe0, 26],
    [199, 0x1ffffec, 25],
    [203, 0x7ffffde, 27],
    [208, 0x7fff2, 19],
    [226, 0xfffed, 20],
    [249, 0xffffffe, 28],
    [255, 0x3ffffee, 26],
  ];
  const bits = codes.map(([, code, length]) => code.toString(2).padStart(length, "0")).join("");
  assertEquals(decodeHuffman(packed(bits)), String.fromCharCode(...codes.map(([byte]) => byte)));
});

Deno.test("decodeHuffman() takes nothing but the beginning of the string's end as padding", () => {
  assertEquals(decodeHuffman(Uint8Array.of()), "");
  assertEquals(decodeHuffman(Uint8Array.of(0b00011_111)), "a");
  const wrong = [
    Uint8Array.of(0b00011_110), // not ones
    Uint8Array.of(0b00011_111, 0xff), // a whole byte of them
    Uint8Array.of(0xff), // the same without a character before
    Uint8Array.of(0xff, 0xff, 0xff, 0xff), // the end of a string itself
  ];
  for (const bytes of wrong) assertThrows(() => decodeHuffman(bytes), ProtocolError, "a string that");
});

/** Bits as bytes, the last filled up with ones. */
function packed(bits: string): Uint8Array {
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (byte) => parseInt(byte, 2));
}
