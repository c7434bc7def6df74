import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type ImageDocument, parseDocument, parseIndex, parseManifest } from "../../../lib/oci/document.ts";
import { encodeDocument } from "../../../lib/oci/encode.ts";
import { mediaTypes } from "../../../lib/oci/media_types.ts";

const { ociManifest, ociIndex, dockerManifest, dockerManifestList } = mediaTypes;
const digest = (character: string) => `sha256:${character.repeat(64)}`;
const bytes = (text: string) => new TextEncoder().encode(text);
const json = (value: unknown) => bytes(JSON.stringify(value));

const config = { mediaType: mediaTypes.ociConfig, digest: digest("c"), size: 12 };
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digest("1"), size: 1234 };
const manifest = { schemaVersion: 2, mediaType: ociManifest, config, layers: [layer, layer] };
const child = { mediaType: ociManifest, digest: digest("a"), size: 500 };
const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [child] };

function refusal(document: unknown, mediaType: string): string {
  const { message } = assertThrows(() => parseDocument(json(document), { mediaType }), SyntaxError);
  return message;
}

Deno.test("parseManifest() reads config, layers and attributes in both formats", () => {
  for (const mediaType of [ociManifest, dockerManifest]) {
    const expected = {
      mediaType,
      artifactType: "a/b",
      subject: child,
      annotations: { "": "x", k: "" },
      config,
      layers: [layer, layer],
    };
    assertEquals(parseManifest(json({ schemaVersion: 2, ...expected }), { mediaType }), expected);
  }
});

Deno.test("parseIndex() reads platform, urls and annotations of descriptors", () => {
  const platform = {
    architecture: "amd64",
    os: "windows",
    "os.version": "10.0.1.2",
    "os.features": ["win32k"],
  };
  const more = { urls: ["https://x"], annotations: { a: "b" }, artifactType: "a/b" };
  const document = { ...index, manifests: [{ ...child, ...more, platform, data: "e30=" }] };
  for (const mediaType of [ociIndex, dockerManifestList]) {
    assertEquals(parseIndex(json({ ...document, mediaType }), { mediaType }), {
      mediaType,
      manifests: [{
        ...child,
        ...more,
        platform: { os: "windows", architecture: "amd64", osVersion: "10.0.1.2", osFeatures: ["win32k"] },
      }],
    });
  }
});

Deno.test("parseDocument() goes by the media type it is given", () => {
  assert("layers" in parseDocument(json(manifest), { mediaType: ociManifest }));
  assert("manifests" in parseDocument(json(index), { mediaType: ociIndex }));
  assertStringIncludes(refusal(manifest, mediaTypes.ociLayer), "neither an index nor a manifest");
});

Deno.test("parseDocument() takes what containerd takes", () => {
  const { schemaVersion: _version, mediaType: _type, ...bare } = manifest;
  const accepted: Record<string, unknown> = {
    "no schemaVersion, no mediaType": bare,
    "empty mediaType": { ...manifest, mediaType: "" },
    "mediaType of the other format": { ...manifest, mediaType: dockerManifest },
    "layers null, as Go writes an empty list": { ...manifest, layers: null },
    "no layers": { ...bare, layers: undefined },
    "unknown members": { ...manifest, x: { y: [1] } },
    "unknown config type": { ...manifest, config: { ...config, mediaType: "a/b" } },
    "unknown layer type": { ...manifest, layers: [{ ...layer, mediaType: "c/d" }] },
    "size 0": { ...manifest, layers: [{ ...layer, size: 0 }] },
    "null members": { ...manifest, annotations: null, layers: [{ ...layer, platform: null, urls: null }] },
    "unregistered algorithm": { ...manifest, layers: [{ ...layer, digest: "multihash+base58:Qm" }] },
    "names that differ in case where names are free": { ...manifest, annotations: { a: "1", A: "2" } },
  };
  for (const [what, document] of Object.entries(accepted)) {
    const { config } = parseManifest(json(document), { mediaType: ociManifest });
    assertEquals(config.digest, digest("c"), what);
  }
  assertEquals(parseIndex(json({ ...index, manifests: [] }), { mediaType: ociIndex }).manifests, []);
});

