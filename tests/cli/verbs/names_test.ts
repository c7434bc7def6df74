import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "davit";
import type { Containerd } from "../../real/containerd.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

const namespaceNames = [
  ...["a", "0", "A.b_c-d", "x".repeat(76), "a.b.c"],
  ...["", "x".repeat(77), "a..b", "a__b", "-a", "a-", ".", "..", "_a", "version"],
  ...["ä", "日本", "a\u202eb", "../x", "a/b", "a:b", "a b", " a", "a ", "a\nb", "a\tb", "\x1b[31m", "%41"],
];

const labels = [
  ...["a=b", "a.b/c-d=e=f", "a", "a=", "ключ=значение", "a= b ", "a=b\nc", "a=\x1b[31m", "a b=c", "=b"],
  ...["a".repeat(4096) + "=", "a=" + "b".repeat(4095), "a=" + "b".repeat(4096), "ä".repeat(2048) + "=b"],
];

const imageNames = [
  ...["a\nb", "a\0b", "\x1b[2J", "../../etc/passwd", "a\u202eb", "-", " ", "%00", "x".repeat(32_769)],
];

realTest("namespaces create takes the names that containerd takes", async (_t, containerd) => {
  for (const name of namespaceNames) {
    const byCtr = await containerd.ctr(["namespaces", "create", "--", name], { check: false });
    if (byCtr.code === 0) await containerd.ctr(["namespaces", "rm", name]);
    const { code, stderr } = await davit(containerd, ["namespaces", "create", "--", name]);
    assertEquals(code === 0, byCtr.code === 0, JSON.stringify(name));
    if (code === 0) await containerd.ctr(["namespaces", "rm", name]);
    else assertRefused({ code, stderr, name });
  }
  const { code, stderr } = await davit(containerd, ["namespaces", "create", "a\0b"]); // no argument of ctr can hold it
  assertRefused({ code, stderr, name: "a\0b" });
  assertEquals(await namespacesIn(containerd), []);
}, { fresh: true });

realTest("namespaces label and create take the labels that containerd takes", async (_t, containerd) => {
  const [ours, theirs] = [uniqueNamespace("ours"), uniqueNamespace("theirs")];
  for (const label of labels) {
    for (const namespace of [ours, theirs]) {
      await containerd.ctr(["namespaces", "create", namespace, "a=before", "b=stays"]);
    }
    const byCtr = await containerd.ctr(["namespaces", "label", theirs, label], { check: false });
    const byDavit = await davit(containerd, ["namespaces", "label", ours, label]);
    assertEquals(
      byDavit.code,
      byCtr.code === 0 ? 0 : 2,
      `${label.slice(0, 20)}: ${byDavit.stderr}${byCtr.stderr}`,
    );
    assertEquals(await labelsOf(containerd, ours), await labelsOf(containerd, theirs));

    await containerd.ctr(["namespaces", "rm", ours, theirs]);
    const created = await davit(containerd, ["namespaces", "create", ours, "b=stays", label]);
    assertEquals(created.code, byDavit.code, created.stderr);
    if (created.code === 0) await containerd.ctr(["namespaces", "rm", ours]);
  }
});

realTest(
  "image names of any kind can be listed, tagged and removed, and harm no terminal",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const run = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", ...argv]);
    await using client = await connect({ address: containerd.address });
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const target = { mediaType, digest: `sha256:${"0".repeat(64)}`, size: 1 };
    await client.namespace(namespace).images.create({ name: "example.com/a:1", target });
    for (const name of imageNames) {
      const refused = await run("tag", "example.com/a:1", "--", name);
      assertRefused({ ...refused, name });
      const tagged = await run("tag", "--skip-reference-check", "example.com/a:1", "--", name);
      assertEquals([tagged.code, tagged.stderr], [0, ""]);
      assertHarmless(tagged.stdout);
    }
    assertEquals((await run("tag", "--skip-reference-check", "example.com/a:1", "")).code, 2);

    assertHarmless((await run("list")).stdout);
    assertHarmless((await run("list", "-q")).stdout);
    const json = await run("list", "-o", "json");
    assertHarmless(json.stdout);
    const names = (JSON.parse(json.stdout) as { name: string }[]).map(({ name }) => name);
    assertEquals(names, ["example.com/a:1", ...imageNames].sort());

    for (const name of names) {
      const { code, stdout } = await run("remove", "--", name);
      assertEquals(code, 0, JSON.stringify(name.slice(0, 20)));
      assertHarmless(stdout);
    }
    assertEquals((await run("list", "-q")).stdout, "");
    await containerd.ctr(["namespaces", "rm", namespace]);
  },
);

function assertRefused({ code, stderr, name }: { code: number; stderr: string; name: string }): void {
  assertEquals(code, 2, `${JSON.stringify(name.slice(0, 80))}: ${stderr}`);
  assertMatch(stderr, /^davit: Cannot [^\n]+\n(hint: [^\n]+\n)?$/);
  assertHarmless(stderr);
}

function assertHarmless(text: string): void {
  // deno-lint-ignore no-control-regex
  assert(!/[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(text), JSON.stringify(text));
}

async function namespacesIn(containerd: Containerd): Promise<string[]> {
  return (await containerd.ctr(["namespaces", "ls", "-q"])).stdout.split("\n").filter(Boolean);
}

async function labelsOf(containerd: Containerd, namespace: string): Promise<Record<string, string>> {
  await using client = await connect({ address: containerd.address });
  return (await client.namespaces.get(namespace)).labels;
}
