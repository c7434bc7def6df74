import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { type LayeredText, readLayered } from "../../../lib/run/layered.ts";
import { readUserFiles } from "../../../lib/run/user_files.ts";
import { run } from "../../real/process.ts";

/**
 * Makes a layer of what each command does to those before it, as the kernel writes it, and prints what all of them
 * together have in /etc/passwd.
 */
const script = `set -e
mount --make-rprivate /
cd "$1"; shift
mkdir shown 0; (cd 0; eval "$1"); lower=0; count=0; shift
for command in "$@"; do
  count=$((count + 1)); mkdir $count work$count
  mount -t overlay -o metacopy=\${METACOPY:-off},lowerdir=$lower,upperdir=$count,workdir=work$count overlay shown
  (cd shown; eval "$command"); umount shown; lower=$count:$lower
done
if [ $count = 0 ]; then mount --bind 0 shown; else mount -t overlay -o lowerdir=$lower:shown overlay shown; fi
if [ -f shown/etc/passwd ]; then cat shown/etc/passwd; else printf absent; fi`;

interface Layers {
  folder: string;
  /** The topmost first. */
  layers: string[];
  /** What a mount shows, or `absent`. */
  shown: string;
}

async function withLayers(
  commands: readonly string[],
  body: (layers: Layers) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-test-layered-" });
  try {
    const { stdout } = await run("unshare", ["--mount", "sh", "-c", script, "sh", folder, ...commands], {
      env,
    });
    const layers = commands.map((_, index) => join(folder, String(index))).toReversed();
    await body({ folder, layers, shown: stdout });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const limits = { maxBytes: 100 };
const passwd = ["etc", "passwd"] as const;
const base = "mkdir etc data; printf base > etc/passwd; printf data > data/passwd";
const text = (text: string | undefined): LayeredText => ({ text });

/** What is done, layer by layer, and whether that can be seen without a mount. */
const cases: readonly [name: string, commands: string[], expected: LayeredText][] = [
  ["one layer", [base], text("base")],
  ["layers that say nothing about the folder", [base, "mkdir app", "touch app/more"], text("base")],
  ["a file that a layer replaces", [base, "printf new > etc/passwd", "mkdir app"], text("new")],
  [
    "a folder that is made anew, with the file",
    [base, "rm -r etc; mkdir etc; printf new > etc/passwd"],
    text("new"),
  ],
  ["no folder at all", ["mkdir data", "mkdir app"], text(undefined)],
  ["a folder without the file", ["mkdir etc"], text(undefined)],
  ["an empty file", ["mkdir etc; touch etc/passwd"], text("")],
  ["other files of the folder", [base, "touch etc/other"], "unclear"],
  ["a file that is removed", [base, "rm etc/passwd"], "unclear"],
  ["a folder that is removed", [base, "rm -r etc"], "unclear"],
  ["a folder that is made anew", [base, "rm -r etc; mkdir etc"], "unclear"],
  ["a link instead of the file", [base, "ln -sf ../data/passwd etc/passwd"], "unclear"],
  ["a link instead of the folder", [base, "rm -r etc; ln -s data etc"], "unclear"],
  ["a pipe instead of the file", ["mkdir etc; mkfifo etc/other; ln -s other etc/passwd"], "unclear"],
];

const ignore = Deno.build.os !== "linux" || Deno.uid() !== 0;

for (const [name, commands, expected] of cases) {
  const decided = expected === "unclear" ? "leaves to the kernel" : "tells";
  Deno.test({
    name: `readLayered() ${decided} what becomes of ${name}; readUserFiles() sees it as a mount does`,
    ignore,
    fn: () =>
      withLayers(commands, async ({ layers, shown }) => {
        assertEquals(await readLayered(layers, passwd, limits), expected);
        const options = [`lowerdir=${layers.join(":")}`];
        const isPipe = name.startsWith("a pipe");
        const { passwd: seen = "absent" } = await readUserFiles([{
          type: "overlay",
          source: "overlay",
          target: "",
          options,
        }]);
        assertEquals(seen, isPipe ? "absent" : shown);
      }),
  });
}

Deno.test({
  name: "readLayered() leaves a file to the kernel whose bytes are further down",
  ignore,
  fn: () =>
    withLayers([base, "chown 1:1 etc/passwd"], async ({ layers }) => {
      assertEquals(await readLayered(layers, passwd, limits), "unclear");
    }, { METACOPY: "on" }),
});

Deno.test({
  name: "readLayered() refuses a file that is too large",
  ignore,
  fn: () =>
    withLayers([base], async ({ layers }) => {
      await assertRejects(
        () => readLayered(layers, passwd, { maxBytes: 3 }),
        RangeError,
        "larger than 3 bytes",
      );
    }),
});
