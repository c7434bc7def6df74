import { buf } from "../../proto/generate.ts";

/** Every message, field, enum, value, service and method by full name, with what it looks like on the wire. */
export type Symbols = Map<string, string>;

/** Where one set of `.proto` files may differ from another. Keys and names are full names, without a leading dot. */
export interface Exceptions {
  /** What only ours holds, with the containerd version that brought it. Covers what is inside, too. */
  newer?: Record<string, string>;
  /** What only theirs holds. */
  leftOut?: readonly string[];
}

/** Compiles the `.proto` files below a folder, or only the given ones of them with what they import. */
export async function compile(folder: string, paths: string[] = []): Promise<Symbols> {
  const only = paths.flatMap((path) => ["--path", `${folder}/${path}`]);
  const image = await buf("build", folder, ...only, "--as-file-descriptor-set", "--output", "-#format=json");
  const { file }: { file: File[] } = JSON.parse(new TextDecoder().decode(image));
  return new Map(file.flatMap((file) => [
    ...(file.messageType ?? []).flatMap((message) => messageSymbols(message, file.package)),
    ...(file.enumType ?? []).flatMap((type) => enumSymbols(type, file.package)),
    ...(file.service ?? []).flatMap((service) => serviceSymbols(service, file.package)),
  ]));
}

/** Says where ours contradicts theirs, lacks a part of something it has, or holds more, and which exceptions are stale. */
export function differences(ours: Symbols, theirs: Symbols, exceptions: Exceptions = {}): string[] {
  const newer = Object.entries(exceptions.newer ?? {});
  const leftOut = exceptions.leftOut ?? [];
  const isNewer = (name: string) => newer.some(([entry]) => name === entry || name.startsWith(`${entry}.`));
  const isPartOfOurs = (name: string) => ours.has(name.slice(0, name.lastIndexOf(".")));
  return [
    ...[...ours]
      .filter(([name]) => !theirs.has(name) && !isNewer(name))
      .map(([name]) => `${name}: only ours`),
    ...[...ours]
      .filter(([name, shape]) => theirs.has(name) && theirs.get(name) !== shape)
      .map(([name, shape]) => `${name}: ours is "${shape}", theirs "${theirs.get(name)}"`),
    ...[...theirs.keys()]
      .filter((name) => !ours.has(name) && isPartOfOurs(name) && !leftOut.includes(name))
      .map((name) => `${name}: only theirs`),
    ...newer
      .filter(([name]) => !ours.has(name) || theirs.has(name))
      .map(([name, version]) => `${name}: stale exception, newer since ${version}`),
    ...leftOut
      .filter((name) => ours.has(name) || !theirs.has(name))
      .map((name) => `${name}: stale exception, left out`),
  ];
}

function messageSymbols(message: Message, scope: string): [string, string][] {
  const name = `${scope}.${message.name}`;
  return [
    [name, message.options?.mapEntry ? "map entry" : "message"],
    ...(message.field ?? []).map((field): [string, string] => [
      `${name}.${field.name}`,
      fieldShape(field, message.oneofDecl ?? []),
    ]),
    ...(message.nestedType ?? []).flatMap((nested) => messageSymbols(nested, name)),
    ...(message.enumType ?? []).flatMap((nested) => enumSymbols(nested, name)),
  ];
}

/** The field as a `.proto` file would declare it, with `oneof` in front of what is inside one. */
function fieldShape(field: Field, oneofs: { name: string }[]): string {
  const repeated = field.label === "LABEL_REPEATED" ? "repeated" : "";
  const oneof = field.oneofIndex === undefined ? "" : `oneof ${oneofs[field.oneofIndex]?.name}`;
  const type = field.typeName ?? field.type.replace("TYPE_", "").toLowerCase();
  return [field.proto3Optional ? "optional" : oneof, repeated, type, "=", field.number].filter(Boolean).join(
    " ",
  );
}

function enumSymbols(type: Enum, scope: string): [string, string][] {
  const name = `${scope}.${type.name}`;
  const values = type.value.map((value): [string, string] => [`${name}.${value.name}`, `${value.number}`]);
  return [[name, "enum"], ...values];
}

function serviceSymbols(service: Service, scope: string): [string, string][] {
  const name = `${scope}.${service.name}`;
  return [
    [name, "service"],
    ...service.method.map((method): [string, string] => [
      `${name}.${method.name}`,
      `(${method.clientStreaming ? "stream " : ""}${method.inputType}) returns ` +
      `(${method.serverStreaming ? "stream " : ""}${method.outputType})`,
    ]),
  ];
}

// google.protobuf.FileDescriptorSet in its JSON form, which leaves out what is empty.
interface File {
  package: string;
  messageType?: Message[];
  enumType?: Enum[];
  service?: Service[];
}

interface Message {
  name: string;
  field?: Field[];
  nestedType?: Message[];
  enumType?: Enum[];
  oneofDecl?: { name: string }[];
  options?: { mapEntry?: boolean };
}

interface Field {
  name: string;
  number: number;
  label: string;
  type: string;
  typeName?: string;
  oneofIndex?: number;
  proto3Optional?: boolean;
}

interface Enum {
  name: string;
  value: { name: string; number: number }[];
}

interface Service {
  name: string;
  method: {
    name: string;
    inputType: string;
    outputType: string;
    clientStreaming?: boolean;
    serverStreaming?: boolean;
  }[];
}
