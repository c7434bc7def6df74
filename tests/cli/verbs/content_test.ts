import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "davit";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

const absent = `sha256:${"0".repeat(64)}`;

realTest("content list, info, label and remove agree with ctr", async (_t, containerd) => {
  const [here, there] = [uniqueNamespace("here"), uniqueNamespace("there")];
  const image = await randomImage({ seed: 50 });
  const { digest, size } = image.target;
  for (const namespace of [here, there]) await importWithCtr(containerd, namespace, ociArchive([image]));
  const content = (...argv: string[]) => davit(containerd, ["-n", here, "content", ...argv]);
  const digestsOfCtr = async () =>
    (await containerd.ctr(["content", "ls", "-q"], { namespace: here })).stdout.trim().split("\n").sort();

  const list = await content("ls");
  assertMatch(list.stdout, /^DIGEST +SIZE +AGE +LABELS\n/);
  assertEquals((await content("ls", "-q")).stdout.trim().split("\n").sort(), await digestsOfCtr());
  const info = JSON.parse((await content("info", digest)).stdout);
  assertEquals([info.digest, info.size], [digest, size]);

  const label = await content("label", digest, "owner=ci", "-o", "json");
  assertEquals(JSON.parse(label.stdout), { digest, labels: { ...info.labels, owner: "ci" } });
  const { stdout } = await containerd.ctr(["content", "ls", "labels.owner==ci"], { namespace: here });
  assertStringIncludes(stdout, digest);
  assertEquals((await content("ls", "-q", "labels.owner==ci")).stdout, `${digest}\n`);
  assertEquals(
    JSON.parse((await content("label", digest, "owner=", "-o", "json")).stdout).labels,
    info.labels,
  );

  assertEquals((await content("rm", digest, absent)).stdout, `${digest}\n`);
  assertEquals((await digestsOfCtr()).includes(digest), false);
  for (const argv of [["info", digest], ["label", digest, "a=b"]]) {
    const { code, stderr } = await content(...argv);
    assertEquals(code, 4);
    assertStringIncludes(stderr, `hint: it is in namespace "${there}"\n`);
  }
  assertEquals((await content("rm", absent, "--ignore-missing")).code, 0);
  assertEquals((await content("rm", absent)).code, 4);
  for (const verb of ["info", "label", "rm"]) assertEquals((await content(verb, "sha256:bogus")).code, 2);
});

realTest("content active lists what content abort throws away", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await using client = await connect({ address: containerd.address });
  const { content } = client.namespace(namespace);
  const run = (...argv: string[]) => davit(containerd, ["-n", namespace, "content", ...argv]);
  const inTheMiddle = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  async function* source() {
    yield new Uint8Array(1 << 20);
    inTheMiddle.resolve();
    await gate.promise;
    throw new Error("enough");
  }
  const writing = content.ingest({ ref: "upload-1", size: 2 << 20 }, source()).catch((error) => error);
  await inTheMiddle.promise;
  try {
    const { stdout } = await run("active");
    assertMatch(stdout, /^REF +SIZE +AGE\nupload-1 +/);
    const ofCtr = await containerd.ctr(["content", "active"], { namespace });
    assertStringIncludes(ofCtr.stdout, "upload-1");
    const { code, stdout: aborted } = await run("abort", "none", "upload-1");
    assertEquals([code, aborted], [3, "upload-1\n"]);
    assertEquals((await run("active", "-q")).stdout, "");
    assertEquals((await run("abort", "upload-1")).code, 4);
  } finally {
    gate.resolve();
    await writing;
  }
  assertEquals((await run("abort", "none", "--ignore-missing")).code, 0);
});
