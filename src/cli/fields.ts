// Reads of the API's answers, which are JSON that this process did not check. Pure.
import type { Row } from "./table.ts";

export function asRow(value: unknown): Row {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function rowsIn(value: unknown, field: string): Row[] {
  const list = asRow(value)[field];
  return Array.isArray(list) ? list.map(asRow) : [];
}

export function numberIn(value: unknown, field: string): number {
  const found = asRow(value)[field];
  return typeof found === "number" ? found : 0;
}
