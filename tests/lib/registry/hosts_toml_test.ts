import { assertEquals, assertThrows } from "@std/assert";
import { parseHostsToml } from "../../../lib/registry/hosts_toml.ts";

const path = "/etc/containerd/certs.d/x/hosts.toml";

Deno.test("parseHostsToml keeps the order of mirrors, the server last", () => {
  const text = `
    server = "https://example.com"
    [host."https://z.example"]
      capabilities = ["pull", "resolve"]
    [host."http://a.example:5000/prefix"]
      skip_verify = true
    [host."b.example/custom/api"]
      override_path = true
  `;
  const hosts = parseHostsToml(text, path);
  assertEquals(hosts.map(({ url }) => url), [
    "https://z.example/v2",
    "http://a.example:5000/prefix/v2",
    "https://b.example/custom/api",
    "https://example.com/v2",
  ]);
  assertEquals(hosts.map(({ capabilities }) => [...capabilities].join()), [
    "pull,resolve",
    ...Array(3).fill("pull,resolve,push"),
  ]);
  assertEquals(hosts.map(({ skipVerify }) => skipVerify), [undefined, true, undefined, undefined]);
});

Deno.test("parseHostsToml reads certificates and headers in every form that containerd knows", () => {
  const host = (text: string) => parseHostsToml(`[host."https://m.example"]\n${text}`, path)[0]!;
  assertEquals(host('ca = "a.crt"').ca, ["a.crt"]);
  assertEquals(host('ca = ["a.crt", "/b.crt"]').ca, ["a.crt", "/b.crt"]);
  assertEquals(host('client = "both.pem"').client, { cert: "both.pem", key: "both.pem" });
  assertEquals(host('client = ["both.pem", "more.pem"]').client, { cert: "both.pem", key: "both.pem" });
  assertEquals(host('client = [["c.cert", "c.key"], ["d.cert", "d.key"]]').client, {
    cert: "c.cert",
    key: "c.key",
  });
  assertEquals(host('[host."https://m.example".header]\nx-a = "1"\nx-b = ["2", "3"]').headers, [
    ["x-a", "1"],
    ["x-b", "2"],
    ["x-b", "3"],
  ]);
});

Deno.test("parseHostsToml takes a file without server for settings of the registry itself", () => {
  const [host, ...more] = parseHostsToml('ca = "/ca.crt"\nskip_verify = false', path);
  assertEquals([host!.url, host!.ca, host!.skipVerify, more.length], [undefined, ["/ca.crt"], false, 0]);
});

Deno.test("parseHostsToml refuses what it does not understand, and names the file", () => {
  for (
    const [text, reason] of [
      ["server = 1", "server is not a string"],
      ["host = 1", "host is not a table"],
      ["server = [", ""],
      ['capabilities = ["pull", "fly"]', 'unknown capability "fly"'],
      ["skip_verify = 1", "skip_verify is neither true nor false"],
      ["ca = 1", "ca is neither a string nor a list of them"],
      ['client = [["a", "b", "c"]]', "client is not a pair of files"],
      ['[header]\n"a b" = "c"', 'header "a b" is malformed'],
    ] as const
  ) {
    assertThrows(() => parseHostsToml(text, path), SyntaxError, `Cannot read "${path}": ${reason}`);
  }
  const error = assertThrows(
    () => parseHostsToml('server = "https://me:canary@example.com"', path),
    SyntaxError,
  );
  assertEquals(error.message.includes("canary"), false);
});
