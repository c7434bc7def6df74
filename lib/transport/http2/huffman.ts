/** The Huffman code of HPACK: RFC 7541, appendix B. */
import { ProtocolError } from "./http2_error.ts";

/**
 * How many bits the code of each byte has, and last that of the end of a string, as digits in base 36. Codes of equal
 * length follow each other in the order of their bytes, and longer codes follow shorter ones, so this says it all.
 */
const lengths = "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad677777777777777777777" +
  "77878djde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmo" +
  "lmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

const endOfString = 256;

/** The codes of one length: the first of them, and the bytes that they and the ones after it stand for. */
interface Level {
  first: number;
  symbols: number[];
}

const levels: readonly Level[] = levelsOf(lengths);

/**
 * The text that a string of codes stands for, a character for each byte.
 *
 * @throws {ProtocolError} when it holds the end of a string, or ends in anything but less than a byte of ones.
 */
export function decodeHuffman(bytes: Uint8Array): string {
  let text = "";
  let code = 0;
  let bits = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!;
    for (let shift = 7; shift >= 0; shift--) {
      code = code << 1 | byte >> shift & 1;
      const { first, symbols } = levels[++bits]!;
      const symbol = symbols[code - first];
      if (symbol === undefined) continue;
      if (symbol === endOfString) throw new ProtocolError("malformed headers: a string that ends early");
      text += String.fromCharCode(symbol);
      code = 0;
      bits = 0;
    }
  }
  if (bits > 7 || code !== (1 << bits) - 1) {
    throw new ProtocolError("malformed headers: a string that breaks off");
  }
  return text;
}

function levelsOf(lengths: string): Level[] {
  const levels: Level[] = Array.from({ length: 31 }, () => ({ first: 0, symbols: [] }));
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    levels[parseInt(lengths[symbol]!, 36)]!.symbols.push(symbol);
  }
  let code = 0;
  for (const level of levels) {
    code <<= 1;
    level.first = code;
    code += level.symbols.length;
  }
  return levels;
}
