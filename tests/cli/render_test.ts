import { assertEquals, assertRejects } from "@std/assert";
import { parse } from "@std/csv";
import { withCells } from "../../cli/cells.ts";
import type { Form } from "../../cli/globals.ts";
import { render, type Rendering } from "../../cli/render.ts";

const now = new Date("2026-01-01T12:00:00Z");

const columns: Rendering["columns"] = [
  { header: "NAME", key: "name" },
  { header: "SIZE", key: "size", as: "bytes" },
  { header: "AGE", key: "createdAt", as: "age", wide: true },
  { header: "LABELS", key: "labels", as: "labels" },
];

const rows = [
  {
    name: "a",
    size: 76_231_475,
    createdAt: new Date("2026-01-01T11:00:00Z"),
    labels: { z: "1", b: "2" },
    extra: 9n,
  },
  { name: 'b"\n\x1b,c', size: undefined, createdAt: new Date("2025-12-01T00:00:00.5Z"), labels: {} },
];

async function rendered(result: unknown, form: Form, changes: Partial<Rendering> = {}): Promise<string> {
  let text = "";
  const rendering = { form, columns, acrossNamespaces: false, headers: true, now, ...changes };
  await render(result, rendering, (piece) => Promise.resolve(void (text += piece)));
  return text;
}

async function* streamed<T>(items: readonly T[], failure?: Error): AsyncIterable<T> {
  yield* items;
  if (failure) throw failure;
}

Deno.test("render() lays rows out as a table of the columns that are not wide", async () => {
  assertEquals(
    await rendered(streamed(rows), "table"),
    'NAME        SIZE      LABELS\na           72.7 MiB  b=2,z=1\nb"\\n\\x1b,c  -         -\n',
  );
});

Deno.test("render() shows no headers alone where all that was asked for failed", async () => {
  assertEquals(await rendered([], "table"), "NAME  SIZE  LABELS\n");
  assertEquals(await rendered([], "table", { hasFailures: () => true }), "");
  const one = await rendered(rows.slice(0, 1), "table", { hasFailures: () => true });
  assertEquals(one, await rendered(rows.slice(0, 1), "table"));
});

Deno.test("render() shows all columns with wide", async () => {
  assertEquals(
    await rendered(rows.slice(0, 1), "wide"),
    "NAME  SIZE      AGE     LABELS\na     72.7 MiB  1h ago  b=2,z=1\n",
  );
});

Deno.test("render() puts the namespace of each row first across namespaces", async () => {
  const across = { acrossNamespaces: true };
  const row = { namespace: "k8s.io", name: "a", size: 1 };
  assertEquals(
    await rendered([row], "table", across),
    "NAMESPACE  NAME  SIZE  LABELS\nk8s.io     a     1 B   -\n",
  );
  assertEquals(
    await rendered([row], "csv", across),
    "namespace,name,size,createdAt,labels\r\nk8s.io,a,1,,\r\n",
  );
  assertEquals(await rendered([row], "name", across), "a\n");
});

Deno.test("render() writes JSON with every field, instants in RFC 3339 and sizes in bytes", async () => {
  assertEquals(
    await rendered(streamed(rows), "json"),
    `[
  {
    "name": "a",
    "size": 76231475,
    "createdAt": "2026-01-01T11:00:00.000Z",
    "labels": {
      "z": "1",
      "b": "2"
    },
    "extra": 9
  },
  {
    "name": "b\\"\\n\\u001b,c",
    "createdAt": "2025-12-01T00:00:00.500Z",
    "labels": {}
  }
]
`,
  );
});

Deno.test("render() writes JSON of integers beyond 2^53 as digits, of bytes as base64", async () => {
  assertEquals(
    await rendered([{ big: 2n ** 64n, bytes: new Uint8Array([1, 2]), bad: new Date(NaN) }], "jsonl"),
    '{"big":"18446744073709551616","bytes":"AQI=","bad":null}\n',
  );
});

Deno.test("render() writes one line of JSON for each row, as they come", async () => {
  const pieces: string[] = [];
  async function* source() {
    yield { name: "a" };
    assertEquals(pieces, ['{"name":"a"}\n']);
    yield await Promise.resolve({ name: "b" });
  }
  const rendering = { form: "jsonl", columns, acrossNamespaces: false, headers: true, now } as const;
  await render(source(), rendering, (piece) => Promise.resolve(void pieces.push(piece)));
  assertEquals(pieces, ['{"name":"a"}\n', '{"name":"b"}\n']);
});

Deno.test("render() writes YAML", async () => {
  assertEquals(
    await rendered(streamed(rows), "yaml"),
    `- name: a
  size: 76231475
  createdAt: '2026-01-01T11:00:00.000Z'
  labels:
    z: '1'
    b: '2'
  extra: 9
- name: "b\\"\\n\\e,c"
  createdAt: '2025-12-01T00:00:00.500Z'
  labels: {}
`,
  );
});

