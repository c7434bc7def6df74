import { join } from "@std/path";
import type { Plugin } from "davit";

/** A temporary folder for the files of a plugin that a user might write. */
export class PluginFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(parent?: string): Promise<PluginFolder> {
    const place = parent === undefined ? {} : { dir: parent };
    return new PluginFolder(await Deno.makeTempDir({ prefix: "davit-plugin-", ...place }));
  }

  /** Writes a file; resolves to its path. */
  async write(name: string, text: string): Promise<string> {
    const path = join(this.path, name);
    await Deno.writeTextFile(path, text);
    return path;
  }

  /** Writes a plugin whose `run` has this body, which can be a generator's; the body begins on line 6. */
  async writePlugin(body: string, more: Partial<Omit<Plugin, "run">> = {}): Promise<string> {
    const definition = JSON.stringify({ name: "sample", summary: "A plugin of the tests", ...more });
    return await this.write(
      "sample.ts",
      `import { definePlugin } from "davit";

export default definePlugin({
  ...${definition} as const,
  async ${
        /\byield\b/.test(body) ? "*" : ""
      }run({ client, args, options, dryRun, log, progress, failed, signal }) {
${body}
  },
});
`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