Deno.test("parseDocument() refuses what is both index and manifest, or says it is the other", () => {
  const confused: [unknown, string][] = [
    [{ ...manifest, manifests: [child] }, ociManifest],
    [{ ...manifest, manifests: [] }, ociManifest],
    [{ ...manifest, manifests: null }, ociManifest],
    [{ ...manifest, mediaType: ociIndex }, ociManifest],
    [{ ...manifest, mediaType: dockerManifestList }, dockerManifest],
    [{ ...manifest, mediaType: mediaTypes.ociConfig }, ociManifest],
    [{ ...manifest, mediaType: "text/plain" }, ociManifest],
    [{ ...index, layers: [layer] }, ociIndex],
    [{ ...index, layers: null }, ociIndex],
    [{ ...index, config }, ociIndex],
    [{ ...index, mediaType: ociManifest }, ociIndex],
    [{ ...index, mediaType: dockerManifest }, dockerManifestList],
    [manifest, ociIndex],
    [index, ociManifest],
  ];
  for (const [document, mediaType] of confused) {
    assertStringIncludes(refusal(document, mediaType), "Cannot parse image", JSON.stringify(document));
  }
});

Deno.test("parseDocument() refuses names that containerd would take for others", () => {
  assertStringIncludes(refusal({ ...manifest, Layers: [layer] }, ociManifest), 'layers is spelt "Layers"');
  assertStringIncludes(
    refusal({ ...manifest, manifestſ: [child] }, ociManifest),
    'manifests is spelt "manifestſ"',
  );
  assertStringIncludes(refusal({ ...index, CONFIG: config }, ociIndex), 'config is spelt "CONFIG"');
  const { digest: _digest, ...rest } = layer;
  const renamed = { ...rest, Digest: digest("2") };
  assertStringIncludes(
    refusal({ ...manifest, layers: [renamed] }, ociManifest),
    'layers[0].digest is spelt "Digest"',
  );
});

Deno.test("parseDocument() refuses a name that occurs twice in one object", () => {
  const twice = [
    `{"manifests":[],"manifests":[]}`,
    `{"manifests":[],"manifest\\u0073":[]}`,
    `{"manifests":[],"annotations":{"a":"1","a":"2"}}`,
    `{"manifests":[] , "x" : {"y" : "\\"" , "y"\t\n : 1} }`,
    `{"manifests":[],"x\\\\":"\\\\","x\\\\":""}`,
  ];
  for (const text of twice) {
    assertThrows(() => parseIndex(bytes(text), { mediaType: ociIndex }), SyntaxError, "occurs twice", text);
  }
  const once = `{"manifests":[],"x":{"x":"x"},"y":["x","x",{"x":1},{"x":1}],"z":"\\"x\\":","q":"{\\"x\\":1"}`;
  assertEquals(parseIndex(bytes(once), { mediaType: ociIndex }).manifests, []);
});

Deno.test("parseDocument() refuses whole numbers in a form that containerd does not read", () => {
  const text = JSON.stringify(manifest);
  for (
    const [whole, form] of [["2", "2.0"], ["2", "20e-1"], ["1234", "1.234E3"], ["12", "12e0"], [
      "12",
      "1e999",
    ]]
  ) {
    const other = text.replace(`:${whole}`, ` : ${form}`);
    const { message } = assertThrows(
      () => parseManifest(bytes(other), { mediaType: ociManifest }),
      SyntaxError,
      undefined,
      other,
    );
    assertStringIncludes(message, `is not a whole number: ${form}`);
  }
  const elsewhere = { ...manifest, x: 1.5, annotations: { a: ", 1.5" } };
  assertEquals(parseManifest(json(elsewhere), { mediaType: ociManifest }).layers, [layer, layer]);
});

