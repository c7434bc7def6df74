/** The digests that labels keep alive: `containerd.io/gc.ref.content.config`, … */
export function contentReferences(labels: Readonly<Record<string, string>>): string[] {
  const isReference = ([label]: [string, string]) =>
    /^containerd\.io\/gc\.ref\.content(?:$|[./])/.test(label);
  return Object.entries(labels).filter(isReference).map(([, digest]) => digest);
}

/** The snapshots that labels keep alive: `containerd.io/gc.ref.snapshot.overlayfs`, … */
export function snapshotReferences(
  labels: Readonly<Record<string, string>>,
): { snapshotter: string; key: string }[] {
  return Object.entries(labels).flatMap(([label, key]) => {
    const [, snapshotter] = /^containerd\.io\/gc\.ref\.snapshot\.([^/]+)/.exec(label) ?? [];
    return snapshotter === undefined ? [] : [{ snapshotter, key }];
  });
}
