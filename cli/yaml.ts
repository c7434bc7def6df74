/** YAML for output; a module of its own: loaded on demand, the package itself has no names once it is bundled. */
import { stringify } from "yaml";

/** A value of plain data as a document of YAML 1.1, so that no reader takes a time or a "no" for more than a text. */
export function yamlOf(value: unknown): string {
  return stringify(value, { version: "1.1", singleQuote: true, lineWidth: 0 });
}
