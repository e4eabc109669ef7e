// Renders objects in the shape of an API version. Objects are kept in the newest one.
import type { Transaction } from "../core/transaction.ts";

/** The newest shape, whatever is asked for: older ones follow in the next commit. */
export function render(_tx: Transaction, value: unknown, _version: string): unknown {
  return value;
}

/** What a field that only older versions have may be expanded into. */
export function olderTargets(_object: string, _path: readonly string[]): string[] {
  return [];
}
