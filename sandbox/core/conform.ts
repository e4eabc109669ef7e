// Checks an answer against the generated shapes: what is missing, unknown, null or of another kind. For tests.
import { DELETED_SHAPES, innerOf, OBJECT_SHAPES, resolved, SHAPES } from "./shapes.ts";
import type { Literal, ObjectDefinition, TypeNode } from "./shapes.ts";

/** Fields that Stripe sends and its types do not name, by the object's shape. */
export const UNDOCUMENTED: Readonly<Record<string, readonly string[]>> = {};

/**
 * One sentence for each place where the value is not what Stripe's types say; none when it conforms.
 * Without `objectType` (`coupon`, or a shape's name such as `Coupon.AppliesTo`) the value's own `object` says it.
 */
export function shapeProblems(value: unknown, objectType?: string): string[] {
  if (!isRecord(value)) return [`the answer is no object but ${kindOf(value)}`];
  const object = objectType ?? value.object;
  if (typeof object !== "string") return ["the answer has no `object`"];
  if (object === "list" || object === "search_result") return listProblems(value, undefined, object);
  const name = shapeName(object, value);
  return name === undefined ? [`no shape is known for ${object}`] : problemsAt(`#${name}`, value, object);
}

function shapeName(object: string, value: Record<string, unknown>): string | undefined {
  const names = value.deleted === true ? DELETED_SHAPES : OBJECT_SHAPES;
  return names.get(object) ?? (SHAPES.has(object) ? object : undefined);
}

function problemsAt(node: TypeNode, value: unknown, at: string): string[] {
  const type = resolved(node);
  if (typeof type === "string") return plainProblems(type, value, at);
  if ("nullable" in type) return value === null ? [] : problemsAt(type.nullable, value, at);
  if (value === null) return [`${at} may not be null`];
  if ("enum" in type) return enumProblems(type.enum, value, at);
  if ("or" in type) return eitherProblems(type.or, value, at);
  if ("fields" in type) return fieldProblems(type, typeof node === "string" ? node.slice(1) : "", value, at);
  if ("list" in type) return listProblems(value, type.list, at);
  const inner = innerOf(type);
  if ("array" in type) {
    if (!Array.isArray(value)) return [`${at} is ${kindOf(value)}, not an array`];
    return value.flatMap((each: unknown, place) => problemsAt(inner, each, `${at}[${place}]`));
  }
  if (!isRecord(value)) return [`${at} is ${kindOf(value)}, not a map`];
  return Object.entries(value).flatMap(([name, each]) => problemsAt(inner, each, `${at}.${name}`));
}

function plainProblems(kind: string, value: unknown, at: string): string[] {
  if (kind === "any") return [];
  // On the wire a decimal is text; JSON knows no other exact form.
  if (kind === "decimal") {
    const isDecimal = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value);
    return isDecimal ? [] : [`${at} is ${kindOf(value)}, not a decimal`];
  }
  const fits = typeof value === kind && (typeof value !== "number" || Number.isFinite(value));
  return fits ? [] : [`${at} is ${kindOf(value)}, not a ${kind}`];
}

function enumProblems(values: readonly Literal[], value: unknown, at: string): string[] {
  return values.some((each) => each === value)
    ? []
    : [`${at} is ${kindOf(value)}: ${shown(value)} is none of its words`];
}

/** The alternative with the fewest problems counts. */
function eitherProblems(nodes: readonly TypeNode[], value: unknown, at: string): string[] {
  let fewest: string[] | undefined;
  for (const node of nodes) {
    const problems = problemsAt(node, value, at);
    if (problems.length === 0) return [];
    if (isRecord(value) && !mayBe(node, value)) continue;
    if (fewest === undefined || problems.length < fewest.length) fewest = problems;
  }
  return fewest ?? [`${at} is ${kindOf(value)}, none of what it may be`];
}

/** An object that says what it is, is measured only against that. */
function mayBe(node: TypeNode, value: Record<string, unknown>): boolean {
  const type = resolved(node);
  if (typeof type === "string" || !("fields" in type)) return false;
  if (Object.hasOwn(type.fields, "deleted") !== (value.deleted === true)) return false;
  const object = type.fields.object;
  return typeof object !== "object" || !("enum" in object) || object.enum.some((word) => word === value.object);
}

function fieldProblems(
  { fields, optional = [] }: ObjectDefinition,
  name: string,
  value: unknown,
  at: string,
): string[] {
  if (!isRecord(value)) return [`${at} is ${kindOf(value)}, not an object`];
  const problems: string[] = [];
  for (const [field, node] of Object.entries(fields)) {
    const given = value[field];
    if (given !== undefined) problems.push(...problemsAt(node, given, `${at}.${field}`));
    else if (!optional.includes(field)) problems.push(`${at}.${field} is missing`);
  }
  for (const field of Object.keys(value)) {
    const isKnown = Object.hasOwn(fields, field) || (UNDOCUMENTED[name] ?? []).includes(field);
    if (!isKnown && value[field] !== undefined) problems.push(`${at}.${field} is unknown`);
  }
  return problems;
}

function listProblems(value: unknown, inner: TypeNode | undefined, at: string): string[] {
  if (!isRecord(value)) return [`${at} is ${kindOf(value)}, not a list`];
  const problems: string[] = [];
  const { object, data, has_more: hasMore, url, ...rest } = value;
  if (object !== "list" && object !== "search_result") problems.push(`${at}.object is ${shown(object)}, not list`);
  if (typeof hasMore !== "boolean") problems.push(`${at}.has_more is ${kindOf(hasMore)}, not a boolean`);
  if (typeof url !== "string") problems.push(`${at}.url is ${kindOf(url)}, not a string`);
  for (const field of Object.keys(rest).filter((name) => !LIST_EXTRAS.has(name))) {
    problems.push(`${at}.${field} is unknown`);
  }
  if (!Array.isArray(data)) return [...problems, `${at}.data is ${kindOf(data)}, not an array`];
  const each = data.flatMap((item: unknown, place) => {
    if (inner !== undefined) return problemsAt(inner, item, `${at}.data[${place}]`);
    return shapeProblems(item).map((problem) => `data[${place}]: ${problem}`);
  });
  return [...problems, ...each];
}

/** Older lists say their length, searches where they go on. */
const LIST_EXTRAS = new Set(["total_count", "next_page"]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}

const shown = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value));
