// A route of the API: method and path, and the function that answers it. A room exports its routes as one table.
import type { Transaction } from "./transaction.ts";

/** What a route returns: an object of the API, a list, or what a page needs. */
export type Answer = object;

export interface Route {
  /** "POST /v1/customers/*": one `*` for each id in the path. */
  pattern: string;
  answer: (tx: Transaction, parameters: object, ids: readonly string[]) => Answer;
}

type Ids<Pattern extends string> = Pattern extends `${infer Head}/*${infer Tail}`
  ? Head extends string
    ? [string, ...Ids<Tail>]
    : never
  : [];

type MakeRoute<Parameters> = <Pattern extends string>(
  pattern: Pattern,
  answer: (tx: Transaction, parameters: Parameters, ...ids: Ids<Pattern>) => Answer,
) => Route;

/** `parameters` are checked and typed before: see parameters.ts. */
export function route<Parameters extends object>(): MakeRoute<Parameters> {
  return (pattern, answer) => ({
    pattern,
    answer: (tx, parameters, ids) => answer(tx, parameters as Parameters, ...(ids as Ids<typeof pattern>)),
  });
}
