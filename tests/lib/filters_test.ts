import { assertEquals } from "@std/assert";
import { equals } from "../../lib/filters.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";
import { clientOver } from "./both_transports.ts";
import { hostileNames } from "./hostile.ts";
import { someImage } from "./some_image.ts";

realTest("equals() matches a value whatever it is, and nothing else", async (_, containerd) => {
  await using client = await clientOver("http2", containerd.address);
  const { images } = client.namespace(uniqueNamespace());
  const values = [
    ...hostileNames,
    "a,b",
    "a==b",
    " a ",
    "/",
    "\\n",
    "\u2028",
    "\x7f",
    "\b\f\r\t",
    "a|b",
    '"',
  ];
  for (const [index, value] of values.entries()) {
    await images.create({ ...someImage(`${index}`), labels: { v: value } });
  }
  for (const [index, value] of values.entries()) {
    const found = await Array.fromAsync(images.list({ filters: [equals("labels.v", value)] }));
    assertEquals(found.map(({ name }) => name), [`${index}`], JSON.stringify(value));
  }
});
