/** What a checkpoint of a task is to be. */
export interface CheckpointOptions {
  /** The task ends with it. Default: it goes on. */
  exit?: boolean | undefined;
  /** The absolute path of a folder of containerd's host for it. Default: it becomes content. */
  imagePath?: string | undefined;
  /** The same for the log of CRIU. */
  workPath?: string | undefined;
}

/** The options as the shim of runc reads them. */
export async function checkpointOptions(
  { exit = false, imagePath = "", workPath = "" }: CheckpointOptions,
): Promise<{ typeUrl: string; value: Uint8Array }> {
  const { CheckpointOptions } = await import("../proto/gen/containerd/runtime/runc/options.ts");
  const options = CheckpointOptions.fromPartial({ exit, imagePath, workPath });
  return {
    typeUrl: "containerd.runc.v1.CheckpointOptions",
    value: CheckpointOptions.encode(options).finish(),
  };
}
