import { assertEquals, assertThrows } from "@std/assert";
import type { Image, RetentionFacts, RetentionRules } from "davit";
import { judgeImages, parsePlatform } from "davit";

const now = new Date("2026-01-31T00:00:00Z");
const dayMs = 24 * 60 * 60 * 1000;

/** An image whose name was set some days ago; equal `target`s are the same image. */
function image(
  name: string,
  { days = 100, target = name, labels = {} }: {
    days?: number;
    target?: string;
    labels?: Record<string, string>;
  } = {},
): Image {
  const at = new Date(now.getTime() - days * dayMs);
  const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: target, size: 1 };
  return { name, target: descriptor, labels, createdAt: at, updatedAt: at };
}

function judge(
  images: Image[],
  rules: RetentionRules,
  { candidates = images, ...facts }: Partial<RetentionFacts> & { candidates?: Image[] } = {},
): string[] {
  const known: RetentionFacts = {
    now,
    minAgeMs: dayMs,
    usersOf: () => [],
    leasesOf: () => [],
    contentOf: () => new Map(),
    platformsOf: () => [],
    ...facts,
  };
  return judgeImages(candidates, { images, rules, facts: known })
    .map(({ image, action, reason }) => `${action} ${image.name}: ${reason}`);
}

Deno.test("judgeImages() keeps the newest of each repository, by time", () => {
  const images = [
    image("a.io/x:1", { days: 3 }),
    image("a.io/x:2", { days: 2 }),
    image("a.io/x:3", { days: 4 }),
    image("a.io/y:1", { days: 9 }),
  ];
  assertEquals(judge(images, { keepLast: 1 }), [
    "remove a.io/x:1: number 2 of a.io/x, of which 1 stay",
    "keep a.io/x:2: number 1 of the newest 1 of a.io/x",
    "remove a.io/x:3: number 3 of a.io/x, of which 1 stay",
    "keep a.io/y:1: number 1 of the newest 1 of a.io/y",
  ]);
});

Deno.test("judgeImages() sorts by version or by name where asked to", () => {
  const images = ["v1.9", "v1.10", "v1.10-rc.1", "latest"].map((tag) => image(`a.io/x:${tag}`));
  const kept = (rules: RetentionRules) =>
    judge(images, rules).filter((line) => line.startsWith("keep")).map((line) => line.split(":")[1]);
  assertEquals(kept({ keepLast: 1, order: "semver" }), ["v1.10"]);
  assertEquals(kept({ keepLast: 2, order: "semver" }), ["v1.10", "v1.10-rc.1"]);
  assertEquals(kept({ keepLast: 1, order: "natural" }), ["v1.10-rc.1"]);
});

Deno.test("judgeImages() removes only what every criterion lets go", () => {
  const images = [
    image("a.io/x:1", { days: 50 }),
    image("a.io/x:2", { days: 20 }),
    image("a.io/x:3", { days: 2 }),
  ];
  assertEquals(judge(images, { keepLast: 1, olderThanMs: 30 * dayMs, unused: true }), [
    "remove a.io/x:1: no container uses it, set 50d ago, number 3 of a.io/x, of which 1 stay",
    "keep a.io/x:2: set 20d ago, which is not over 30d",
    "keep a.io/x:3: set 2d ago, which is not over 30d",
  ]);
});

Deno.test("judgeImages() keeps what is pinned, used, leased, a sandbox's or too new", () => {
  const images = [
    image("a.io/pinned:1", { labels: { "io.cri-containerd.pinned": "pinned" } }),
    image("a.io/used:1"),
    image("a.io/leased:1"),
    image("registry.k8s.io/pause:3.9"),
    image("docker.io/rancher/mirrored-pause:3.6"),
    image("a.io/new:1", { days: 0.5 }),
    image("a.io/pauses:1"),
  ];
  const facts = {
    usersOf: ({ name }: Image) => name.includes("used") ? ["c1", "c2"] : [],
    leasesOf: ({ name }: Image) => name.includes("leased") ? ["pull-1"] : [],
  };
  assertEquals(judge(images, { keepLast: 0 }, facts), [
    "keep a.io/pinned:1: pinned",
    'keep a.io/used:1: used by container "c1" and 1 more',
    'keep a.io/leased:1: held by lease "pull-1"',
    "keep registry.k8s.io/pause:3.9: sandbox image of Kubernetes",
    "keep docker.io/rancher/mirrored-pause:3.6: sandbox image of Kubernetes",
    "keep a.io/new:1: set 12h ago, which is less than 1d",
    "remove a.io/pauses:1: number 1 of a.io/pauses, of which 0 stay",
  ]);
});

Deno.test("judgeImages() never parts the names that Kubernetes gives one image", () => {
  const id = `sha256:${"a".repeat(64)}`;
  const other = `sha256:${"b".repeat(64)}`;
  const images = [
    image("a.io/x:1", { target: id, days: 9 }),
    image(`a.io/x@${id}`, { target: id, days: 9 }),
    image(`sha256:${"c".repeat(64)}`, { target: id, days: 9 }),
    image("a.io/x:2", { target: other, days: 2 }),
    image(`a.io/x@${other}`, { target: other, days: 2 }),
    image(`a.io/x@sha256:${"d".repeat(64)}`, { target: "untagged", days: 9 }),
  ];
  const digests = (lines: string[]) => lines.map((line) => line.replaceAll(/([a-d])\1{63}/g, "$1"));
  assertEquals(digests(judge(images, { keepLast: 1 })), [
    "remove a.io/x:1: number 2 of a.io/x, of which 1 stay",
    "remove a.io/x@sha256:a: belongs to a.io/x:1, which goes",
    "remove sha256:c: belongs to a.io/x:1, which goes",
    "keep a.io/x:2: number 1 of the newest 1 of a.io/x",
    "keep a.io/x@sha256:b: belongs to a.io/x:2, which stays",
    "remove a.io/x@sha256:d: has no tag any more",
  ]);
  const onlyAlias = [images[1]!];
  assertEquals(digests(judge(images, { olderThanMs: dayMs }, { candidates: onlyAlias })), [
    "keep a.io/x@sha256:a: belongs to a.io/x:1, which stays",
  ]);
});

