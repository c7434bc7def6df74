import { UsageError } from "./errors.ts";

/** What containerd allows a key and its value to have together. */
const maxBytes = 4096;

/**
 * Labels from words of the form `KEY=VALUE`. As in ctr, a word without `=` stands for the value `true`; an empty value
 * removes its label.
 *
 * @throws {UsageError} when a key is empty, or a label larger than containerd allows.
 */
export function parseLabels(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.map((word) => {
    const at = word.indexOf("=");
    const [key, value] = at < 0 ? [word, "true"] : [word.slice(0, at), word.slice(at + 1)];
    const bytes = new TextEncoder().encode(key + value).length;
    if (key === "") throw new UsageError(`Cannot use ${JSON.stringify(word)} as a label: the key is empty`);
    if (bytes > maxBytes) {
      throw new UsageError(
        `Cannot use label ${JSON.stringify(key)}: key and value have ${bytes} bytes, more than ${maxBytes}`,
      );
    }
    return [key, value];
  }));
}
