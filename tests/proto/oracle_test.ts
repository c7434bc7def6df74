import { assertEquals } from "@std/assert";
import { debianPackage } from "../real/releases.ts";
import { firstLine } from "../real/process.ts";
import { compile, differences, type Symbols } from "./descriptors.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const PROTO = `${import.meta.dirname}/../../proto`;

/** What containerd 1.7.24 does not have yet. */
const NEWER = {
  "containerd.services.images.v1.DeleteImageRequest.target": "2.0",
  "containerd.services.introspection.v1.Introspection.PluginInfo": "2.0",
  "containerd.services.introspection.v1.PluginInfoRequest": "2.0",
  "containerd.services.introspection.v1.PluginInfoResponse": "2.0",
  "containerd.types.Platform.os_version": "2.0",
  "containerd.types.Platform.os_features": "2.3",
};

/** Methods of the services that davit only reads from. */
const LEFT_OUT = [
  ...methods("containers.v1.Containers", "Create Update Delete"),
  ...methods("tasks.v1.Tasks", "Create Start Delete DeleteProcess Kill Exec ResizePty CloseIO Pause Resume"),
  ...methods("tasks.v1.Tasks", "ListPids Checkpoint Update Metrics Wait"),
];

interface Upstream {
  containerd: string;
  googleapis: string;
}

const upstream = await findUpstream().catch(firstLine);

if (typeof upstream === "string") {
  Deno.test({
    name: `proto/ says what containerd 1.7 says [${upstream}]`,
    ignore: Deno.env.get("DAVIT_REQUIRE_REAL") !== "1",
    fn: () => Promise.reject(new Error(`Cannot compare with containerd's files: ${upstream}`)),
  });
} else {
  Deno.test("proto/ says what containerd 1.7 says", async () => {
    const [ours, theirs] = await Promise.all([compile(PROTO), compileUpstream(upstream)]);
    assertEquals(differences(ours, theirs, { newer: NEWER, leftOut: LEFT_OUT }), []);
  });
}

function methods(service: string, names: string): string[] {
  return names.split(" ").map((name) => `containerd.services.${service}.${name}`);
}

/** The folders of Debian's packages with the `.proto` files of containerd and of Google's API types. */
async function findUpstream(): Promise<Upstream> {
  return {
    containerd: await debianPackage("golang-github-containerd-containerd-dev", "trixie"),
    googleapis: await debianPackage("golang-github-gogo-googleapis-dev", "trixie"),
  };
}

/** Compiles upstream's files from a folder of links that lets their imports find each other. */
async function compileUpstream({ containerd, googleapis }: Upstream): Promise<Symbols> {
  const go = "usr/share/gocode/src/github.com";
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/google`);
  await Deno.symlink(`${containerd}/${go}`, `${folder.path}/github.com`);
  await Deno.symlink(`${googleapis}/${go}/gogo/googleapis/google/rpc`, `${folder.path}/google/rpc`);
  return await compile(folder.path, ["github.com/containerd/containerd/api/services"]);
}
