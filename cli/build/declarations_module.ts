/** `davit/types` of the source tree; the bundle has a module that says the same. */
import { makeTypes } from "./declarations.ts";

export const declarations: Readonly<Record<string, string>> = await makeTypes();
