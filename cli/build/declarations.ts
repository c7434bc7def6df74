/** The types of davit's API, for editors: what `davit plugin types` writes. */
import { fromFileUrl } from "@std/path";

/** The texts of declaration files by their paths; `mod.d.ts` is `davit`, `lib/testing.d.ts` is `davit/testing`. */
export async function makeTypes(
  project: string = fromFileUrl(new URL("../../", import.meta.url)),
): Promise<Record<string, string>> {
  const script = fromFileUrl(new URL("emit_types.ts", import.meta.url));
  const lock = fromFileUrl(new URL("emit_types.lock", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "-A",
      "--no-check",
      "--no-config",
      `--lock=${lock}`,
      "--frozen",
      script,
      project,
      "mod.ts",
      "lib/testing.ts",
    ],
    env: { DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  if (!success) throw new Error(`Cannot make the types of the API: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
