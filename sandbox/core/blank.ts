// New objects with every field that Stripe gives them: null, empty or false where the caller knows nothing.
import { objectShape, partShape, resolved } from "./shapes.ts";
import type { ObjectDefinition, TypeNode } from "./shapes.ts";

export interface StripeObject extends Record<string, unknown> {
  id: string;
  object: string;
}

/** How a field begins, unless the caller knows it. `asked`: the caller must. */
type Beginning =
  { kind: "constant"; value: unknown } | { kind: "made"; make: () => unknown } | { kind: "absent" } | { kind: "asked" };

interface Prepared {
  beginnings: readonly (readonly [field: string, beginning: Beginning])[];
  asked: readonly string[];
}

const PREPARED = new Map<ObjectDefinition, Prepared>();

/**
 * An object of that kind, its fields in Stripe's order: what is known, and for the rest null, [], {}, false, 0 or "".
 * Fields that Stripe leaves out at times are there only when known. A known `undefined` counts as not known.
 * @throws Error when a field has no empty value and is not known: a word of an enum, a reference that may not be null
 */
export function blank(object: string, known: Readonly<Record<string, unknown>> = {}): StripeObject {
  return fill(objectShape(object), known, object) as StripeObject;
}

/** The same for a part of an object: `blankPart("invoice.automatic_tax", { enabled: true })`. */
export function blankPart(path: string, known: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return fill(partShape(path), known, path);
}

function fill(
  shape: ObjectDefinition,
  known: Readonly<Record<string, unknown>>,
  name: string,
): Record<string, unknown> {
  const filled: Record<string, unknown> = {};
  const { beginnings, asked } = prepared(shape);
  for (const [field, beginning] of beginnings) {
    const given = known[field];
    if (given !== undefined) filled[field] = given;
    else if (beginning.kind === "constant") filled[field] = beginning.value;
    else if (beginning.kind === "made") filled[field] = beginning.make();
    else if (beginning.kind === "asked") {
      const missing = asked.filter((each) => known[each] === undefined);
      throw new Error(`blank ${name}: must be given ${missing.join(", ")}`);
    }
  }
  for (const field of Object.keys(known)) {
    if (known[field] !== undefined && !Object.hasOwn(shape.fields, field)) filled[field] = known[field];
  }
  return filled;
}

/** The fields that have no empty value: what `blank` must be given. */
export function askedFields(object: string): readonly string[] {
  return prepared(objectShape(object)).asked;
}

function prepared(shape: ObjectDefinition): Prepared {
  let found = PREPARED.get(shape);
  if (found === undefined) {
    const optional = new Set(shape.optional);
    const beginnings = Object.entries(shape.fields).map(
      ([field, node]) => [field, optional.has(field) ? ABSENT : beginningOf(node)] as const,
    );
    const asked = beginnings.filter(([, { kind }]) => kind === "asked").map(([field]) => field);
    PREPARED.set(shape, (found = { beginnings, asked }));
  }
  return found;
}

const ABSENT: Beginning = { kind: "absent" };
const ASKED: Beginning = { kind: "asked" };

function beginningOf(node: TypeNode): Beginning {
  const type = resolved(node);
  if (typeof type === "string") return plainBeginning(type);
  if ("nullable" in type) return { kind: "constant", value: null };
  if ("array" in type) return { kind: "made", make: () => [] };
  if ("map" in type) return { kind: "made", make: () => ({}) };
  if ("list" in type) return { kind: "made", make: () => ({ object: "list", data: [], has_more: false, url: "" }) };
  if ("fields" in type) {
    // An object of its own (an item's price) is never empty; a part that has to be told something is not either.
    const isOwn = Object.hasOwn(type.fields, "object");
    if (isOwn || prepared(type).asked.length > 0) return ASKED;
    return { kind: "made", make: () => fill(type, {}, "part") };
  }
  const [only] = "enum" in type ? type.enum : [];
  const isLiteral = "enum" in type && type.enum.length === 1 && type.open === undefined;
  return isLiteral ? { kind: "constant", value: only } : ASKED;
}

const EMPTY: Readonly<Record<string, unknown>> = { string: "", number: 0, boolean: false, decimal: "0" };

function plainBeginning(kind: string): Beginning {
  return kind in EMPTY ? { kind: "constant", value: EMPTY[kind] } : ASKED;
}