Deno.test("judgeImages() pins a tag together with the digest that is pinned", () => {
  const id = `sha256:${"a".repeat(64)}`;
  const images = [
    image("a.io/x:1", { target: id }),
    image(id, { target: id, labels: { "io.cri-containerd.pinned": "pinned" } }),
  ];
  assertEquals(judge(images, { keepLast: 0 }), [
    "keep a.io/x:1: pinned",
    `keep ${id}: belongs to a.io/x:1, which stays`,
  ]);
});

Deno.test("judgeImages() lets the oldest go until the rest fits, counting shared content once", () => {
  const images = ["1", "2", "3", "4"].map((tag, at) => image(`a.io/x:${tag}`, { days: 10 - at }));
  const contentOf = ({ name }: Image) => new Map([["shared", 100], [name, 10]]);
  assertEquals(judge(images, { maxBytes: 125 }, { contentOf }), [
    "remove a.io/x:1: over the budget of 125 B",
    "remove a.io/x:2: over the budget of 125 B",
    "keep a.io/x:3: within the budget of 125 B",
    "keep a.io/x:4: within the budget of 125 B",
  ]);
});

Deno.test("judgeImages() takes what is set in the future, since the clock went back, for new", () => {
  const images = [image("a.io/x:1", { days: -3 }), image("a.io/x:2", { days: 100 })];
  assertEquals(judge(images, { olderThanMs: dayMs }), [
    "keep a.io/x:1: set 0s ago, which is less than 1d",
    "remove a.io/x:2: set 100d ago",
  ]);
  assertEquals(
    judge(images, { olderThanMs: 0 }, { minAgeMs: 0 })[0],
    "keep a.io/x:1: set 0s ago, which is not over 0s",
  );
});

Deno.test("judgeImages() takes the digests of an image along that are no candidates", () => {
  const id = `sha256:${"a".repeat(64)}`;
  const [tag, digest] = [image("a.io/x:1", { target: id }), image(`a.io/x@${id}`, { target: id })];
  const config = image(`sha256:${"c".repeat(64)}`, { target: id });
  const other = image(`b.io/y@${id}`, { target: id });
  const digests = (lines: string[]) => lines.map((line) => line.replaceAll(/([a-d])\1{63}/g, "$1"));
  const judged = (images: Image[]) => digests(judge(images, { keepLast: 0 }, { candidates: [tag] }));
  assertEquals(judged([tag, digest, config]), [
    "remove a.io/x:1: number 1 of a.io/x, of which 0 stay",
    "remove a.io/x@sha256:a: belongs to a.io/x:1, which goes",
    "remove sha256:c: belongs to a.io/x:1, which goes",
  ]);
  // That of another repository is an image of its own, which needs the name of the config as well.
  assertEquals(judged([tag, digest, config, other]), [
    "remove a.io/x:1: number 1 of a.io/x, of which 0 stay",
    "remove a.io/x@sha256:a: belongs to a.io/x:1, which goes",
  ]);
});

Deno.test("judgeImages() keeps a tag whose digest somebody pulled a moment ago", () => {
  const id = `sha256:${"a".repeat(64)}`;
  const images = [image("a.io/x:1", { target: id }), image(`a.io/x@${id}`, { target: id, days: 0.5 })];
  assertEquals(judge(images, { keepLast: 0 }).map((line) => line.replace(/a{64}/, "a")), [
    "keep a.io/x:1: set 12h ago, which is less than 1d",
    "keep a.io/x@sha256:a: belongs to a.io/x:1, which stays",
  ]);
});

Deno.test("judgeImages() lets go what is for some platforms only", () => {
  const complete: Record<string, string[]> = {
    "a.io/arm:1": ["linux/arm64"],
    "a.io/arm:2": ["linux/arm64", "linux/arm/v7"],
    "a.io/arm:3": ["linux/arm/v6"],
    "a.io/both:1": ["linux/arm64", "linux/amd64"],
    "a.io/host:1": ["linux/amd64"],
    "a.io/part:1": [],
    "a.io/win:1": ["windows(10.0.20348)/amd64"],
  };
  const images = Object.keys(complete).map((name) => image(name));
  const platformsOf = ({ name }: Image) => complete[name]!.map((text) => parsePlatform(text));
  const platforms = ["linux/aarch64", "linux/arm", "windows/amd64"];
  assertEquals(judge(images, { unused: true, platforms }, { platformsOf }), [
    "remove a.io/arm:1: no container uses it, is for linux/arm64 only",
    "remove a.io/arm:2: no container uses it, is for linux/arm64 and linux/arm/v7 only",
    "keep a.io/arm:3: is for linux/arm/v6",
    "keep a.io/both:1: is for linux/amd64, too",
    "keep a.io/host:1: is for linux/amd64",
    "keep a.io/part:1: complete for no platform that is known",
    "remove a.io/win:1: no container uses it, is for windows(10.0.20348)/amd64 only",
  ]);
  assertThrows(() => judge([], { platforms: ["linux"] }), SyntaxError, "the architecture is missing");
});
