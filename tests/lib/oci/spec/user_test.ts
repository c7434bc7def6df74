import { assertEquals, assertThrows } from "@std/assert";
import { resolveUser } from "../../../../lib/oci/spec/user.ts";

const files = {
  passwd: "root:x:0:0:root:/root:/bin/sh\nwww:x:33:34::/:/bin/false\nbroken\n99999999999:x:7:8::/:\n",
  group: "root:x:0:\nwheel:x:10:root,www\nwww:x:34:www\nlogs:x:50:www\n",
};

const cases: [text: string, uid: number, gid: number, groups: number[]][] = [
  ["", 0, 0, [0, 10]],
  ["root", 0, 0, [0, 10]],
  ["0", 0, 0, [0, 10]],
  ["www", 33, 34, [34, 10, 50]],
  ["33", 33, 34, [34, 10, 50]],
  ["33:0", 33, 0, [0, 10, 50]],
  ["www:logs", 33, 50, [50, 10]],
  ["1234", 1234, 0, [0]],
  ["1234:5678", 1234, 5678, [5678]],
  ["99999999999", 7, 8, [8]],
];

for (const [text, uid, gid, additionalGids] of cases) {
  Deno.test(`resolveUser() of ${JSON.stringify(text)} is ${uid}:${gid} and its groups`, () => {
    assertEquals(resolveUser(text, files), { uid, gid, additionalGids });
  });
}

Deno.test("resolveUser() takes numbers without files, and says which name is missing where", () => {
  assertEquals(resolveUser("5:6", {}), { uid: 5, gid: 6, additionalGids: [6] });
  const messageFor = (text: string) => assertThrows(() => resolveUser(text, files), SyntaxError).message;
  assertEquals(
    messageFor("nobody"),
    'Cannot use user "nobody": the image has no user "nobody" in its /etc/passwd',
  );
  assertEquals(
    messageFor("www:nogroup"),
    'Cannot use user "www:nogroup": the image has no group "nogroup" in its /etc/group',
  );
  for (const text of [":", "a:", ":b", "a:b:c", "-1"]) messageFor(text);
});
