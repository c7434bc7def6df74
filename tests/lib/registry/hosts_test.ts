import { assertEquals, assertRejects } from "@std/assert";
import { defaultHost } from "../../../lib/registry/host.ts";
import { configuredHosts, type HostFiles } from "../../../lib/registry/hosts.ts";

/** Files by path. */
function filesOf(files: Record<string, string>): HostFiles {
  return {
    readFile: (path) => Promise.resolve(files[path]),
    listFolder(folder) {
      const names = Object.keys(files).filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1).split("/", 1)[0]!);
      return Promise.resolve(names.length > 0 ? names : undefined);
    },
  };
}

const folders = ["/c", "/d"];

Deno.test("configuredHosts finds the folder of a registry, also where colons are not allowed, and the one for all", async () => {
  const server = (name: string) => `server = "https://${name}.example"`;
  const hosts = configuredHosts(
    folders,
    filesOf({
      "/c/a.example:5000/hosts.toml": server("never"),
      "/c/a.example_5000_/hosts.toml": server("underscores"),
      "/d/b.example:5000/hosts.toml": server("colon"),
      "/c/c.example/hosts.toml": server("plain"),
      "/d/_default/hosts.toml": server("default"),
    }),
  );
  const urlsOf = async (registry: string) => (await hosts(registry))?.map(({ url }) => url);
  assertEquals(await urlsOf("a.example:5000"), ["https://underscores.example/v2"]);
  assertEquals(await urlsOf("b.example:5000"), ["https://colon.example/v2"]);
  assertEquals(await urlsOf("c.example"), ["https://plain.example/v2"]);
  assertEquals(await urlsOf("d.example"), ["https://default.example/v2"]);
  assertEquals(await configuredHosts(["/c"], filesOf({}))("d.example"), undefined);
});

Deno.test("configuredHosts gives the registry itself for a file without server", async () => {
  const toml = '[host."https://mirror.example"]\ncapabilities = ["pull"]';
  const hosts = configuredHosts(folders, filesOf({ "/c/docker.io/hosts.toml": toml }));
  assertEquals((await hosts("docker.io"))!.map(({ url }) => url), [
    "https://mirror.example/v2",
    "https://registry-1.docker.io/v2",
  ]);
});

Deno.test("configuredHosts reads certificates beside a hosts.toml, and elsewhere", async () => {
  const toml =
    'server = "https://a.example"\nca = ["ca.crt", "/etc/ca.pem"]\nclient = [["x.cert", "x.key"]]\nskip_verify = true';
  const hosts = configuredHosts(
    folders,
    filesOf({
      "/c/a.example/hosts.toml": toml,
      "/c/a.example/ca.crt": "CA",
      "/etc/ca.pem": "CA2",
      "/c/a.example/x.cert": "CERT",
      "/c/a.example/x.key": "KEY",
    }),
  );
  const tls = { ca: ["CA", "CA2"], client: { cert: "CERT", key: "KEY" }, skipVerify: true };
  assertEquals((await hosts("a.example"))!.map((host) => host.tls), [tls]);
});

Deno.test("configuredHosts takes certificates alone, as docker does, and what is given for all", async () => {
  const hosts = configuredHosts(
    folders,
    filesOf({
      "/d/localhost:5000/ca.crt": "CA",
      "/d/localhost:5000/client.cert": "CERT",
      "/d/localhost:5000/client.key": "KEY",
    }),
    { tls: { ca: ["other"], skipVerify: true } },
  );
  const tls = { ca: ["CA"], client: { cert: "CERT", key: "KEY" }, skipVerify: true };
  assertEquals(await hosts("localhost:5000"), [defaultHost("localhost:5000", { tls })]);
});

Deno.test("configuredHosts refuses a file that names another one that is not there", async () => {
  const hosts = configuredHosts(folders, filesOf({ "/c/a.example/hosts.toml": 'ca = "ca.crt"' }));
  await assertRejects(
    () => hosts("a.example"),
    SyntaxError,
    'Cannot use "ca.crt" of "/c/a.example": no such file',
  );
});

Deno.test("defaultHost speaks https, and on this machine perhaps plain http", () => {
  const urls = [
    "docker.io",
    "a.example",
    "a.example:80",
    "localhost",
    "localhost:5000",
    "127.0.0.1:443",
    "127.0.0.2:80",
    "[::1]:5000",
  ]
    .map((registry) => {
      const { url, mayBePlain = false } = defaultHost(registry);
      return `${url} ${mayBePlain}`;
    });
  assertEquals(urls, [
    "https://registry-1.docker.io/v2 false",
    "https://a.example/v2 false",
    "https://a.example:80/v2 false",
    "https://localhost/v2 false",
    "https://localhost:5000/v2 true",
    "https://127.0.0.1:443/v2 false",
    "http://127.0.0.2:80/v2 false",
    "https://[::1]:5000/v2 true",
  ]);
  assertEquals(defaultHost("a.example", { plainHttp: true }).url, "http://a.example/v2");
});
