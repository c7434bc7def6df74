import type {
  AddResourceRequest,
  CreateRequest,
  DeleteRequest,
  DeleteResourceRequest,
  Lease,
  ListRequest,
  ListResourcesRequest,
  Resource,
} from "../../proto/gen/containerd/services/leases/v1/leases.ts";
import { Leases as methods } from "../transport/methods.ts";
import { filtered, labelAt } from "./filters.ts";
import { collectGarbage } from "./garbage.ts";
import { checkDigest, keptLabels } from "./names.ts";
import { refusal } from "./refusal.ts";
import { type Handler, unary } from "./service.ts";
import { hold, inOrder, letGo, type NamespaceState, now, type State } from "./state.ts";

/** containerd's leases service. */
export function leasesService(state: State): Handler[] {
  const holding = (name: string, id: string): NamespaceState => {
    const namespace = state.at(name);
    if (!namespace.leases.has(id)) throw refusal("not_found", `lease ${JSON.stringify(id)}`);
    return namespace;
  };
  return [
    unary(methods.create, ({ id, labels }: CreateRequest, { namespace }) => {
      if (id === "") throw refusal("invalid_argument", "lease id must be provided");
      if (state.at(namespace).leases.has(id)) throw refusal("already_exists", `lease ${JSON.stringify(id)}`);
      const lease = { id, labels: keptLabels(labels), createdAt: now() };
      const inside = state.reach(namespace);
      inside.leases.set(id, lease);
      inside.held.set(id, []);
      return { lease };
    }),
    unary(methods.delete, ({ id, sync }: DeleteRequest, { namespace }) => {
      const inside = holding(namespace, id);
      inside.leases.delete(id);
      inside.held.delete(id);
      if (sync) collectGarbage(state);
      return {};
    }),
    unary(methods.list, ({ filters }: ListRequest, { namespace }) => ({
      leases: filtered(inOrder(state.at(namespace).leases), filters, fieldOf),
    })),
    unary(methods.addResource, ({ id, resource }: AddResourceRequest, { namespace }) => {
      checkResource(resource!);
      hold(holding(namespace, id), id, resource!);
      return {};
    }),
    unary(methods.deleteResource, ({ id, resource }: DeleteResourceRequest, { namespace }) => {
      checkResource(resource!);
      letGo(holding(namespace, id), id, resource!);
      return {};
    }),
    unary(methods.listResources, ({ id }: ListResourcesRequest, { namespace }) => ({
      resources: holding(namespace, id).held.get(id)!.toSorted(byTypeAndId),
    })),
  ];
}

function checkResource({ type, id }: Resource): void {
  if (type === "content") checkDigest(id);
  else if (!/^(ingests|images|snapshots\/.+)$/.test(type)) {
    throw refusal("unimplemented", `resource type ${type} not supported yet`);
  }
}

function byTypeAndId(a: Resource, b: Resource): number {
  return `${a.type} ${a.id}` < `${b.type} ${b.id}` ? -1 : 1;
}

function fieldOf({ id, labels }: Lease, [field, ...path]: readonly string[]): string | undefined {
  if (field === "id") return id;
  return field === "labels" ? labelAt(labels, path) : undefined;
}
