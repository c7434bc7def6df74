/** The changes that a dry run can simulate, in words. */
import type {
  AbortRequest,
  DeleteContentRequest,
  UpdateRequest,
  WriteContentRequest,
} from "../../proto/gen/containerd/services/content/v1/content.ts";
import type {
  CreateImageRequest,
  DeleteImageRequest,
  UpdateImageRequest,
} from "../../proto/gen/containerd/services/images/v1/images.ts";
import type {
  AddResourceRequest,
  CreateRequest,
  DeleteRequest,
  DeleteResourceRequest,
} from "../../proto/gen/containerd/services/leases/v1/leases.ts";
import type {
  CreateNamespaceRequest,
  DeleteNamespaceRequest,
  UpdateNamespaceRequest,
} from "../../proto/gen/containerd/services/namespaces/v1/namespaces.ts";
import { quoted } from "../oci/quoted.ts";
import { Content, Images, Leases, Namespaces } from "../transport/methods.ts";
import type { Method } from "../transport/transport.ts";

/** What a request would change; `undefined` for a method that cannot be simulated. */
export function describeChange({ name }: Method, request: unknown): string | undefined {
  return descriptions.get(name)?.(request);
}

const descriptions: ReadonlyMap<string, (request: unknown) => string> = new Map([
  change(
    Namespaces.create,
    ({ namespace }: CreateNamespaceRequest) => `create namespace ${quoted(namespace!.name)}`,
  ),
  change(
    Namespaces.update,
    ({ namespace }: UpdateNamespaceRequest) => `label namespace ${quoted(namespace!.name)}`,
  ),
  change(Namespaces.delete, ({ name }: DeleteNamespaceRequest) => `delete namespace ${quoted(name)}`),
  change(
    Images.create,
    ({ image }: CreateImageRequest) => `create image ${quoted(image!.name)} for ${image!.target!.digest}`,
  ),
  change(Images.update, ({ image, updateMask }: UpdateImageRequest) => {
    const what = updateMask?.length ? `change ${updateMask.join(", ")} of` : "replace";
    return `${what} image ${quoted(image!.name)}`;
  }),
  change(Images.delete, ({ name }: DeleteImageRequest) => `delete image ${quoted(name)}`),
  change(Content.update, ({ info }: UpdateRequest) => `label content ${info!.digest}`),
  change(Content.delete, ({ digest }: DeleteContentRequest) => `delete content ${digest}`),
  change(Content.abort, ({ ref }: AbortRequest) => `abort ingest ${quoted(ref)}`),
  change(Content.write, ({ expected }: WriteContentRequest) => `share content ${expected}`),
  change(Leases.create, ({ id }: CreateRequest) => `create lease ${quoted(id)}`),
  change(Leases.delete, ({ id }: DeleteRequest) => `delete lease ${quoted(id)}`),
  change(
    Leases.addResource,
    ({ id, resource }: AddResourceRequest) =>
      `add ${resource!.type} ${quoted(resource!.id)} to lease ${quoted(id)}`,
  ),
  change(
    Leases.deleteResource,
    ({ id, resource }: DeleteResourceRequest) =>
      `take ${resource!.type} ${quoted(resource!.id)} from lease ${quoted(id)}`,
  ),
]);

function change<Request, Full extends Request>(
  { name }: Method<Request>,
  describe: (request: Full) => string,
): [string, (request: unknown) => string] {
  return [name, (request) => describe(request as Full)];
}
