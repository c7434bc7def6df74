/** What a real terminal sees, what a pipe sees, and how a pipe ends. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { globals } from "../../cli/globals.ts";
import { widthOf } from "../../cli/table.ts";
import type { Containerd } from "../real/containerd.ts";
import { importWithCtr, manyImages, ociArchive } from "../real/images.ts";
import { run } from "../real/process.ts";
import { Screen } from "../real/screen.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";

const main = fromFileUrl(new URL("../../cli/main.ts", import.meta.url));

/** A command line for a shell. */
function commandLine({ address }: Containerd, ...argv: string[]): string {
  return [Deno.execPath(), "run", "--quiet", "-A", main, "-a", address, ...argv].map((word) => `'${word}'`)
    .join(" ");
}

/** All that a command writes to a terminal of its own, with the escape codes. */
async function typescript(command: string, env: Record<string, string> = {}): Promise<string> {
  const args = ["--quiet", "--return", "--command", command, "/dev/null"];
  const { stdout } = await run("script", args, {
    env: { NO_COLOR: "", TERM: "xterm", ...env },
    check: false,
  });
  return stdout;
}

const escape = "\x1b";

async function filled(containerd: Containerd, count: number): Promise<string> {
  const namespace = uniqueNamespace();
  await importWithCtr(containerd, namespace, ociArchive(await manyImages({ count, sharedLayers: 1 })));
  return namespace;
}

realTest("errors and warnings are coloured on a terminal, and nowhere else", async (_t, containerd) => {
  const wrong = commandLine(containerd, "images", "lst");
  assertMatch(await typescript(wrong), new RegExp(`^${escape}\\[31mdavit:${escape}\\[0m Cannot run`));
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
    const plain = await typescript(wrong, env);
    assertMatch(plain, /^davit: Cannot run/);
    assertEquals(plain.includes(escape), false);
  }
  for (const redirected of [`${wrong} 2>&1 | cat`, `{ ${wrong} ; } 2> /dev/null`]) {
    assertEquals((await typescript(`sh -c "${redirected}"`)).includes(escape), false, redirected);
  }
}, { series: ["2"] });

realTest("results have no escape codes on a terminal, in any form", async (_t, containerd) => {
  const namespace = await filled(containerd, 2);
  for (const form of globals.output.choices) {
    const shown = await typescript(commandLine(containerd, "-n", namespace, "images", "ls", "-o", form));
    assertEquals(shown.includes(escape), false, form);
    assert(shown.includes("example.com/many/app-000:latest"), form);
  }
}, { series: ["2"] });

realTest("-o json keeps progress and colours off a terminal, too", async (_t, containerd) => {
  const [namespace, to] = [await filled(containerd, 2), uniqueNamespace("to")];
  const copy = commandLine(containerd, "images", "copy", "**", "--from", namespace, "--to", to, "-o", "json");
  const shown = await typescript(copy);
  assertEquals(shown.includes(escape), false);
  assertMatch(shown, /"status": "copied"/);
}, { series: ["2"] });

realTest(
  "progress is drawn on a terminal and wiped off it, and with TERM=dumb it is not",
  async (_t, containerd) => {
    const namespace = await filled(containerd, 40);
    const folder = await Deno.makeTempDir({ prefix: "davit-terminal-" });
    try {
      const file = join(folder, "archive.tar");
      const argv = ["-n", namespace, "images", "export", file, "**"];
      const drawn = await typescript(commandLine(containerd, ...argv));
      assert(drawn.includes(escape), "nothing was drawn");
      assertEquals(
        (await typescript(commandLine(containerd, ...argv), { TERM: "dumb" })).includes(escape),
        false,
      );
      assertEquals(
        (await typescript(`sh -c "${commandLine(containerd, ...argv)} 2>&1 | cat"`)).includes(escape),
        false,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  { series: ["2"] },
);

realTest(
  "a table is laid out by its cells whatever the terminal's width, which wraps it",
  async (_t, containerd) => {
    const namespace = await filled(containerd, 2);
    const list = commandLine(containerd, "-n", namespace, "images", "ls", "-o", "wide", "--no-headers");
    const { stdout } = await run("sh", ["-c", list]);
    const lines = stdout.trimEnd().split("\n");
    const starts = lines.map((line) => line.indexOf("sha256:"));
    assertEquals(new Set(starts).size, 1);
    await using screen = await Screen.start(list, { columns: 60, rows: 40 });
    const shown = await screen.until((lines) => lines.some((line) => /^exit \d+$/.test(line)));
    assertEquals(shown.at(-1), "exit 0");
    const width = widthOf(lines[0]!);
    assertEquals(shown.length, lines.length * Math.ceil(width / 60) + 1);
  },
  { series: ["2"] },
);

realTest(
  "Ctrl-C ends a run that waits with exit 130, and leaves the terminal as it was",
  async (_t, containerd) => {
    await using screen = await Screen.start(
      `trap : INT; stty -g; ${commandLine(containerd, "events", "-A")}; echo "code $?"; stty -g`,
      {
        columns: 100,
      },
    );
    while (!(await screen.lines()).some((line) => / TIME /.test(line))) {
      await containerd.ctr(["namespaces", "create", uniqueNamespace()]);
    }
    await screen.press("C-c");
    const shown = await screen.until((lines) => lines.some((line) => /^exit \d+$/.test(line)));
    assert(shown.includes("code 130"), shown.join("\n"));
    const settings = shown.filter((line) => /^[0-9a-f:]{20,}/.test(line));
    assertEquals([settings.length, new Set(settings).size], [2, 1], shown.join("\n"));
    assertEquals((await screen.cursor()).visible, true);
  },
  { series: ["2"] },
);

realTest(
  "a pipe that closes ends every form silently with exit 0, of big lists, too",
  async (_t, containerd) => {
    const namespace = await filled(containerd, 300);
    for (const form of globals.output.choices) {
      const list = commandLine(containerd, "-n", namespace, "content", "ls", "-o", form);
      const script = `{ ${list}; echo "exit $?" >&2; } | head -1`;
      const { stdout, stderr } = await run("sh", ["-c", script]);
      assertEquals([stdout.split("\n").length, stderr], [2, "exit 0\n"], form);
    }
  },
  { series: ["2"] },
);
