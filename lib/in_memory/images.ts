import type {
  CreateImageRequest,
  DeleteImageRequest,
  GetImageRequest,
  Image,
  ListImagesRequest,
  UpdateImageRequest,
} from "../../proto/gen/containerd/services/images/v1/images.ts";
import { isContentDigest } from "../oci/descriptor.ts";
import { Images as methods } from "../transport/methods.ts";
import { filtered, labelAt } from "./filters.ts";
import { collectGarbage } from "./garbage.ts";
import { checkLabels, keptLabels, updatedLabels } from "./names.ts";
import { Refusal, refusal } from "./refusal.ts";
import { type Handler, unary } from "./service.ts";
import { checkLease, hold, inOrder, now, type State } from "./state.ts";

/** containerd's images service. */
export function imagesService(state: State): Handler[] {
  const find = (namespace: string, name: string): Image => {
    const image = state.at(namespace).images.get(name);
    if (image === undefined) throw refusal("not_found", described(name));
    return image;
  };
  return [
    unary(methods.get, ({ name }: GetImageRequest, { namespace }) => ({ image: find(namespace, name) })),
    unary(methods.list, ({ filters }: ListImagesRequest, { namespace }) => ({
      images: filtered(inOrder(state.at(namespace).images), filters, fieldOf),
    })),
    unary(methods.create, ({ image: given }: CreateImageRequest, { namespace, lease }) => {
      if (given!.name === "") throw new Refusal("invalid_argument", "Image.Name required");
      check(given!);
      checkLease(state.at(namespace), lease);
      if (state.at(namespace).images.has(given!.name)) {
        throw refusal("already_exists", described(given!.name));
      }
      const image = { ...given!, labels: keptLabels(given!.labels), createdAt: now(), updatedAt: now() };
      const inside = state.reach(namespace);
      inside.images.set(image.name, image);
      hold(inside, lease, { type: "images", id: image.name });
      return { image };
    }),
    unary(methods.update, ({ image: given, updateMask }: UpdateImageRequest, { namespace, lease }) => {
      if (given!.name === "") throw new Refusal("invalid_argument", "Image.Name required");
      const image = changed(find(namespace, given!.name), given!, updateMask ?? []);
      check(image);
      const inside = state.reach(namespace);
      hold(inside, lease, { type: "images", id: image.name });
      inside.images.set(image.name, image);
      return { image };
    }),
    unary(methods.delete, ({ name, sync, target }: DeleteImageRequest, { namespace }) => {
      const image = find(namespace, name);
      if (target && target.digest !== image.target?.digest) {
        throw refusal("not_found", `${described(name)} has target ${image.target?.digest}`);
      }
      state.at(namespace).images.delete(name);
      if (sync) collectGarbage(state);
      return {};
    }),
  ];
}

function described(name: string): string {
  return `image ${JSON.stringify(name)}`;
}

function changed(before: Image, given: Image, mask: readonly string[]): Image {
  const other = mask.find((path) => path !== "target" && !/^labels($|\.)/.test(path));
  if (other !== undefined) {
    throw refusal("invalid_argument", `cannot update "${other}" field on ${described(given.name)}`);
  }
  const paths = mask.length === 0 ? ["target", "labels"] : mask;
  return {
    ...before,
    target: paths.includes("target") ? given.target : before.target,
    labels: updatedLabels(before.labels, given.labels, paths),
    updatedAt: now(),
  };
}

function check({ target, labels }: Image): void {
  checkLabels(labels);
  const { digest, size, mediaType } = target!;
  if (!isContentDigest(digest)) throw refusal("invalid_argument", `Image.Target.Digest "${digest}" invalid`);
  if (size <= 0n) throw refusal("invalid_argument", "Image.Target.Size must be greater than zero");
  if (mediaType === "") throw refusal("invalid_argument", "Image.Target.MediaType must be set");
}

function fieldOf({ name, target, labels }: Image, [field, ...path]: readonly string[]): string | undefined {
  switch (field) {
    case "name":
      return name;
    case "labels":
      return labelAt(labels, path);
    case "target":
      return path[0] === "digest" ? target?.digest : path[0] === "mediatype" ? target?.mediaType : undefined;
    default:
      return undefined;
  }
}
