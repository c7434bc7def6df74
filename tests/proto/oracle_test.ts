import { assertEquals } from "@std/assert";
import { debianPackage } from "../real/releases.ts";
import { firstLine } from "../real/process.ts";
import { compile, differences, type Symbols } from "./descriptors.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const PROTO = `${import.meta.dirname}/../../proto`;

/** What containerd 1.7.24 does not have yet. */
const NEWER = {
  "containerd.events.ContentCreate": "2.0",
  "containerd.services.images.v1.DeleteImageRequest.target": "2.0",
  "containerd.services.introspection.v1.Introspection.PluginInfo": "2.0",
  "containerd.services.introspection.v1.PluginInfoRequest": "2.0",
  "containerd.services.introspection.v1.PluginInfoResponse": "2.0",
  ...Object.fromEntries(
    ["Create", "Start", "Platform", "Stop", "Wait", "Status", "Shutdown"].map((rpc) => [
      `containerd.services.sandbox.v1.Controller${rpc}Request.sandboxer`,
      "2.0",
    ]),
  ),
  "containerd.services.sandbox.v1.ControllerCreateRequest.sandbox": "2.0",
  "containerd.types.Platform.os_version": "2.0",
  "containerd.types.Platform.os_features": "2.3",
  "containerd.types.Sandbox.sandboxer": "2.0",
};

interface Upstream {
  containerd: string;
  cgroups: string;
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
    assertEquals(differences(ours, theirs, { newer: NEWER }), []);
  });
}

/** The folders of Debian's packages with the `.proto` files of containerd, of its cgroups and of Google's API types. */
async function findUpstream(): Promise<Upstream> {
  return {
    containerd: await debianPackage("golang-github-containerd-containerd-dev", "trixie"),
    cgroups: await debianPackage("golang-github-containerd-cgroups-dev", "trixie"),
    googleapis: await debianPackage("golang-github-gogo-googleapis-dev", "trixie"),
  };
}

/** Compiles upstream's files from a folder of links that lets their imports find each other. */
async function compileUpstream({ containerd, cgroups, googleapis }: Upstream): Promise<Symbols> {
  const go = "usr/share/gocode/src/github.com";
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/google`);
  await Deno.symlink(`${containerd}/${go}`, `${folder.path}/github.com`);
  await Deno.symlink(`${googleapis}/${go}/gogo/googleapis/google/rpc`, `${folder.path}/google/rpc`);
  await Deno.symlink(`${cgroups}/${go}/containerd/cgroups`, `${folder.path}/cgroups`);
  const api = "github.com/containerd/containerd/api";
  return await compile(folder.path, [
    `${api}/services`,
    `${api}/events`,
    "github.com/containerd/containerd/runtime/v2/runc/options",
    "cgroups/cgroup1",
    "cgroups/cgroup2",
  ]);
}
