const maxCharacters = 128;

/** Foreign text in quotes for a message: invisible and text-reordering characters escaped, long text cut. */
export function quoted(text: string): string {
  const characters = Array.from(text.slice(0, 2 * maxCharacters));
  const cut = characters.length > maxCharacters || text.length > 2 * maxCharacters;
  const visible = JSON.stringify(cut ? `${characters.slice(0, maxCharacters).join("")}…` : text);
  return visible.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");
}
