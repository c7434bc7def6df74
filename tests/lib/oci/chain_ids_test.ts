import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { chainIds } from "../../../lib/oci/chain_ids.ts";

const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

Deno.test("chainIds() names each layer by itself and all below it", async () => {
  const [a, b, c] = [sha256("a"), sha256("b"), sha256("c")];
  const ab = sha256(`${a} ${b}`);
  assertEquals(await chainIds([a, b, c]), [a, ab, sha256(`${ab} ${c}`)]);
});

Deno.test("chainIds() of no layer is none, of one the layer itself", async () => {
  assertEquals(await chainIds([]), []);
  assertEquals(await chainIds([sha256("a")]), [sha256("a")]);
});
