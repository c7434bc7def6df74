/** The label that keeps a snapshot or blob until it is removed: nothing else needs one that was made by hand. */
export function rootLabels(): Record<string, string> {
  return { "containerd.io/gc.root": new Date().toISOString() };
}
