import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "davit";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("content verify finds the blob of which a byte is flipped, with exit 3", async (_t, containerd) => {
  const [one, two, empty] = [uniqueNamespace("one"), uniqueNamespace("two"), uniqueNamespace("empty")];
  const [good, bad] = [await randomImage({ seed: 61 }), await randomImage({ seed: 62 })];
  await importWithCtr(containerd, one, ociArchive([good, bad]));
  await importWithCtr(containerd, two, ociArchive([bad]));
  const verify = (namespace: string, ...argv: string[]) =>
    davit(containerd, ["-n", namespace, "content", "verify", ...argv]);
  const all = await verify(one, "-o", "json");
  assertEquals([all.code, all.stderr], [0, ""]);
  const listed = await containerd.ctr(["content", "ls", "-q"], { namespace: one });
  assertEquals(
    (JSON.parse(all.stdout) as { digest: string }[]).map(({ digest }) => digest),
    listed.stdout.trim().split("\n"),
  );
  assertEquals(await verify(one, "-q"), { code: 0, stdout: "", stderr: "" });

  const damaged = [...bad.blobs.keys()].find((digest) =>
    digest !== bad.target.digest && !good.blobs.has(digest)
  )!;
  const file = `${containerd.contentDir}/${damaged.replace(":", "/")}`;
  const bytes = await Deno.readFile(file);
  bytes[20]! ^= 1;
  await Deno.chmod(file, 0o600);
  await Deno.writeFile(file, bytes);

  const found = await verify(one);
  assertEquals(found.code, 3);
  assertMatch(found.stdout, /^DIGEST +SIZE +STATUS +REASON\n/);
  assertMatch(found.stdout, new RegExp(`${damaged} +.+ damaged +the bytes have another digest\n`));
  assertEquals(await verify(one, "-q"), { code: 3, stdout: `${damaged}\n`, stderr: "" });
  assertEquals((await verify(one, bad.target.digest)).code, 0);
  assertEquals((await verify(one, "--image", good.name)).code, 0);
  assertEquals((await verify(one, "--image", bad.name, "-q")).stdout, `${damaged}\n`);
  const missing = await verify(one, `sha256:${"0".repeat(64)}`);
  assertEquals(missing.code, 3);
  assertMatch(missing.stdout, /missing +the namespace does not know it\n$/);

  const everywhere = JSON.parse((await verify(one, "-A", "-o", "json")).stdout) as Record<string, string>[];
  assertEquals(
    everywhere.filter(({ status, namespace }) => status !== "ok" && [one, two].includes(namespace!))
      .map(({ namespace, digest, status }) => [namespace, digest, status]),
    [[one, damaged, "damaged"], [two, damaged, "damaged"]],
  );
  const none = await verify(empty);
  assertEquals([none.code, none.stdout], [0, "DIGEST  SIZE  STATUS  REASON\n"]);
  assertStringIncludes(none.stderr, `No content in namespace "${empty}", but in `);
});

realTest("content verify says what it cannot verify", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const { name } = client.namespace(uniqueNamespace());
  const cases: [argv: string[], code: number, reason: string][] = [
    [["--image", "none"], 4, 'Cannot verify image "none"'],
    [["-A", "--image", "none"], 2, "an image belongs to one namespace"],
    [["sha256:bogus"], 2, "Cannot parse digest"],
  ];
  for (const [argv, code, reason] of cases) {
    const ended = await davit(containerd, ["-n", name, "content", "verify", ...argv]);
    assertEquals(ended.code, code);
    assertStringIncludes(ended.stderr, reason);
  }
}, { series: ["2"] });
