import { run } from "./process.ts";

/** A small disk in memory. */
export class Disk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes one of a size as mount(8) has it: `48m`. */
  static async make(size: string): Promise<Disk> {
    const path = await Deno.makeTempDir({ prefix: "davit-disk-" });
    await run("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path]);
    return new Disk(path);
  }

  /** Bytes. */
  async free(): Promise<number> {
    const { stdout } = await run("df", ["--block-size=1", "--output=avail", this.path]);
    return Number(stdout.trim().split("\n").at(-1));
  }

  /** Writes a file that leaves so many bytes free. */
  async fill(path: string, { leaving }: { leaving: number }): Promise<void> {
    using file = await Deno.create(path);
    const zeros = new Uint8Array(1 << 20);
    for (let left = await this.free() - leaving; left > 0;) left -= await file.write(zeros.subarray(0, left));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", ["--lazy", this.path]);
    await Deno.remove(this.path);
  }
}
