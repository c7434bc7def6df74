import { assertEquals } from "@std/assert";
import { run } from "../real/process.ts";
import { compile, differences, type Symbols } from "./descriptors.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const PROTO = `${import.meta.dirname}/../../proto`;

interface Mistake {
  name: string;
  /** Below `proto/`. */
  file: string;
  /** What stands there once, and what is put in its place. */
  edit: [right: string, wrong: string];
  found: string[];
}

const MISTAKES: Mistake[] = [
  {
    name: "another field number",
    file: "containerd/types/descriptor.proto",
    edit: ["int64 size = 3", "int64 size = 4"],
    found: [`containerd.types.Descriptor.size: ours is "int64 = 4", theirs "int64 = 3"`],
  },
  {
    name: "another field type",
    file: "containerd/types/descriptor.proto",
    edit: ["int64 size = 3", "uint64 size = 3"],
    found: [`containerd.types.Descriptor.size: ours is "uint64 = 3", theirs "int64 = 3"`],
  },
  {
    name: "another field name",
    file: "containerd/types/descriptor.proto",
    edit: ["int64 size = 3", "int64 length = 3"],
    found: ["containerd.types.Descriptor.length: only ours", "containerd.types.Descriptor.size: only theirs"],
  },
  {
    name: "a repeated field that is not",
    file: "containerd/types/mount.proto",
    edit: ["repeated string options", "string options"],
    found: [`containerd.types.Mount.options: ours is "string = 4", theirs "repeated string = 4"`],
  },
  {
    name: "an optional field that is not",
    file: "containerd/services/images/v1/images.proto",
    edit: ["optional containerd.types.Descriptor target", "containerd.types.Descriptor target"],
    found: [
      "containerd.services.images.v1.DeleteImageRequest.target: " +
      `ours is ".containerd.types.Descriptor = 3", theirs "optional .containerd.types.Descriptor = 3"`,
    ],
  },
  {
    name: "a field in a oneof",
    file: "containerd/types/mount.proto",
    edit: ["string target = 3;", "oneof place { string target = 3; }"],
    found: [`containerd.types.Mount.target: ours is "oneof place string = 3", theirs "string = 3"`],
  },
  {
    name: "a map of something else",
    file: "containerd/types/descriptor.proto",
    edit: ["map<string, string> annotations", "map<string, bytes> annotations"],
    found: [
      `containerd.types.Descriptor.AnnotationsEntry.value: ours is "bytes = 2", theirs "string = 2"`,
    ],
  },
  {
    name: "another enum value",
    file: "containerd/services/snapshots/v1/snapshots.proto",
    edit: ["COMMITTED = 3", "COMMITTED = 4"],
    found: [`containerd.services.snapshots.v1.Kind.COMMITTED: ours is "4", theirs "3"`],
  },
  {
    name: "a stream that is not",
    file: "containerd/services/version/v1/version.proto",
    edit: ["returns (VersionResponse)", "returns (stream VersionResponse)"],
    found: [
      "containerd.services.version.v1.Version.Version: " +
      `ours is "(.google.protobuf.Empty) returns (stream .containerd.services.version.v1.VersionResponse)", ` +
      `theirs "(.google.protobuf.Empty) returns (.containerd.services.version.v1.VersionResponse)"`,
    ],
  },
  {
    name: "another request",
    file: "containerd/services/version/v1/version.proto",
    edit: ["rpc Version(google.protobuf.Empty)", "rpc Version(VersionResponse)"],
    found: [
      "containerd.services.version.v1.Version.Version: " +
      `ours is "(.containerd.services.version.v1.VersionResponse) returns (.containerd.services.version.v1.VersionResponse)", ` +
      `theirs "(.google.protobuf.Empty) returns (.containerd.services.version.v1.VersionResponse)"`,
    ],
  },
  {
    name: "a method that is missing",
    file: "containerd/services/content/v1/content.proto",
    edit: ["rpc Abort(AbortRequest) returns (google.protobuf.Empty);", ""],
    found: ["containerd.services.content.v1.Content.Abort: only theirs"],
  },
  {
    name: "another package",
    file: "containerd/services/version/v1/version.proto",
    edit: ["package containerd.services.version.v1;", "package containerd.version;"],
    found: [
      "containerd.version.Version.Version: only ours",
      "containerd.version.Version: only ours",
      "containerd.version.VersionResponse.revision: only ours",
      "containerd.version.VersionResponse.version: only ours",
      "containerd.version.VersionResponse: only ours",
    ],
  },
];

Deno.test("differences() finds every kind of mistake in a .proto file", async (t) => {
  const right = await compile(PROTO);
  assertEquals(differences(right, right), []);
  for (const { name, file, edit, found } of MISTAKES) {
    await t.step(name, async () => {
      await using folder = await temporaryFolder();
      await run("cp", ["-R", `${PROTO}/containerd`, `${PROTO}/google`, folder.path]);
      await replaceOnce(`${folder.path}/${file}`, edit);
      assertEquals(differences(await compile(folder.path), right).toSorted(), found);
    });
  }
});

Deno.test("differences() wants every exception to be one", () => {
  const ours: Symbols = new Map([["a.M", "message"], ["a.M.new", "1"], ["a.M.same", "2"]]);
  const theirs: Symbols = new Map([["a.M", "message"], ["a.M.old", "3"], ["a.M.same", "2"]]);
  assertEquals(differences(ours, theirs, { newer: { "a.M.new": "2.0" }, leftOut: ["a.M.old"] }), []);
  assertEquals(
    differences(ours, theirs, {
      newer: { "a.M.new": "2.0", "a.M.same": "2.1", "a.M.gone": "2.2" },
      leftOut: ["a.M.old", "a.M.same", "a.M.gone"],
    }),
    [
      "a.M.same: stale exception, newer since 2.1",
      "a.M.gone: stale exception, newer since 2.2",
      "a.M.same: stale exception, left out",
      "a.M.gone: stale exception, left out",
    ],
  );
});

async function replaceOnce(path: string, [right, wrong]: Mistake["edit"]): Promise<void> {
  const text = await Deno.readTextFile(path);
  assertEquals(text.split(right).length, 2, `"${right}" must stand exactly once in ${path}`);
  await Deno.writeTextFile(path, text.replace(right, wrong));
}
