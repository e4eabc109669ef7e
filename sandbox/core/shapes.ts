// What every object of the API looks like: the table that scripts/generate-sandbox.ts makes from stripe's own types.
import { readFileSync } from "node:fs";

export type Literal = string | number | boolean;

/** One type. A string is a plain kind (`string`, `number`, `boolean`, `decimal`, `any`) or `#Name`, a definition. */
export type TypeNode =
  | string
  | { readonly enum: readonly Literal[]; readonly open?: true }
  | { readonly array: TypeNode }
  | { readonly list: TypeNode }
  | { readonly map: TypeNode }
  | { readonly or: readonly TypeNode[] }
  | { readonly nullable: TypeNode }
  | { readonly emptyable: TypeNode };

export interface ObjectDefinition {
  readonly fields: Readonly<Record<string, TypeNode>>;
  /** Parameters that must be given; the others may be left out. */
  readonly required?: readonly string[];
  /** Fields that an object may lack; the others are always there. */
  readonly optional?: readonly string[];
}

export type Definition = ObjectDefinition | { readonly enum: readonly Literal[]; readonly open?: true };

interface ShapeTable {
  objects: Record<string, string>;
  deleted: Record<string, string>;
  definitions: Record<string, Definition>;
}

const text = readFileSync(new URL("../generated/shapes.json", import.meta.url), "utf8");
const table = JSON.parse(text) as ShapeTable;

export const SHAPES: ReadonlyMap<string, Definition> = new Map(Object.entries(table.definitions));
/** `coupon` → `Coupon` */
export const OBJECT_SHAPES: ReadonlyMap<string, string> = new Map(Object.entries(table.objects));
/** `coupon` → `DeletedCoupon` */
export const DELETED_SHAPES: ReadonlyMap<string, string> = new Map(Object.entries(table.deleted));

/** The definition that `#Name` points to; any other node as it is. */
export function resolved(node: TypeNode, definitions = SHAPES): Exclude<TypeNode, string> | Definition | string {
  if (typeof node !== "string" || !node.startsWith("#")) return node;
  const definition = definitions.get(node.slice(1));
  if (definition === undefined) throw new Error(`the generated table has no ${node}`);
  return definition;
}

/** The shape of what says `object: …`, or of a definition's own name. */
export function objectShape(object: string): ObjectDefinition {
  const definition = SHAPES.get(OBJECT_SHAPES.get(object) ?? object);
  if (definition === undefined || !("fields" in definition)) throw new Error(`no shape is known for ${object}`);
  return definition;
}

/** The definition at the end of a path of fields, through arrays, lists, maps and references: "invoice.automatic_tax". */
export function partShape(path: string): ObjectDefinition {
  // Names of objects have dots themselves (`checkout.session`): the longest that fits is meant.
  const words = path.split(".");
  const length = words.findLastIndex((_, place) => OBJECT_SHAPES.has(words.slice(0, place + 1).join("."))) + 1;
  let part = objectShape(words.slice(0, length).join("."));
  for (const field of words.slice(length)) {
    const node = Object.hasOwn(part.fields, field) ? part.fields[field] : undefined;
    const inner = node === undefined ? undefined : objectOf(node);
    if (inner === undefined) throw new Error(`${path}: no object at ${field}`);
    part = inner;
  }
  return part;
}

function objectOf(node: TypeNode): ObjectDefinition | undefined {
  const inner = resolved(node);
  if (typeof inner === "string" || "enum" in inner) return undefined;
  if ("fields" in inner) return inner;
  if ("or" in inner) return inner.or.map(objectOf).find((found) => found !== undefined);
  return objectOf(innerOf(inner));
}

/** What stands inside an array, a list, a map, or a type that may be null. */
export function innerOf(
  node: Extract<
    TypeNode,
    { array: TypeNode } | { list: TypeNode } | { map: TypeNode } | { nullable: TypeNode } | { emptyable: TypeNode }
  >,
): TypeNode {
  if ("array" in node) return node.array;
  if ("list" in node) return node.list;
  if ("map" in node) return node.map;
  return "nullable" in node ? node.nullable : node.emptyable;
}
