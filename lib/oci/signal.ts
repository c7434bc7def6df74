import { quoted } from "./quoted.ts";

/** The signals of Linux on x86-64 and arm64, by their names without SIG. */
export const signals: ReadonlyMap<string, number> = new Map([
  ...[
    ..."HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP"
      .split(" "),
    ..."TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(" "),
  ].map((name, at): [string, number] => [name, at + 1]),
  ["IOT", 6],
  ["CLD", 17],
  ["POLL", 29],
  ["UNUSED", 31],
  ...Array.from({ length: 16 }, (_, n): [string, number] => [n === 0 ? "RTMIN" : `RTMIN+${n}`, 34 + n]),
  ...Array.from({ length: 15 }, (_, n): [string, number] => [n === 0 ? "RTMAX" : `RTMAX-${n}`, 64 - n]),
]);

const largest = 64;

/**
 * The number of a signal that is named (`TERM`, `SIGTERM`, `sigrtmin+3`) or given by its number.
 *
 * @throws {SyntaxError} when Linux has no such signal.
 */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : signals.get(text.toUpperCase().replace(/^SIG/, ""));
  if (number !== undefined && number >= 1 && number <= largest) return number;
  throw new SyntaxError(`Cannot use signal ${quoted(text)}: Linux has none of that name or number`);
}
