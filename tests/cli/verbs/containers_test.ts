import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { busyboxImage, importWithCtr, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest(
  "containers list and ps show what ctr shows, and more in their wide form",
  async (_t, containerd) => {
    const [here, there] = [uniqueNamespace("here"), uniqueNamespace("there")];
    const image = await busyboxImage();
    for (const namespace of [here, there]) {
      await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
      const ctr = (...args: string[]) => containerd.ctr(args, { namespace });
      await ctr("run", "--detach", image.name, "sleeper", "sleep", "600");
      await ctr("containers", "create", "--label", "team=deck", image.name, "idle");
    }
    const list = (...argv: string[]) => davit(containerd, ["-n", here, "containers", "ls", ...argv]);

    const plain = await list();
    const byCtr = await containerd.ctr(["containers", "ls"], { namespace: here });
    assertEquals(cells(plain.stdout), cells(byCtr.stdout));
    assertEquals(await davit(containerd, ["-n", here, "ps"]), plain);
    for (const filter of ["labels.team==deck", `image==${image.name}`, "id==none"]) {
      const { stdout } = await containerd.ctr(["containers", "ls", "-q", filter], { namespace: here });
      assertEquals((await list("-q", filter)).stdout, stdout);
    }

    const pid = (await containerd.ctr(["tasks", "ls"], { namespace: here })).stdout.match(
      /sleeper +(\d+)/,
    )![1]!;
    const wide = cells((await list("-o", "wide")).stdout);
    assertEquals(wide[0], ["CONTAINER", "IMAGE", "RUNTIME", "STATUS", "PID", "CREATED", "LABELS"]);
    assertEquals(wide.map((row) => row.slice(3, 5)), [["STATUS", "PID"], ["-", "-"], ["running", pid]]);
    assertStringIncludes(wide[1]!.at(-1)!, "team=deck");
    const json = JSON.parse((await list("-o", "json")).stdout);
    assertEquals(Object.keys(json[1]), [
      ...["id", "image", "runtime", "status", "pid", "snapshotter", "snapshotKey", "labels"],
      ...["createdAt", "updatedAt"],
    ]);

    const all = JSON.parse((await davit(containerd, ["ps", "-A", "-o", "json", "id==idle"])).stdout);
    assertEquals(
      all.map(({ namespace, id }: Record<string, string>) => [namespace, id]),
      [[here, "idle"], [there, "idle"]],
    );
    const nowhere = await davit(containerd, ["-n", "nowhere", "ps"]);
    assertEquals([nowhere.code, nowhere.stdout], [0, "CONTAINER  IMAGE  RUNTIME\n"]);
    assertMatch(
      nowhere.stderr,
      /^No containers in namespace "nowhere", but in "here-\w+" and "there-\w+"\n$/,
    );
  },
  { fresh: true },
);

function cells(table: string): string[][] {
  return table.trimEnd().split("\n").map((line) => line.split(/ {2,}/).filter(Boolean));
}
