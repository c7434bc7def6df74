import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { abandonedFolders, makeFifos, removeAbandoned, removeFifos } from "../../../lib/run/fifos.ts";

const isRoot = Deno.uid() === 0;

Deno.test("makeFifos() makes pipes that nobody else may open, and removeFifos() removes them", async () => {
  const paths = await makeFifos({ stdin: true, terminal: false });
  const folder = dirname(paths.stdout);
  const { mode } = await Deno.stat(folder);
  assertEquals(mode! & 0o777, 0o700);
  for (const path of Object.values(paths)) {
    const { isFifo, mode } = await Deno.lstat(path);
    assertEquals([isFifo, mode! & 0o777], [true, 0o600]);
  }
  if (isRoot) assertEquals((await Deno.stat(dirname(folder))).mode! & 0o777, 0o700);
  await removeFifos(paths);
  assertEquals(await Deno.lstat(folder).catch(() => "gone"), "gone");
  await removeFifos(paths);

  const ofTerminal = await makeFifos({ stdin: false, terminal: true });
  assertEquals([ofTerminal.stdin, ofTerminal.stderr], ["", ""]);
  await removeFifos(ofTerminal);
});

Deno.test("removeFifos() leaves the pipes of others alone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "davit-test-fifos-" });
  const stdout = join(folder, "stdout");
  await new Deno.Command("mkfifo", { args: [stdout] }).output();
  await removeFifos({ stdin: "", stdout, stderr: "" });
  assert((await Deno.lstat(stdout)).isFifo);
  await Deno.remove(folder, { recursive: true });
});

Deno.test({
  name: "abandonedFolders() knows pipes that nobody reads, and leaves those that are young",
  ignore: !isRoot,
  async fn() {
    const [read, unread] = [
      await makeFifos({ stdin: true, terminal: false }),
      await makeFifos({ stdin: true, terminal: true }),
    ];
    const folders = [read, unread].map(({ stdout }) => dirname(stdout));
    using _reader = await Deno.open(read.stdout, { read: true, write: true });
    const found = async (youngMs: number) => {
      const abandoned = await abandonedFolders(youngMs);
      return folders.map((folder) => abandoned.includes(folder));
    };
    assertEquals(await found(0), [false, true]);
    assertEquals(await found(60_000), [false, false]);
    assertEquals([await removeAbandoned(folders[0]!), await removeAbandoned(folders[1]!)], [false, true]);
    await removeFifos(read);
  },
});
