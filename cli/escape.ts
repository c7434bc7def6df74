/** C0, DEL, C1, line separators, and what turns the direction of text around: names from a server may hold them. */
// deno-lint-ignore no-control-regex
const controls = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/gu;

const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with everything that a terminal would act upon written as an escape sequence. */
export function escapeControls(text: string): string {
  return text.replace(controls, (control) => shortEscapes[control] ?? escaped(control));
}

/** The same for a text of several lines, which stay lines. */
export function escapeControlsOfLines(text: string): string {
  return text.split("\n").map(escapeControls).join("\n");
}

/** The same for a text in JSON, which stays the same JSON. */
export function escapeJsonControls(json: string): string {
  return json.replace(controls, (control) => control === "\n" ? control : unicodeEscape(control));
}

function escaped(control: string): string {
  const code = control.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : unicodeEscape(control);
}

function unicodeEscape(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
