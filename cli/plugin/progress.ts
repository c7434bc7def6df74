import { type ItemProgress, itemStates, type Progress } from "../../mod.ts";

/** What a plugin said of its progress, as far as it is that; `undefined` when it is not. */
export function readProgress(said: unknown): Progress | undefined {
  const { task, done, total, unit, items } = Object(said);
  if (typeof task !== "string" || !Number.isFinite(done)) return undefined;
  return {
    task,
    done,
    ...(Number.isFinite(total) && { total }),
    ...(unit === "bytes" && { unit }),
    ...(Array.isArray(items) && { items: items.flatMap((item) => readItem(item) ?? []) }),
  };
}

function readItem(said: unknown): ItemProgress | undefined {
  const { image, name, state, done, total } = Object(said);
  if (typeof image !== "string" || typeof name !== "string" || !itemStates.includes(state)) return undefined;
  return {
    image,
    name,
    state,
    ...(Number.isFinite(done) && { done }),
    ...(Number.isFinite(total) && { total }),
  };
}
