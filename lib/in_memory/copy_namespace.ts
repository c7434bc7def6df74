import { Content, Images, Leases, Namespaces } from "../transport/methods.ts";
import type { Call, Transport } from "../transport/transport.ts";
import { wholeList } from "../whole_list.ts";
import type { State } from "./state.ts";

/** Copies what a namespace of a containerd holds, but for the bytes of its blobs; nothing if there is none. */
export async function copyNamespace(
  name: string,
  { from, to, call }: { from: Transport; to: State; call: Call },
): Promise<void> {
  const { namespaces } = await from.unary(Namespaces.list, {}, call);
  const found = namespaces.find((namespace) => namespace.name === name);
  if (found === undefined) return;
  const there = { ...call, namespace: name };
  const copy = to.reach(name);
  copy.labels = found.labels;
  const list = async (filters: string[]) => (await from.unary(Images.list, { filters }, there)).images;
  const images = await wholeList({ filters: [], field: "name", list });
  for (const image of images) copy.images.set(image.name, image);
  for await (const { info } of from.stream(Content.list, [{ filters: [] }], there)) {
    for (const blob of info) copy.content.set(blob.digest, blob);
  }
  const { leases } = await from.unary(Leases.list, { filters: [] }, there);
  for (const lease of leases) {
    const { resources } = await from.unary(Leases.listResources, { id: lease.id }, there);
    copy.leases.set(lease.id, lease);
    copy.held.set(lease.id, resources);
  }
}
