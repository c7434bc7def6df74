/** The columns of a table start at the same place in each line, two blanks apart; nothing trails. */
export function layOut(lines: readonly (readonly string[])[]): string {
  return [...laidOut(lines)].join("");
}

/** The same line by line, for tables of which there shall not be another copy in memory. */
export function* laidOut(lines: readonly (readonly string[])[]): Iterable<string> {
  const widths: number[] = [];
  for (const cells of lines) {
    cells.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, widthOf(cell)));
  }
  for (const cells of lines) yield `${lineOf(cells, widths)}\n`;
}

/** How many places of a terminal a text takes. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) =>
      column === cells.length - 1 ? cell : cell + " ".repeat(widths[column]! - widthOf(cell) + 2)
    )
    .join("")
    .trimEnd();
}

/** Marks take no place; East Asian wide characters and emoji take two. */
function widthOfCharacter(character: string): number {
  if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) return 0;
  return /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
      .test(character)
    ? 2
    : 1;
}
