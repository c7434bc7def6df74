import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readRooted } from "../../../lib/run/rooted.ts";

async function inFolder(body: (root: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-test-rooted-" });
  try {
    await Deno.writeTextFile(join(folder, "secret"), "outside");
    await Deno.mkdir(join(folder, "root/etc"), { recursive: true });
    await Deno.mkdir(join(folder, "root/real"));
    await Deno.writeTextFile(join(folder, "root/real/passwd"), "inside");
    await body(join(folder, "root"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const limits = { maxBytes: 100 };

const links: [target: string, expected: string | undefined][] = [
  ["/real/passwd", "inside"],
  ["../real/passwd", "inside"],
  ["../../../real/passwd", "inside"],
  ["../../secret", undefined],
  ["/../secret", undefined],
  ["/etc/passwd", undefined], // to itself
  ["/none", undefined],
];

for (const [target, expected] of links) {
  Deno.test(`readRooted() follows a link to ${target} inside of the root only`, () =>
    inFolder(async (root) => {
      await Deno.symlink(target, join(root, "etc/passwd"));
      assertEquals(await readRooted(root, "/etc/passwd", limits), expected);
    }));
}

Deno.test("readRooted() follows linked folders, and reads plain files of a reasonable size only", () =>
  inFolder(async (root) => {
    await Deno.remove(join(root, "etc"));
    await Deno.symlink("real", join(root, "etc"));
    assertEquals(await readRooted(root, "/etc/passwd", limits), "inside");
    assertEquals(await readRooted(root, "/real", limits), undefined);
    assertEquals(await readRooted(root, "/etc/group", limits), undefined);
    await assertRejects(
      () => readRooted(root, "/etc/passwd", { maxBytes: 3 }),
      RangeError,
      "larger than 3 bytes",
    );
    await new Deno.Command("mkfifo", { args: [join(root, "real/group")] }).output();
    assertEquals(await readRooted(root, "/etc/group", limits), undefined);
  }));
