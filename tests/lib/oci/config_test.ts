import { assertEquals, assertThrows } from "@std/assert";
import { parseConfig } from "../../../lib/oci/config.ts";

const digest = (character: string) => `sha256:${character.repeat(64)}`;
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

Deno.test("parseConfig() reads platform, times, labels, diff ids and history", () => {
  const config = {
    architecture: "arm64",
    os: "linux",
    variant: "v8",
    "os.version": "1.2",
    created: "2024-05-06T07:08:09.123456789Z",
    author: "somebody",
    config: { Labels: { a: "b", A: "c" }, Env: ["PATH=/bin"], Cmd: ["sh"] },
    container_config: { Labels: null },
    rootfs: { type: "layers", diff_ids: [digest("1"), digest("2")] },
    history: [
      { created: "2024-05-06T09:08:09+02:00", created_by: "COPY x", author: "x", comment: "y" },
      { created_by: "ENV a=b", empty_layer: true },
    ],
  };
  assertEquals(parseConfig(json(config)), {
    platform: { os: "linux", architecture: "arm64", variant: "v8", osVersion: "1.2" },
    created: new Date("2024-05-06T07:08:09.123Z"),
    author: "somebody",
    labels: { a: "b", A: "c" },
    diffIds: [digest("1"), digest("2")],
    history: [
      {
        created: new Date("2024-05-06T07:08:09Z"),
        createdBy: "COPY x",
        author: "x",
        comment: "y",
        emptyLayer: false,
      },
      { createdBy: "ENV a=b", emptyLayer: true },
    ],
  });
});

Deno.test("parseConfig() takes a config that says nothing", () => {
  const nothing = { platform: { os: "", architecture: "" }, labels: {}, diffIds: [], history: [] };
  assertEquals(parseConfig(json({})), nothing);
  const signature = {
    os: "",
    architecture: "",
    config: { Labels: null },
    rootfs: { diff_ids: null },
    history: null,
  };
  assertEquals(parseConfig(json(signature)), nothing);
  assertEquals(parseConfig(json({ config: null, rootfs: null, created: null, author: "" })), nothing);
});

Deno.test("parseConfig() reads the zero time of Go", () => {
  assertEquals(parseConfig(json({ created: "0001-01-01T00:00:00Z" })).created?.getTime(), -62135596800000);
});

Deno.test("parseConfig() names the member that is wrong", () => {
  const wrong: [unknown, string][] = [
    [{ os: 1 }, "os is not a string"],
    [{ Os: "linux" }, 'os is spelt "Os"'],
    [{ config: { Labels: { a: 1 } } }, 'config.Labels["a"] is not a string'],
    [{ config: { labels: {} } }, 'config.Labels is spelt "labels"'],
    [{ rootfs: { diff_ids: digest("1") } }, "rootfs.diff_ids is not an array"],
    [{ rootfs: { diff_ids: [digest("1"), "sha256:"] } }, 'rootfs.diff_ids[1] is malformed: "sha256:"'],
    [{ history: [{ empty_layer: 1 }] }, "history[0].empty_layer is not a boolean"],
    [{ history: [{ created: "x" }] }, 'history[0].created is not a time: "x"'],
    ...[
      "",
      "2024",
      "2024-05-06",
      "2024-05-06 07:08:09Z",
      "2024-05-06T07:08:09",
      "2024-13-06T07:08:09Z",
      "1715000000",
    ]
      .map((created): [unknown, string] => [{ created }, `created is not a time: "${created}"`]),
  ];
  for (const [config, message] of wrong) {
    const error = assertThrows(() => parseConfig(json(config), { digest: digest("c") }), SyntaxError);
    assertEquals(error.message, `Cannot parse image config "${digest("c")}": ${message}`);
  }
});
