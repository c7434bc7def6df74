import config from "../deno.json" with { type: "json" };

/** The version of davit. */
export const version: string = config.version;
