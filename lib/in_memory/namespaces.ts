import type {
  CreateNamespaceRequest,
  DeleteNamespaceRequest,
  GetNamespaceRequest,
  UpdateNamespaceRequest,
} from "../../proto/gen/containerd/services/namespaces/v1/namespaces.ts";
import { Namespaces as methods } from "../transport/methods.ts";
import { checkLabels, checkNamespaceName, keptLabels, updatedLabels } from "./names.ts";
import { Refusal, refusal } from "./refusal.ts";
import { type Handler, unary } from "./service.ts";
import type { NamespaceState, State } from "./state.ts";

/** containerd's namespaces service. */
export function namespacesService(state: State): Handler[] {
  return [
    unary(methods.get, ({ name }: GetNamespaceRequest) => ({ namespace: messageOf(state, name) })),
    unary(methods.list, () => ({
      namespaces: [...state.namespaces.keys()].sort().map((name) => messageOf(state, name)),
    })),
    unary(methods.create, ({ namespace }: CreateNamespaceRequest) => {
      const { name, labels } = namespace!;
      checkNamespaceName(name);
      checkLabels(labels);
      if (state.namespaces.has(name)) throw refusal("already_exists", `namespace ${JSON.stringify(name)}`);
      state.reach(name).labels = keptLabels(labels);
      return { namespace: messageOf(state, name) };
    }),
    unary(methods.update, ({ namespace, updateMask = [] }: UpdateNamespaceRequest) => {
      const { name, labels } = namespace!;
      const mask = updateMask.length === 0 ? ["labels"] : updateMask;
      const other = mask.find((path) => updateMask.length > 0 && !path.startsWith("labels."));
      if (other !== undefined) throw new Refusal("invalid_argument", `cannot update "${other}" field`);
      const updated = updatedLabels(state.at(name).labels, labels, mask);
      withoutCode(() => checkLabels(updated));
      state.reach(name).labels = updated;
      return { namespace: undefined };
    }),
    unary(methods.delete, ({ name }: DeleteNamespaceRequest) => {
      const namespace = state.namespaces.get(name);
      const described = `namespace ${JSON.stringify(name)}`;
      if (namespace === undefined) throw refusal("not_found", described);
      const inside = contents(namespace);
      if (inside.length > 0) {
        const text = `${described} must be empty, but it still has ${inside.join(", ")}`;
        throw refusal("failed_precondition", text);
      }
      state.namespaces.delete(name);
      return {};
    }),
  ];
}

function messageOf(state: State, name: string) {
  return { name, labels: state.at(name).labels };
}

/** What containerd counts; leases and writes that are going on do not keep a namespace. */
function contents({ images, content }: NamespaceState): string[] {
  return [...(images.size > 0 ? ["images"] : []), ...(content.size > 0 ? ["blobs"] : [])];
}

/** This service alone forgets to tell the code of a label that is refused. */
function withoutCode(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new Refusal("unknown", (error as Error).message);
  }
}
