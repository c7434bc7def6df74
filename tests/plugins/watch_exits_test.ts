import { assertEquals } from "@std/assert";
import { davit } from "../cli/plugin/program.ts";
import { busyboxImage, importWithCtr, ociArchive } from "../real/images.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";

realTest("watch-exits shows tasks that end, and notes how", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const name = "docker.io/library/busybox:latest";
  await importWithCtr(containerd, namespace, ociArchive([await busyboxImage(name)]), { unpack: true });
  const { promise: waits, resolve } = Promise.withResolvers<void>();
  const watching = davit(
    [
      "watch-exits",
      "-a",
      containerd.address,
      "-n",
      namespace,
      "--failed",
      "--then",
      "label",
      "--count",
      "1",
      "-o",
      "jsonl",
      "--timeout",
      "1m",
    ],
    { onError: (text) => void (text.includes("Waiting") && resolve()) },
  );
  await Promise.race([waits, watching]);
  // A subscription is there some moments after it was asked for: until one is seen, there are more.
  let over = false;
  watching.finally(() => over = true);
  for (let run = 0; !over && run < 20; run++) {
    for (const exit of ["0", "3"]) {
      await containerd.ctr([
        "run",
        "--net-host",
        name,
        `c${run}-${exit}`,
        "/bin/busybox",
        "sh",
        "-c",
        `exit ${exit}`,
      ], { namespace, check: false });
    }
  }
  const { code, stdout, stderr } = await watching;
  assertEquals(code, 0, stderr);
  const [row, ...more] = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals([more.length, row.exitCode, row.done], [0, 3, "labelled"]);
  const { stdout: info } = await containerd.ctr(["containers", "info", row.container], { namespace });
  assertEquals(JSON.parse(info).Labels["davit/exit-code"], "3");
}, { series: ["2"] });

realTest("watch-exits goes on when containerd is restarted", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const name = "docker.io/library/busybox:latest";
  await importWithCtr(containerd, namespace, ociArchive([await busyboxImage(name)]), { unpack: true });
  const [waiting, again] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const argv = ["watch-exits", "-a", containerd.address, "-n", namespace, "--count", "1", "--timeout", "2m"];
  const watching = davit([...argv, "-o", "jsonl"], {
    onError: (text) => {
      if (text.includes("Waiting for tasks")) waiting.resolve();
      if (text.includes("Waiting again")) again.resolve();
    },
  });
  await Promise.race([waiting.promise, watching]);
  await containerd.restart();
  await Promise.race([again.promise, watching]);
  let over = false;
  watching.finally(() => over = true);
  for (let run = 0; !over && run < 20; run++) {
    const command = ["/bin/busybox", "sh", "-c", "exit 7"];
    await containerd.ctr(["run", "--net-host", name, `c${run}`, ...command], { namespace, check: false });
  }
  const { code, stdout, stderr } = await watching;
  assertEquals(code, 0, stderr);
  assertEquals(JSON.parse(stdout.trim()).exitCode, 7);
}, { series: ["2"], fresh: true });
