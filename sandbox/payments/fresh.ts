// New objects of a kind: the given fields, and Stripe's empty values for the rest.
import { blank } from "../core/blank.ts";
import type { Kind, Kinds } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";

/** With id, time and mode, unless they are given. Not kept: the caller puts it. */
export function fresh<K extends Kind>(tx: Transaction, kind: K, known: Readonly<Record<string, unknown>>): Kinds[K] {
  const { id = tx.newId(kind), created = tx.now, livemode = tx.scope.livemode } = known;
  return blank(kind, { ...known, id, created, livemode }) as unknown as Kinds[K];
}

/** Parameters that are undefined or '' become null, as an object shows them. */
export function orNull<T>(value: T | "" | undefined | null): T | null {
  return value === undefined || value === "" ? null : value;
}