Deno.test("render() writes CSV that reads back, whatever is in a cell", async () => {
  const text = await rendered([{ name: 'x,"y"\r', size: 5, labels: { a: "1,2", b: "" } }], "csv");
  assertEquals(text, 'name,size,createdAt,labels\r\n"x,""y""\\r",5,,"a=1,2,b="\r\n');
  assertEquals(parse(text)[1], ['x,"y"\\r', "5", "", "a=1,2,b="]);
});

Deno.test("render() writes the fields to CSV of which a cell of the table is made", async () => {
  const made = [{ header: "STATUS", key: "text", csv: ["status", "count"] }];
  const row = withCells({ status: "ok", count: 2 }, { text: "ok (2)" });
  assertEquals(await rendered([row], "csv", { columns: made }), "status,count\r\nok,2\r\n");
  assertEquals(await rendered([row], "table", { columns: made }), "STATUS\nok (2)\n");
  assertEquals(await rendered([row], "jsonl", { columns: made }), '{"status":"ok","count":2}\n');
});

Deno.test("render() writes the first column's field as names, control characters escaped", async () => {
  assertEquals(await rendered(streamed(rows), "name"), 'a\nb"\\n\\x1b,c\n');
});

Deno.test("render() leaves headers out on demand", async () => {
  assertEquals(await rendered([{ name: "a" }], "table", { headers: false }), "a  -  -\n");
  assertEquals(await rendered([{ name: "a" }], "csv", { headers: false }), "a,,,\r\n");
});

Deno.test("render() shows an empty list in every form", async () => {
  const forms: [Form, string][] = [
    ["table", "NAME  SIZE  LABELS\n"],
    ["json", "[]\n"],
    ["jsonl", ""],
    ["yaml", "[]\n"],
    ["csv", "name,size,createdAt,labels\r\n"],
    ["name", ""],
  ];
  for (const [form, expected] of forms) assertEquals(await rendered(streamed([]), form), expected, form);
});

Deno.test("render() shows a single value as one row, or as itself", async () => {
  const value = { name: "a", size: 1 };
  assertEquals(await rendered(value, "table"), "NAME  SIZE  LABELS\na     1 B   -\n");
  assertEquals(await rendered(value, "table", { columns: undefined }), '{\n  "name": "a",\n  "size": 1\n}\n');
  assertEquals(await rendered(value, "json"), '{\n  "name": "a",\n  "size": 1\n}\n');
  assertEquals(await rendered(value, "jsonl"), '{"name":"a","size":1}\n');
  assertEquals(await rendered(value, "yaml"), "name: a\nsize: 1\n");
  assertEquals(await rendered(value, "name"), "a\n");
  assertEquals(await rendered(undefined, "json"), "");
});

Deno.test("render() makes a table of the first row's fields for rows without columns", async () => {
  const found = [{ imageName: "a", bytes: 1 }, { imageName: "b" }, "c"];
  const bare = { columns: undefined };
  assertEquals(
    await rendered(streamed(found), "table", bare),
    "IMAGE NAME  BYTES\na           1\nb           -\n-           -\n",
  );
  assertEquals(await rendered(streamed(found.slice(0, 2)), "csv", bare), "imageName,bytes\r\na,1\r\nb,\r\n");
  assertEquals(await rendered(streamed(found.slice(0, 2)), "name", bare), "a\nb\n");
  for (const form of ["table", "csv", "name"] as const) {
    assertEquals(await rendered([], form, bare), "", form);
  }
});

Deno.test("render() ends its source when the output ends", async () => {
  let isEnded = false;
  async function* source() {
    try {
      for (;;) yield await Promise.resolve("row");
    } finally {
      isEnded = true;
    }
  }
  const rendering = {
    form: "table",
    columns: undefined,
    acrossNamespaces: false,
    headers: true,
    now,
  } as const;
  await assertRejects(
    () => render(source(), rendering, () => Promise.reject(new Error("closed"))),
    Error,
    "closed",
  );
  assertEquals(isEnded, true);
});

Deno.test("render() shows texts as they are, but for what a terminal would act upon", async () => {
  const texts = ["a", "b\x1b[2J", "c\nd"];
  assertEquals(await rendered(streamed(texts), "table", { columns: undefined }), "a\nb\\x1b[2J\nc\nd\n");
  assertEquals(
    await rendered(streamed(texts.slice(0, 2)), "json", { columns: undefined }),
    '[\n  "a",\n  "b\\u001b[2J"\n]\n',
  );
});

Deno.test("render() tells what was done before a failure, and never completes broken JSON", async () => {
  const failure = new Error("boom");
  for (
    const [form, expected] of [
      ["table", "NAME  SIZE  LABELS\na     -     -\n"],
      ["json", '[\n  {\n    "name": "a"\n  }'],
      ["jsonl", '{"name":"a"}\n'],
    ] as const
  ) {
    let text = "";
    const rendering = { form, columns, acrossNamespaces: false, headers: true, now };
    const write = (piece: string) => Promise.resolve(void (text += piece));
    await assertRejects(() => render(streamed([{ name: "a" }], failure), rendering, write), Error, "boom");
    assertEquals(text, expected);
    text = "";
    await assertRejects(() => render(streamed([], failure), rendering, write), Error, "boom");
    assertEquals(text, "", `${form}: nothing came, so nothing is shown`);
  }
});