Deno.test("parseDocument() refuses schema 1 by its media type and by its looks", () => {
  const schema1 = { schemaVersion: 1, name: "x", tag: "y", fsLayers: [], history: [], signatures: [] };
  const prettyjws = "application/vnd.docker.distribution.manifest.v1+prettyjws";
  for (const mediaType of [prettyjws, ociManifest, ociIndex]) {
    assertStringIncludes(refusal(schema1, mediaType), "docker's schema 1", mediaType);
  }
  assertStringIncludes(refusal({ ...manifest, fsLayers: null }, ociManifest), "docker's schema 1");
});

Deno.test("parseDocument() names the member that is wrong", () => {
  const wrong: [unknown, string][] = [
    [{ ...manifest, schemaVersion: "2" }, "schemaVersion is not a number"],
    [{ ...manifest, schemaVersion: 3 }, "schemaVersion is not 2: 3"],
    [{ ...manifest, mediaType: 2 }, "mediaType is not a string"],
    [{ ...manifest, config: undefined }, "config is missing"],
    [{ ...manifest, config: null }, "config is missing"],
    [{ ...manifest, config: [config] }, "config is not an object"],
    [{ ...manifest, layers: {} }, "layers is not an array"],
    [{ ...manifest, layers: [layer, null] }, "layers[1] is not an object"],
    [{ ...manifest, layers: [layer, "x"] }, "layers[1] is not an object"],
    [{ ...manifest, layers: [{ ...layer, mediaType: "" }] }, "layers[0].mediaType is missing"],
    [{ ...manifest, layers: [{ ...layer, digest: undefined }] }, "layers[0].digest is missing"],
    [{ ...manifest, layers: [{ ...layer, digest: "sha256:../../x" }] }, "layers[0].digest is malformed"],
    [
      { ...manifest, layers: [{ ...layer, digest: layer.digest.toUpperCase() }] },
      "layers[0].digest is malformed",
    ],
    [{ ...manifest, layers: [{ ...layer, size: undefined }] }, "layers[0].size is missing"],
    [{ ...manifest, layers: [{ ...layer, size: "12" }] }, "layers[0].size is not a number"],
    [{ ...manifest, layers: [{ ...layer, size: -1 }] }, "layers[0].size is not a number of bytes: -1"],
    [{ ...manifest, layers: [{ ...layer, size: 0.5 }] }, "layers[0].size is not a whole number: 0.5"],
    [{ ...manifest, layers: [{ ...layer, size: 2 ** 53 }] }, "layers[0].size is not a number of bytes"],
    [{ ...manifest, subject: { ...child, size: -1 } }, "subject.size"],
    [{ ...manifest, annotations: { a: 1 } }, 'annotations["a"] is not a string'],
    [{ ...manifest, layers: [{ ...layer, annotations: [] }] }, "layers[0].annotations is not an object"],
    [{ ...manifest, layers: [{ ...layer, urls: [1] }] }, "layers[0].urls[0] is not a string"],
    [{ ...manifest, layers: [{ ...layer, platform: { os: 1 } }] }, "layers[0].platform.os is not a string"],
  ];
  for (const [document, message] of wrong) {
    assertEquals(
      refusal(document, ociManifest).startsWith(`Cannot parse image manifest: ${message}`),
      true,
      message,
    );
  }
});

Deno.test("parseDocument() says which document it refuses, with foreign text made visible", () => {
  const source = { mediaType: ociIndex, digest: digest("d") };
  const hostile = { ...index, mediaType: "\x1b]0;x\x07\u202e\n" };
  const { message } = assertThrows(() => parseDocument(json(hostile), source), SyntaxError);
  assertEquals(
    message,
    `Cannot parse image index "${
      digest("d")
    }": mediaType is that of something else: "\\u001b]0;x\\u0007\\u202e\\n"`,
  );
});

