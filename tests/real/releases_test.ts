import { assert, assertEquals, assertMatch } from "@std/assert";
import { findReleases, type Missing, type Release } from "./releases.ts";

Deno.test("findReleases() finds again what it has unpacked, without network or apt", async () => {
  const { releases } = await findReleases();
  const again = await findReleasesWith({ PATH: "/nonexistent" });
  assertEquals(
    again.releases.map(({ version, bin }) => [version, bin]),
    releases.map((r) => [r.version, r.bin]),
  );
});

Deno.test("findReleases() says why a release cannot be had", async () => {
  const cache = await Deno.makeTempDir();
  try {
    const { missing } = await findReleasesWith({ PATH: "/nonexistent", DAVIT_TEST_CACHE: cache });
    assert(missing.length > 0);
    for (const { reason } of missing) assertMatch(reason, Deno.uid() === 0 ? /apt-get/ : /^needs root$/);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

/** Calls findReleases() in a process of its own, in a changed environment. */
async function findReleasesWith(
  env: Record<string, string>,
): Promise<{ releases: Release[]; missing: Missing[] }> {
  const script = `
    import { findReleases } from "${import.meta.resolve("./releases.ts")}";
    console.log(JSON.stringify(await findReleases()));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", script], env }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}
