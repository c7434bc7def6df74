/** What bash leaves to those who complete: to take its line apart, and to quote what is to be inserted. */

/** A command line up to the cursor. */
export interface BashLine {
  /** Without quotes; nothing is expanded. */
  words: readonly string[];
  /** The quote that is open at the cursor. */
  quote: string;
  /** How many characters of the last word stay when bash inserts a candidate. */
  kept: number;
}

/** What begins a word to complete and belongs to it, unlike all else that does. */
const replaced = "$@";

/** Takes a command line apart. Behind an unquoted character of `breaks`, bash begins a new word to complete. */
export function readBashLine(text: string, breaks: string): BashLine {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  let kept = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quote === "" && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      [word, kept] = [undefined, 0];
    } else if (character === quote) {
      quote = "";
    } else if (quote === "" && /['"]/.test(character)) {
      [quote, word] = [character, word ?? ""];
      kept = word.length;
    } else if (character === "\\" && escapes(quote, text[at + 1])) {
      word = (word ?? "") + (text[++at] ?? "");
    } else {
      word = (word ?? "") + character;
      if (quote === "" && breaks.includes(character)) {
        kept = word.length - (replaced.includes(character) ? 1 : 0);
      }
    }
  }
  return { words: [...words, word ?? ""], quote, kept };
}

function escapes(quote: string, next = ""): boolean {
  return quote === "" || (quote === '"' && /[\\"$`]/.test(next));
}

/** What bash is to insert for a candidate; `undefined` where the open quote cannot hold it. */
export function bashInsertion(candidate: string, { quote, kept }: BashLine): string | undefined {
  const rest = candidate.slice(kept);
  if (quote === "'") return rest.includes("'") ? undefined : rest;
  return rest.replace(quote === '"' ? /[\\"$`]/g : /[^\p{L}\p{N}_./:=@%+,^-]/gu, "\\$&");
}
