// Reads fields of a control call, from JSON or from a form, where every value is text.
import { invalidRequest } from "../core/errors.ts";

export type Given = Readonly<Record<string, unknown>>;

export function givenText(given: Given, name: string): string | undefined {
  const value = given[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw wrong(name, "a text");
}

export function givenNumber(
  given: Given,
  name: string,
  { from, to }: { from: number; to: number },
): number | undefined {
  const text = givenText(given, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value >= from && value <= to)) throw wrong(name, `a number from ${from} to ${to}`);
  return value;
}

export function givenFlag(given: Given, name: string): boolean | undefined {
  const value = given[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (value === true || value === "true" || value === "1") return true;
  if (value === false || value === "false" || value === "0") return false;
  throw wrong(name, "true or false");
}

export function givenTexts(given: Given, name: string): string[] | undefined {
  const value = given[name];
  if (value === undefined || value === null || value === "") return undefined;
  const each = Array.isArray(value) ? (value as unknown[]) : typeof value === "string" ? value.split(",") : undefined;
  const texts = each?.filter((one): one is string => typeof one === "string");
  if (texts === undefined || texts.length !== each?.length) throw wrong(name, "a list of texts");
  return texts.map((text) => text.trim());
}

function wrong(name: string, wanted: string): Error {
  return invalidRequest(`${name} must be ${wanted}.`, { param: name });
}
