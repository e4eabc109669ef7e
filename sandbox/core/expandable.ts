// Which fields of an object can be expanded, and into what: for `expand[]` of the API.
import { innerOf, OBJECT_SHAPES, objectShape, resolved, SHAPES } from "./shapes.ts";
import type { ObjectDefinition, TypeNode } from "./shapes.ts";

export interface Expandable {
  /** What the id may stand for, as `object` says it: `["customer"]`; several for a balance transaction's source. */
  targets: string[];
  /** The field holds many ids: an array. */
  many: boolean;
}

const OBJECT_OF_SHAPE = new Map([...OBJECT_SHAPES].map(([object, shape]) => [shape, object]));
const FOUND = new Map<string, Expandable | undefined>();

/**
 * What `path` leads to when it ends at an id: `("invoice", ["parent", "subscription_details", "subscription"])`.
 * Goes through arrays, through lists with or without the word `data`, and through references that are expanded on
 * the way. `undefined`: there is no such field, or it holds no id.
 */
export function expandableTarget(object: string, path: readonly string[]): Expandable | undefined {
  const key = `${object} ${path.join(" ")}`;
  if (!FOUND.has(key)) FOUND.set(key, OBJECT_SHAPES.has(object) ? search([objectShape(object)], path) : undefined);
  return FOUND.get(key);
}

/** Whether the field is a list (`{ object: "list", data }`), and of what. */
export function listTarget(object: string, field: string): string[] | undefined {
  const fields = OBJECT_SHAPES.has(object) ? objectShape(object).fields : {};
  const node = Object.hasOwn(fields, field) ? fields[field] : undefined;
  const type = node === undefined ? undefined : bare(node);
  return typeof type === "object" && "list" in type ? objectsAt(type.list) : undefined;
}

/** A field that answers leave out until they are asked to expand it, such as a session's line_items. */
export function isOptional(object: string, field: string): boolean {
  return OBJECT_SHAPES.has(object) && (objectShape(object).optional ?? []).includes(field);
}

function search(shapes: readonly ObjectDefinition[], path: readonly string[]): Expandable | undefined {
  const [field, ...rest] = path;
  if (field === undefined) return undefined;
  for (const { fields } of shapes) {
    const node = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (node === undefined) continue;
    const steps = rest[0] === "data" && isList(node) ? rest.slice(1) : rest;
    const found = steps.length === 0 ? endOf(node) : search(shapesAt(node), steps);
    if (found !== undefined) return found;
  }
  return undefined;
}

function endOf(node: TypeNode): Expandable | undefined {
  const type = bare(node);
  if (typeof type === "string") return undefined;
  if ("array" in type) {
    const each = endOf(type.array);
    return each && { ...each, many: true };
  }
  if (!("or" in type) || !type.or.includes("string")) return undefined;
  const targets = objectsAt(type);
  return targets.length === 0 ? undefined : { targets, many: false };
}

function isList(node: TypeNode): boolean {
  const type = bare(node);
  return typeof type === "object" && "list" in type;
}

/** The node without what says that it may be null. */
function bare(node: TypeNode): TypeNode {
  return typeof node === "object" && "nullable" in node ? node.nullable : node;
}

function namesAt(node: TypeNode): string[] {
  if (typeof node === "string") return node.startsWith("#") ? [node.slice(1)] : [];
  if ("enum" in node) return [];
  return "or" in node ? node.or.flatMap(namesAt) : namesAt(innerOf(node));
}

/** Deleted objects are not among them: nothing is expanded into what is gone. */
const objectsAt = (node: TypeNode): string[] => namesAt(node).flatMap((name) => OBJECT_OF_SHAPE.get(name) ?? []);

function shapesAt(node: TypeNode): ObjectDefinition[] {
  return namesAt(node).flatMap((name) => {
    const shape = resolved(`#${name}`, SHAPES);
    return typeof shape === "object" && "fields" in shape ? [shape] : [];
  });
}
