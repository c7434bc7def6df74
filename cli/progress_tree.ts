import type { ItemProgress, ItemState, Progress } from "../mod.ts";
import { escapeControls } from "./escape.ts";
import { formatBytes } from "./format.ts";

/** What fits on a terminal, and what it can show. */
export interface Room {
  columns: number;
  /** Lines. */
  rows: number;
  colour: boolean;
}

/** Work on images: its state and all items that were reported. */
export interface Work {
  state: Progress;
  items: Iterable<ItemProgress>;
  elapsedMs: number;
}

/** How much of an item's bar is filled. What is full is over. */
const fills: Readonly<Record<ItemState, "none" | "part" | "full">> = {
  waiting: "none",
  reading: "part",
  downloading: "part",
  uploading: "part",
  writing: "part",
  unpacking: "part",
  exists: "full",
  shared: "full",
  done: "full",
  failed: "full",
};

const stateWidth = Math.max(...Object.keys(fills).map((state) => state.length));
const barWidths = { least: 10, most: 38 };
const sizesWidth = "1023.9 MiB/1023.9 MiB".length;
const indent = "  ";

/** Whether no more is to be done for an item, unless it is reported again. */
export function isOver({ state }: ItemProgress): boolean {
  return fills[state] === "full";
}

/**
 * The lines of a tree, an image and its items, cut to the width of the terminal. Where there are more than rows, items
 * that are over are only counted, then images that are over, and in the end the last lines are left out.
 */
export function treeLines({ state, items, elapsedMs }: Work, room: Room): string[] {
  const images = [...Map.groupBy(items, ({ image }) => image)];
  const width = Math.max(...images.flatMap(([, items]) => items.map(({ name }) => widthOf(name))));
  const layout = { width, room };
  const last = cut(totals(state, elapsedMs), room.columns - 1);
  const open = images.filter(([, items]) => !items.every(isOver));
  const count = images.length - open.length;
  const forms = [
    () => images.flatMap(([image, items]) => wholeImage(image, { items, ...layout })),
    () => images.flatMap(([image, items]) => imageInShort(image, { items, ...layout })),
    () => [
      cut(`${count} ${count === 1 ? "image" : "images"} done`, room.columns - 1),
      ...open.flatMap(([image, items]) => imageInShort(image, { items, ...layout })),
    ],
  ];
  const limit = Math.max(room.rows - 2, 1); // the last line, and the one that the cursor is in
  let lines: string[] = [];
  for (const form of forms) {
    lines = form();
    if (lines.length <= limit) return [...lines, last];
  }
  const rest = `${indent}and ${lines.length - limit + 1} lines more`;
  return [...lines.slice(0, limit - 1), cut(rest, room.columns - 1), last];
}

/** The text as far as it fits into so many columns. Characters beyond Latin count as wide ones: too short is no harm. */
export function cut(text: string, columns: number): string {
  let width = 0;
  let end = 0;
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) return text.slice(0, end);
    end += character.length;
  }
  return text;
}

interface Layout {
  /** Of the longest name. */
  width: number;
  room: Room;
}

function wholeImage(image: string, { items, ...layout }: Layout & { items: ItemProgress[] }): string[] {
  return [
    cut(`${escapeControls(image)}:`, layout.room.columns - 1),
    ...items.map((item) => itemLine(item, layout)),
  ];
}

function imageInShort(image: string, { items, ...layout }: Layout & { items: ItemProgress[] }): string[] {
  const open = items.filter((item) => !isOver(item));
  const title = `${escapeControls(image)}: ${items.length - open.length} of ${items.length} done`;
  return [cut(title, layout.room.columns - 1), ...open.map((item) => itemLine(item, layout))];
}

/** Name, state, bar and sizes; the bar as wide as there is room, and none where there is not enough. */
function itemLine(item: ItemProgress, { width, room: { columns, colour } }: Layout): string {
  const text = `${indent}${pad(escapeControls(item.name), width)}  ${item.state.padEnd(stateWidth)}`;
  const sizes = sizesOf(item);
  const length = Math.min(columns - 1 - widthOf(text) - "  ||  ".length - sizesWidth, barWidths.most);
  if (length < barWidths.least) return cut(`${text}  ${sizes}`.trimEnd(), columns - 1);
  const filled = Math.round(length * shareOf(item));
  const [plus, minus] = ["+".repeat(filled), "-".repeat(length - filled)];
  return `${text}  |${colour && plus ? `\x1b[32m${plus}\x1b[0m` : plus}${minus}|  ${sizes}`.trimEnd();
}

function shareOf({ state, done = 0, total }: ItemProgress): number {
  if (fills[state] !== "part") return fills[state] === "full" ? 1 : 0;
  return total ? Math.min(done / total, 1) : 0;
}

function sizesOf({ state, done, total }: ItemProgress): string {
  if (fills[state] !== "part" || done === undefined) return "";
  return total === undefined ? formatBytes(done) : `${formatBytes(done)}/${formatBytes(total)}`;
}

function totals({ done }: Progress, elapsedMs: number): string {
  const seconds = elapsedMs / 1000;
  const rate = formatBytes(seconds > 0 ? Math.round(done / seconds) : 0);
  return `elapsed: ${seconds.toFixed(1)} s  total: ${formatBytes(done)} (${rate}/s)`;
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(width - widthOf(text), 0));
}

function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += character.codePointAt(0)! < 0x1100 ? 1 : 2;
  return width;
}
