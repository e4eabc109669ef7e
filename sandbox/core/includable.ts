// Fields that an answer has only when it was asked to expand them, such as a session's line items.
import type { Kind, Kinds } from "./kinds.ts";
import type { Transaction } from "./transaction.ts";

type Build = (tx: Transaction, object: never) => unknown;

const INCLUDABLE = new Map<string, Build>();

/** Says how to make `field` of `kind` when it is asked for. */
export function includable<K extends Kind>(
  kind: K,
  field: string,
  build: (tx: Transaction, object: Kinds[K]) => unknown,
): void {
  const name = `${kind}.${field}`;
  if (INCLUDABLE.has(name)) throw new Error(`${name} is built in two places`);
  INCLUDABLE.set(name, build);
}

export function buildIncludable(
  kind: string,
  field: string,
): ((tx: Transaction, object: object) => unknown) | undefined {
  return INCLUDABLE.get(`${kind}.${field}`) as ((tx: Transaction, object: object) => unknown) | undefined;
}
