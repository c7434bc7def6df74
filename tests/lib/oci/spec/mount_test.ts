import { assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import { parseMount } from "../../../../lib/oci/spec/mount.ts";

Deno.test("parseMount() reads fields by their long and short names", () => {
  const mount = { type: "bind", source: "/srv", destination: "/data", options: ["rbind", "ro"] };
  assertEquals(parseMount("type=bind,source=/srv,destination=/data,options=rbind:ro"), mount);
  assertEquals(parseMount("type=bind,src=/srv,dst=/data,options=rbind:ro"), mount);
  assertEquals(parseMount("type=tmpfs,dst=/tmp"), { type: "tmpfs", destination: "/tmp" });
});

Deno.test("parseMount() takes commas in quotes, and = in values", () => {
  assertEquals(parseMount('type=bind,"src=/a,b",dst=/c=d'), {
    type: "bind",
    source: "/a,b",
    destination: "/c=d",
  });
});

const refused: [text: string, reason: string][] = [
  ["", "it is empty"],
  ["type=bind", "destination is missing"],
  ["type=bind,dst=/x", "source is missing"],
  ["src=/x,dst=/x", "type is missing"],
  ["type=bind,src=/x,dst=x", "destination is not an absolute path"],
  [
    "type=bind,src=/x,target=/y",
    'unknown field "target"; there are type, source, src, destination, dst, options',
  ],
  ["bind", '"bind" is not of the form KEY=VALUE'],
  ["type=bind,src=/a,source=/b,dst=/c", "source is given twice"],
  ['type=bind,"src=/x,dst=/y', "its quotes are malformed"],
  ["type=tmpfs,dst=/a\ntype=tmpfs,dst=/b", "it is several lines"],
];

for (const [text, reason] of refused) {
  Deno.test(`parseMount() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => parseMount(text), SyntaxError, reason);
  });
}

Deno.test("parseMount() reads back whatever is written as CSV, and has one error for anything else", () => {
  const random = randomTexts("ab/=,\":; \\\n\t'ü🚢");
  for (let round = 0; round < 2000; round++) {
    const options = [`o${random().replaceAll(":", "")}`, "ro"];
    const mount = { type: "bind", source: `/${random()}`, destination: `/${random()}`, options };
    const fields = Object.entries(mount).map(([key, value]) => `${key}=${[value].flat().join(":")}`);
    const text = fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(",");
    assertEquals(parseMount(text), mount);
    const garbage = `${text.slice(0, round % text.length)}${random()}`;
    try {
      parseMount(garbage);
    } catch (error) {
      assertInstanceOf(error, SyntaxError);
      assertMatch(error.message, /^Cannot use mount "/);
    }
  }
});

/** Texts of up to nine characters of an alphabet, the same in each run. */
function randomTexts(alphabet: string): () => string {
  const characters = [...alphabet];
  let state = 1;
  const next = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
  return () => Array.from({ length: next(10) }, () => characters[next(characters.length)]).join("");
}
