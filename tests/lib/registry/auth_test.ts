import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Credentials, fixedCredentials } from "../../../lib/registry/credentials.ts";
import { RegistryError } from "../../../lib/registry/failure.ts";
import { defaultHost } from "../../../lib/registry/host.ts";
import { mediaTypes } from "../../../lib/oci/media_types.ts";
import { openRegistry, type RegistryOptions } from "../../../lib/registry/registry.ts";
import { HttpProxy } from "../../fault/http_proxy.ts";
import { Authority } from "../../real/certificates.ts";
import { buildImage } from "../../real/image_builder.ts";
import { randomLayer } from "../../real/layers.ts";
import { account, LocalRegistry, registryTest } from "../../real/registry.ts";
import { TokenServer } from "../../real/token_server.ts";
import { bytesOf, pushImage, sourceOf } from "./images.ts";

const quick: RegistryOptions = { retry: { attempts: 3, firstWaitMs: 1 } };
const layer = await randomLayer(50_000, 1);
const image = await buildImage({ name: "example.com/app:v1", layers: [layer] });
const known: Credentials = () => Promise.resolve(account);

/** Everything about an error that could be shown. */
function shown(error: RegistryError): string {
  return [error.message, error.stack, String(error.cause), JSON.stringify(error)].join("\n");
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-registry-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

registryTest("a password is sent when the registry asks for it, and not before", async () => {
  await using server = await LocalRegistry.start({ password: true });
  await using proxy = HttpProxy.start(server.url);
  const name = `${proxy.host}/app:v1`;
  let asked = 0;
  await using registry = openRegistry({
    ...quick,
    credentials: (request) => {
      asked++;
      assertEquals(request, { host: proxy.host, repository: "app" });
      return known(request);
    },
  });
  await pushImage(registry, name, image);
  assertEquals((await registry.resolve(name)).descriptor.digest, image.target.digest);
  assertEquals(asked, 1);
  const authorizations = proxy.seen(/app/).map(({ headers }) => headers.get("authorization"));
  assertEquals(authorizations.indexOf(null), 0);
  assertEquals(authorizations.lastIndexOf(null), 0);
});

registryTest("a wrong password, and none, are errors that tell them apart and show nothing", async () => {
  await using server = await LocalRegistry.start({ password: true });
  const failure = async (credentials?: Credentials) => {
    await using registry = openRegistry({ ...quick, credentials });
    return await assertRejects(() => registry.resolve(`${server.host}/app:v1`), RegistryError);
  };
  const wanted = await failure();
  assertEquals([wanted.code, wanted.trouble], ["unauthenticated", "credentials wanted"]);
  const password = "wrong-canary";
  const refused = await failure(() => Promise.resolve({ username: "davit", password }));
  assertEquals([refused.code, refused.trouble], ["unauthenticated", "credentials refused"]);
  assertStringIncludes(
    refused.message,
    `Cannot pull image "${server.host}/app:v1": registry "${server.host}" refuses`,
  );
  for (const secret of [password, btoa(`davit:${password}`)]) assert(!shown(refused).includes(secret));
});

registryTest(
  "tokens are asked for once for each scope, and shared by what runs at once",
  () =>
    inFolder(async (folder) => {
      await using tokens = await TokenServer.start(await Authority.make(folder));
      await using server = await LocalRegistry.start({ token: tokens.settings });
      const name = `${server.host}/app:v1`;
      await using writer = openRegistry({ ...quick, credentials: fixedCredentials(server.host, account) });
      await pushImage(writer, name, image);
      const scopes = () => tokens.requests.map(({ parameters }) => parameters.getAll("scope").join(" "));
      assertEquals(scopes(), ["repository:app:pull,push"]);
      const target = await writer.pushTo(`${server.host}/other:v1`);
      const mounted = await target.upload(layer.descriptor, sourceOf(layer.bytes), { mountFrom: "app" });
      assertEquals(mounted.status, "mounted");
      assert(scopes().includes("repository:other:pull,push repository:app:pull"), scopes().join("\n"));

      tokens.requests.length = 0;
      await using reader = openRegistry(quick);
      const blobs = await Promise.all(
        Array.from({ length: 8 }, () => bytesOf(reader.blob(name, layer.descriptor))),
      );
      assertEquals(blobs, blobs.map(() => layer.bytes));
      assertEquals(tokens.requests, [{
        method: "GET",
        authorization: null,
        parameters: new URLSearchParams({ service: "davit registry", scope: "repository:app:pull" }),
      }]);
      const push = (await reader.pushTo(name)).upload({
        ...layer.descriptor,
        digest: `sha256:${"1".repeat(64)}`,
      }, sourceOf(layer.bytes));
      const error = await assertRejects(() => push, RegistryError);
      assertEquals([error.code, error.trouble], ["unauthenticated", "credentials wanted"]);
    }),
);

registryTest(
  "an identity token is exchanged, and a token that has expired is renewed",
  () =>
    inFolder(async (folder) => {
      await using tokens = await TokenServer.start(await Authority.make(folder));
      await using server = await LocalRegistry.start({ token: tokens.settings });
      tokens.lifetime = 0.02;
      const { identityToken } = tokens;
      await using registry = openRegistry({
        ...quick,
        credentials: () => Promise.resolve({ identityToken }),
      });
      await pushImage(registry, `${server.host}/app:v1`, image);
      assertEquals(tokens.requests[0]!.method, "POST");
      assertEquals(Object.fromEntries(tokens.requests[0]!.parameters), {
        ...{ grant_type: "refresh_token", client_id: "davit", service: "davit registry" },
        ...{ refresh_token: identityToken, scope: "repository:app:pull,push" },
      });
      assertEquals(tokens.requests.length, 2);
    }),
);

registryTest("a token that the registry no longer takes is replaced", () =>
  inFolder(async (folder) => {
    await using tokens = await TokenServer.start(await Authority.make(folder));
    await using server = await LocalRegistry.start({ token: tokens.settings });
    await using registry = openRegistry({ ...quick, credentials: known });
    tokens.fault = () => tokens.requests.length === 1 ? Response.json({ token: "stale" }) : undefined;
    await pushImage(registry, `${server.host}/app:v1`, image);
    assertEquals(tokens.requests.length, 2);
  }));

registryTest(
  "what a token server says is an error without what was said to it",
  () =>
    inFolder(async (folder) => {
      await using tokens = await TokenServer.start(await Authority.make(folder));
      await using server = await LocalRegistry.start({ token: tokens.settings });
      const failure = async () => {
        await using registry = openRegistry({ ...quick, credentials: known });
        return await assertRejects(() => registry.resolve(`${server.host}/app:v1`), RegistryError);
      };
      tokens.fault = ({ authorization }) =>
        new Response(`you sent ${authorization} and ${account.password}`, {
          status: 503,
          headers: { "content-type": "text/plain" },
        });
      const busy = await failure();
      assertEquals(tokens.requests.length, 3);
      assertStringIncludes(busy.message, `token server "${tokens.host}"`);
      for (const secret of [account.password, btoa(`davit:${account.password}`)]) {
        assert(!shown(busy).includes(secret), shown(busy));
      }
      tokens.fault = () => new Response(null, { status: 401 });
      assertEquals((await failure()).trouble, "credentials refused");
      tokens.fault = () => Response.json({});
      assertStringIncludes((await failure()).message, "without a token");
    }),
);

registryTest(
  "a registry with TLS cannot send credentials to a token server without",
  () =>
    inFolder(async (folder) => {
      const authority = await Authority.make(folder);
      const tls = { ca: [await authority.pem()] };
      await using open = await TokenServer.start(authority);
      await using closed = await TokenServer.start(authority, { tls: true });
      const resolve = async (token: TokenServer) => {
        await using server = await LocalRegistry.start({
          tls: await authority.sign(),
          token: token.settings,
        });
        await using registry = openRegistry({ ...quick, tls, credentials: known });
        return await assertRejects(() => registry.resolve(`${server.host}/app:v1`), RegistryError);
      };
      const refused = await resolve(open);
      assertEquals([refused.code, open.requests.length], ["permission_denied", 0]);
      const missing = await resolve(closed);
      assertEquals([missing.code, closed.requests.length], ["not_found", 1]);
    }),
);

registryTest("a redirect to another host gets nothing that is secret", async () => {
  await using server = await LocalRegistry.start({ password: true });
  await using proxy = HttpProxy.start(server.url);
  await using storage = HttpProxy.start(server.url);
  storage.fault = () => new Response(layer.bytes);
  const name = `${proxy.host}/app:v1`;
  await using registry = openRegistry({
    ...quick,
    credentials: known,
    hosts: () =>
      Promise.resolve([{
        ...defaultHost(proxy.host, { plainHttp: true }),
        headers: [["x-canary", "canary-header"]],
      }]),
  });
  await pushImage(registry, name, image);
  proxy.fault = ({ path }) =>
    /blobs/.test(path)
      ? new Response(null, {
        status: 307,
        headers: { location: `http://${storage.host}/data?signature=canary` },
      })
      : undefined;
  assertEquals(await bytesOf(registry.blob(name, layer.descriptor)), layer.bytes);
  const [request] = storage.requests;
  assertEquals([request!.headers.get("authorization"), request!.headers.get("x-canary")], [null, null]);
  assertEquals(proxy.requests.at(-1)!.headers.get("x-canary"), "canary-header");

  storage.fault = () => new Response("denied for signature=canary", { status: 403 });
  const denied = await assertRejects(() => bytesOf(registry.blob(name, layer.descriptor)), RegistryError);
  assert(!shown(denied).includes("canary"), shown(denied));
  proxy.fault = () => new Response(null, { status: 307, headers: { location: "/v2/again" } });
  const circle = await assertRejects(() => registry.resolve(name), RegistryError);
  assertStringIncludes(circle.message, "in circles");
});

registryTest(
  "a layer that the registry may not hold comes from where it says, without anything that is secret",
  () =>
    inFolder(async (folder) => {
      const authority = await Authority.make(folder);
      const { cert, key } = await authority.sign();
      await using server = await LocalRegistry.start({ password: true });
      const tls = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
      await using vendor = HttpProxy.start(server.url, tls);
      vendor.fault = () => new Response(layer.bytes);
      const urls: string[] = [];
      await using registry = openRegistry({
        ...quick,
        credentials: known,
        tls: { ca: [await authority.pem()] },
        onAnswer: ({ url }) => urls.push(url),
      });
      const url = `https://${vendor.host}/layer?token=canary`;
      const { ociForeignLayerGzip } = mediaTypes;
      const foreign = {
        ...layer.descriptor,
        mediaType: ociForeignLayerGzip,
        urls: ["http://127.0.0.1:9/x", url],
      };
      const name = `${server.host}/app:v1`;
      assertEquals(await bytesOf(registry.blob(name, foreign)), layer.bytes);
      assertEquals(vendor.requests.map(({ headers }) => headers.get("authorization")), [null]);
      assertEquals(urls.at(-1), `https://${vendor.host}/layer`);
      const plain = { ...foreign, mediaType: layer.descriptor.mediaType };
      await assertRejects(() => bytesOf(registry.blob(name, plain)), RegistryError, "not found");
    }),
);

registryTest("a redirect from https to plain http is refused", () =>
  inFolder(async (folder) => {
    const authority = await Authority.make(folder);
    const { cert, key } = await authority.sign();
    await using plain = await LocalRegistry.start();
    const tls = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
    await using proxy = HttpProxy.start(plain.url, tls);
    proxy.fault = ({ path }) => new Response(null, { status: 302, headers: { location: plain.url + path } });
    await using registry = openRegistry({ ...quick, tls: { ca: [await authority.pem()] } });
    const error = await assertRejects(() => registry.resolve(`${proxy.host}/app:v1`), RegistryError);
    assertEquals([error.code, /from https to plain http/.test(error.message)], ["permission_denied", true]);
    proxy.fault = ({ method, path }) =>
      method === "POST"
        ? new Response(null, { status: 202, headers: { location: plain.url + path } })
        : new Response(null, { status: 404 });
    const target = await registry.pushTo(`${proxy.host}/app:v1`);
    const upload = target.upload(layer.descriptor, sourceOf(layer.bytes));
    const refused = await assertRejects(() => upload, RegistryError);
    assertEquals([refused.code, /from https to plain http/.test(refused.message)], [
      "permission_denied",
      true,
    ]);
  }));
