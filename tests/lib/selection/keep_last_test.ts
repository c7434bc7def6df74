import { assertEquals, assertThrows } from "@std/assert";
import { keepLast, newestByRepository } from "../../../lib/selection/keep_last.ts";
import { compareNatural, compareVersions } from "../../../lib/selection/version.ts";

/** Images of these names, each set a day after the one before it. */
function images(...names: string[]): { name: string; updatedAt: Date }[] {
  return names.map((name, day) => ({ name, updatedAt: new Date(Date.UTC(2026, 0, day + 1)) }));
}

function tags(...tags: string[]): { name: string; updatedAt: Date }[] {
  return images(...tags.map((tag) => `example.com/app:${tag}`));
}

function namesOf(images: Iterable<{ name: string }>): string[] {
  return [...images].map(({ name }) => name);
}

Deno.test("keepLast() keeps the newest of each repository, in the order of the list", () => {
  const all = images("example.com/a:1", "example.com/b:1", "example.com/a:2", "example.com/a:3");
  const { kept, rest } = keepLast(all, 2);
  assertEquals(namesOf(kept), ["example.com/b:1", "example.com/a:2", "example.com/a:3"]);
  assertEquals(rest, [all[0]!]);
});

Deno.test("keepLast() knows what newest means by time, by versions and by natural order", () => {
  const all = tags("2.0.0", "10.0.0-rc.1", "10.0.0", "9-z");
  const restBy = (order: "time" | "semver" | "natural") => namesOf(keepLast(all, 1, { order }).rest);
  assertEquals(restBy("time"), [
    "example.com/app:2.0.0",
    "example.com/app:10.0.0-rc.1",
    "example.com/app:10.0.0",
  ]);
  assertEquals(restBy("semver"), [
    "example.com/app:2.0.0",
    "example.com/app:10.0.0-rc.1",
    "example.com/app:9-z",
  ]);
  assertEquals(restBy("natural"), ["example.com/app:2.0.0", "example.com/app:10.0.0", "example.com/app:9-z"]);
});

Deno.test("keepLast() keeps what has no place among the tags of a repository, and does not count it", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const others = images(digest, `example.com/app@${digest}`, "no name", "");
  const { kept, rest } = keepLast([...others, ...tags("1", "2")], 1);
  assertEquals(namesOf(rest), ["example.com/app:1"]);
  assertEquals(kept.slice(0, -1), others);
});

Deno.test("keepLast() of 0 keeps no tag, and of what is no count nothing at all goes", () => {
  assertEquals(keepLast(tags("1", "2"), 0).kept, []);
  for (const count of [-1, NaN, 1.5, Infinity]) {
    assertThrows(() => keepLast(tags("1"), count), RangeError, `Cannot keep the last ${count}`);
  }
});

Deno.test("newestByRepository() sorts each repository, and leaves the list as it is", () => {
  const all = tags("1.9", "1.10", "1.2");
  const sorted = newestByRepository(all, { order: "semver" });
  assertEquals([...sorted.keys()], ["example.com/app"]);
  assertEquals(namesOf(sorted.get("example.com/app")!).map((name) => name.split(":")[1]), [
    "1.10",
    "1.9",
    "1.2",
  ]);
  assertEquals(namesOf(all), namesOf(tags("1.9", "1.10", "1.2")));
});

Deno.test("compareVersions() puts older versions first, and what is none before them", () => {
  const sorted = ["2.0.0", "latest", "v1.10", "1.9", "2.0.0-rc.1", "main"].sort(compareVersions);
  assertEquals(sorted, ["latest", "main", "1.9", "v1.10", "2.0.0-rc.1", "2.0.0"]);
});

Deno.test("compareNatural() counts", () => {
  assertEquals(["b10", "b9", "a", "b09.1"].sort(compareNatural), ["a", "b9", "b09.1", "b10"]);
});
