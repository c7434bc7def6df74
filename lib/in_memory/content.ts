import type {
  AbortRequest,
  DeleteContentRequest,
  Info,
  InfoRequest,
  ListContentRequest,
  ListStatusesRequest,
  ReadContentRequest,
  Status,
  StatusRequest,
  UpdateRequest,
  WriteContentRequest,
} from "../../proto/gen/containerd/services/content/v1/content.ts";
import { Content as methods } from "../transport/methods.ts";
import { writeContent } from "./content_write.ts";
import { filtered, labelAt } from "./filters.ts";
import type { Ingest } from "./ingest.ts";
import { checkDigest, checkLabels, updatedLabels } from "./names.ts";
import { refusal } from "./refusal.ts";
import { first, type Handler, stream, unary } from "./service.ts";
import { inOrder, now, type State } from "./state.ts";

const infosAtOnce = 100;
const chunkBytes = 1024 * 1024;

/** containerd's content service. */
export function contentService(state: State): Handler[] {
  const find = (namespace: string, digest: string): Info => {
    checkDigest(digest);
    const info = state.at(namespace).content.get(digest);
    if (info === undefined) throw refusal("not_found", `content ${digest}`);
    return info;
  };
  return [
    unary(methods.info, ({ digest }: InfoRequest, { namespace }) => ({ info: find(namespace, digest) })),
    unary(methods.update, ({ info: given, updateMask = [] }: UpdateRequest, { namespace }) => {
      const before = find(namespace, given!.digest);
      const other = updateMask.find((path) => !/^labels($|\.)/.test(path));
      if (other !== undefined) {
        throw refusal(
          "invalid_argument",
          `cannot update "${other}" field on content info "${before.digest}"`,
        );
      }
      const mask = updateMask.length === 0 ? ["labels"] : updateMask;
      const info = {
        ...before,
        labels: updatedLabels(before.labels, given!.labels, mask),
        updatedAt: now(),
      };
      checkLabels(info.labels);
      state.at(namespace).content.set(info.digest, info);
      return { info };
    }),
    stream(methods.list, async function* (requests: AsyncIterable<ListContentRequest>, { namespace }) {
      const { filters } = await first(requests);
      const infos = filtered(inOrder(state.at(namespace).content), filters, fieldOf);
      for (let at = 0; at < infos.length; at += infosAtOnce) {
        yield { info: infos.slice(at, at + infosAtOnce) };
      }
    }),
    unary(methods.delete, ({ digest }: DeleteContentRequest, { namespace }) => {
      find(namespace, digest);
      state.at(namespace).content.delete(digest);
      return {};
    }),
    stream(methods.read, async function* (requests: AsyncIterable<ReadContentRequest>, { namespace }) {
      const { digest, offset, size } = await first(requests);
      const blob = find(namespace, digest);
      const end = size > 0n ? offset + size : blob.size;
      if (offset > blob.size || end > blob.size) {
        throw refusal("out_of_range", `read past object length ${blob.size} bytes`);
      }
      const bytes = state.blobs.get(digest)!.subarray(0, Number(end));
      for (let at = Number(offset); at < bytes.length; at += chunkBytes) {
        yield { offset: BigInt(at), data: bytes.slice(at, at + chunkBytes) };
      }
    }),
    unary(methods.status, ({ ref }: StatusRequest, { namespace }) => {
      const ingest = state.at(namespace).ingests.get(ref);
      if (!isVisible(ingest)) throw refusal("not_found", `reference ${ref}`);
      return { status: ingest.status };
    }),
    unary(methods.listStatuses, ({ filters }: ListStatusesRequest, { namespace }) => ({
      statuses: filtered(
        inOrder(state.at(namespace).ingests).filter(isVisible).map(({ status }) => status),
        filters,
        refOf,
      ),
    })),
    unary(methods.abort, ({ ref }: AbortRequest, { namespace }) => {
      if (!state.at(namespace).ingests.delete(ref)) throw refusal("not_found", `reference ${ref}`);
      return {};
    }),
    stream(
      methods.write,
      (requests: AsyncIterable<WriteContentRequest>, call) => writeContent(state, requests, call),
    ),
  ];
}

/** A write that only shares a blob does not show. */
function isVisible(ingest: Ingest | undefined): ingest is Ingest {
  return ingest !== undefined && !ingest.isShared;
}

function fieldOf({ digest, size, labels }: Info, [field, ...path]: readonly string[]): string | undefined {
  switch (field) {
    case "digest":
      return digest;
    case "size":
      return String(size);
    case "labels":
      return labelAt(labels, path);
    default:
      return undefined;
  }
}

function refOf({ ref }: Status, [field]: readonly string[]): string | undefined {
  return field === "ref" ? ref : undefined;
}
