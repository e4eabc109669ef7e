// One step of the API's history: how objects of some kinds looked before a version.
import type { Known } from "./known.ts";

export type Fields = Readonly<Record<string, unknown>>;

export interface VersionChange {
  /** The first version with the newer shape. */
  before: string;
  /** As `object` says. */
  kinds: readonly string[];
  /** From the shape of `before` to the one that it took the place of. The objects inside take their own step afterwards. */
  older: (object: Fields, known: Known) => Fields;
  /** What the ids in fields that only the older shape has stand for; the names of nested fields joined by dots. */
  targets: Readonly<Record<string, readonly string[]>>;
}

/** `older` may say the newest shape of what it is given: the object still has that in all that it reads. */
export function change(
  before: string,
  kinds: string | readonly string[],
  older: (object: never, known: Known) => object,
  targets: VersionChange["targets"] = {},
): VersionChange {
  return {
    before,
    kinds: typeof kinds === "string" ? [kinds] : kinds,
    older: older as unknown as VersionChange["older"],
    targets,
  };
}

export function without(object: object, ...fields: readonly string[]): Fields {
  const gone = new Set(fields);
  return Object.fromEntries(Object.entries(object).filter(([field]) => !gone.has(field)));
}