Deno.test("parseDocument() refuses bytes that are no JSON object", () => {
  const valid = JSON.stringify(index);
  const broken: Uint8Array[] = [
    new Uint8Array(),
    ...[
      "null",
      "[]",
      '"x"',
      "1",
      "{",
      "}",
      '{"a"}',
      `${valid}x`,
      `\ufeff${valid}`,
      "{'a':1}",
      '{"a":"\n"}',
      '"',
      "\\",
    ]
      .map(bytes),
    new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    ...Array.from({ length: valid.length - 1 }, (_, length) => bytes(valid.slice(0, length))),
  ];
  for (const document of broken) {
    assertThrows(
      () => parseIndex(document, { mediaType: ociIndex }),
      SyntaxError,
      "Cannot parse image index: not",
    );
  }
});

Deno.test("parseDocument() keeps to its limits, and to them quickly", () => {
  const started = performance.now();
  const beyond: [string, string][] = [
    [`{"x":${"[".repeat(4e6)}${"]".repeat(4e6)}}`, "nested deeper than 32"],
    [`{"x":${'{"y":'.repeat(1e6)}1${"}".repeat(1e6)}}`, "nested deeper than 32"],
    [JSON.stringify({ x: "x".repeat(8 * 1024 * 1024) }), "more than the limit of 8388608"],
    [JSON.stringify({ manifests: Array(10_001).fill(child) }), "more than the limit of 10000"],
    [`{"x":"${"\\\\".repeat(4e6)}`, "not valid JSON"],
  ];
  for (const [text, message] of beyond) {
    assertThrows(() => parseIndex(bytes(text), { mediaType: ociIndex }), SyntaxError, message);
  }
  const within = { ...index, manifests: Array(10_000).fill(child), x: "\\".repeat(2e6) };
  assertEquals(parseIndex(json(within), { mediaType: ociIndex }).manifests.length, 10_000);
  assert(performance.now() - started < 10_000);
});

Deno.test("parseDocument() leaves the prototypes of JavaScript alone", () => {
  const text =
    `{"manifests":[],"annotations":{"__proto__":"x","constructor":"y"},"__proto__":{"manifests":[]}}`;
  const { annotations } = parseIndex(bytes(text), { mediaType: ociIndex });
  assertEquals(Object.entries(annotations!), [["__proto__", "x"], ["constructor", "y"]]);
  assertEquals(Object.getPrototypeOf(annotations), Object.prototype);
});

Deno.test("encodeDocument() writes what parseDocument() reads back", () => {
  const platform = { os: "linux", architecture: "arm", variant: "v7", osVersion: "1", osFeatures: ["a"] };
  const full = { ...child, platform, urls: ["u"], annotations: { b: "1", a: "2" }, artifactType: "t/u" };
  const documents: ImageDocument[] = [
    { mediaType: ociIndex, manifests: [] },
    { mediaType: dockerManifestList, manifests: [child, full], subject: full, annotations: { x: "" } },
    { mediaType: ociManifest, config, layers: [] },
    { mediaType: dockerManifest, artifactType: "v/w", config: full, layers: [layer, full] },
  ];
  for (const document of documents) assertEquals(parseDocument(encodeDocument(document), document), document);
});

Deno.test("encodeDocument() writes the bytes that containerd writes", () => {
  const platform = { variant: "v7", architecture: "arm", os: "linux" };
  const document: ImageDocument = {
    layers: [{ annotations: { b: "1", a: "2" }, size: 3, digest: digest("1"), mediaType: "l" }],
    mediaType: dockerManifest,
    config: { platform, size: 4, mediaType: "c", digest: digest("2") },
  };
  assertEquals(
    new TextDecoder().decode(encodeDocument(document)),
    `{"schemaVersion":2,"mediaType":"${dockerManifest}","config":{"mediaType":"c","digest":"${
      digest("2")
    }","size":4,` +
      `"platform":{"architecture":"arm","os":"linux","variant":"v7"}},` +
      `"layers":[{"mediaType":"l","digest":"${digest("1")}","size":3,"annotations":{"a":"2","b":"1"}}]}`,
  );
});
