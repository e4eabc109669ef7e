// Checks a call's parameters against the generated table and gives them types, or fails as Stripe does.
import { readFileSync } from "node:fs";

import { invalidRequest, parameterMissing } from "./errors.ts";
import type { StripeFailure } from "./errors.ts";
import { LEGACY_PARAMETERS, REPLACED_PARAMETERS } from "./legacy-parameters.ts";
import { resolved } from "./shapes.ts";
import type { Definition, Literal, ObjectDefinition, TypeNode } from "./shapes.ts";

interface ParameterTable {
  routes: Record<string, { params?: TypeNode; answer?: TypeNode }>;
  definitions: Record<string, Definition>;
}

const text = readFileSync(new URL("../generated/parameters.json", import.meta.url), "utf8");
const table = JSON.parse(text) as ParameterTable;
const ROUTES = new Map(Object.entries(table.routes));
const DEFINITIONS: ReadonlyMap<string, Definition> = new Map(Object.entries(table.definitions));

/** Stripe's types say only "number"; these are the ones that may have a fraction. */
const FRACTIONS = /percent|latitude|longitude|(^|_)(height|width|length|weight)$/;
/** Decimals: at most twelve places behind the point, says Stripe's reference of `unit_amount_decimal`. */
const DECIMAL = /^[+-]?\d+(\.\d{1,12})?$/;

/** What was found wrong on the way: unknown parameters are told first, and all together. */
interface Findings {
  unknown: string[];
  failure: StripeFailure | undefined;
}

interface Place {
  route: string;
  /** As in an error's `param`: `items[0][price]`. */
  param: string;
  /** The same without places in arrays, as in LEGACY_PARAMETERS: `items.price`. */
  path: string;
}

/** The routes that the table knows: "POST /v1/coupons", with `*` for each id. */
export const KNOWN_ROUTES: readonly string[] = [...ROUTES.keys()];

/** Whether Stripe ever had that version of its API. */
export function isVersion(version: string): boolean {
  return VERSIONS.has(version) || /^\d{4}-\d{2}-\d{2}\.preview$/.test(version);
}

const VERSIONS = versionsOf("POST /v1/webhook_endpoints", "api_version");

/** Stripe's types list them where an endpoint is told which one to use. */
function versionsOf(route: string, parameter: string): ReadonlySet<string> {
  const node = resolved(ROUTES.get(route)?.params ?? "any", DEFINITIONS);
  const field = typeof node === "object" && "fields" in node ? node.fields[parameter] : undefined;
  const values = field === undefined ? undefined : resolved(field, DEFINITIONS);
  if (typeof values !== "object" || !("enum" in values)) throw new Error(`${route} no longer lists the versions`);
  return new Set(values.enum.map(String));
}

/**
 * The parameters of one call with their types: numbers, booleans, arrays; a route that is not in the table takes
 * anything. `raw` is the decoded form: strings, nested objects, arrays.
 * @throws StripeFailure 400: unknown, missing, empty or malformed parameters
 */
export function checkParameters(route: string, raw: Record<string, unknown>): Record<string, unknown> {
  const params = ROUTES.get(route)?.params;
  const definition = params === undefined ? undefined : resolved(params, DEFINITIONS);
  if (definition === undefined || typeof definition === "string" || !("fields" in definition)) return raw;
  const findings: Findings = { unknown: [], failure: undefined };
  const checked = checkObject(definition, raw, { route, param: "", path: "" }, findings);
  const { unknown, failure } = findings;
  const [first] = unknown;
  if (first !== undefined) {
    const message = `Received unknown parameter${unknown.length > 1 ? "s" : ""}: ${unknown.join(", ")}`;
    throw invalidRequest(message, { param: first, code: "parameter_unknown" });
  }
  if (failure !== undefined) throw failure;
  return checked;
}

function checkObject(
  { fields, required = [] }: ObjectDefinition,
  raw: Record<string, unknown>,
  at: Place,
  findings: Findings,
): Record<string, unknown> {
  const checked: [string, unknown][] = [];
  for (const [name, value] of Object.entries(raw)) {
    if (value === undefined) continue;
    const place = inside(at, name);
    const node = own(fields, name) ?? legacy(place);
    if (node === undefined) findings.unknown.push(place.param);
    else checked.push([name, check(node, value, place, findings)]);
  }
  for (const name of required) {
    const older = at.path === "" ? REPLACED_PARAMETERS[at.route]?.[name] : undefined;
    if (raw[name] === undefined && (older === undefined || raw[older] === undefined))
      findings.failure ??= parameterMissing(inside(at, name).param);
  }
  return Object.fromEntries(checked);
}

const inside = ({ route, param, path }: Place, name: string): Place => ({
  route,
  param: param === "" ? name : `${param}[${name}]`,
  path: path === "" ? name : `${path}.${name}`,
});

function legacy({ route, path }: Place): TypeNode | undefined {
  // Every call may ask to expand, also where the types do not say so.
  return path === "expand" ? { array: "string" } : own(LEGACY_PARAMETERS[route], path);
}

/** Names come from outside: `constructor` must not find what every object has. */
function own(nodes: Readonly<Record<string, TypeNode>> | undefined, name: string): TypeNode | undefined {
  return nodes !== undefined && Object.hasOwn(nodes, name) ? nodes[name] : undefined;
}

function check(node: TypeNode, raw: unknown, at: Place, findings: Findings): unknown {
  const type = resolved(node, DEFINITIONS);
  if (typeof type === "string") return checkPlain(type, raw, at, findings);
  if ("emptyable" in type) return raw === "" || raw === null ? "" : check(type.emptyable, raw, at, findings);
  if ("or" in type) return checkEither(type.or, raw, at, findings);
  if ("map" in type) return checkMap(type.map, raw, at, findings);
  if (raw === "" || raw === null) return fail(findings, empty(at));
  if ("enum" in type) return checkEnum(type.enum, raw, at, findings);
  if ("array" in type) return checkArray(type.array, raw, at, findings);
  if ("fields" in type) {
    if (typeof raw === "string" && own(LEGACY_PARAMETERS[at.route], `${at.path}=${raw}`) !== undefined) return raw;
    return isRecord(raw) ? checkObject(type, raw, at, findings) : fail(findings, invalid("object", at));
  }
  throw new Error(`no parameter is of the kind ${JSON.stringify(type)}`);
}

function checkPlain(kind: string, raw: unknown, at: Place, findings: Findings): unknown {
  if (kind === "any") return raw;
  if (raw === "" || raw === null) return fail(findings, empty(at));
  const word = scalar(raw);
  if (word === undefined)
    return fail(findings, malformed(kind === "number" ? "integer" : kind, JSON.stringify(raw), at));
  switch (kind) {
    case "string":
      return word;
    case "boolean":
      return word === "true" || word === "false" ? word === "true" : fail(findings, malformed("boolean", word, at));
    case "decimal":
      return DECIMAL.test(word) ? word : fail(findings, malformed("decimal", word, at));
    case "number": {
      const mayHaveFraction = FRACTIONS.test(at.path.split(".").at(-1) ?? "");
      const isWritten = mayHaveFraction ? /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(word) : /^[+-]?\d+$/.test(word);
      if (isWritten && Math.abs(Number(word)) <= Number.MAX_SAFE_INTEGER) return Number(word);
      return fail(findings, malformed(mayHaveFraction ? "decimal" : "integer", word, at));
    }
    default:
      throw new Error(`no parameter is of the kind ${kind}`);
  }
}

/** The form sends text; a caller in the same process may send numbers and booleans. */
function scalar(raw: unknown): string | undefined {
  if (typeof raw === "string") return raw;
  return typeof raw === "number" || typeof raw === "boolean" ? String(raw) : undefined;
}

function checkEnum(values: readonly Literal[], raw: unknown, at: Place, findings: Findings): unknown {
  const word = scalar(raw);
  const found = values.find((value) => String(value) === word);
  if (found !== undefined) return found;
  if (word !== undefined && own(LEGACY_PARAMETERS[at.route], `${at.path}=${word}`) !== undefined) return word;
  return fail(findings, invalidRequest(`Invalid ${at.param}: must be ${oneOf(values)}`, { param: at.param }));
}

function oneOf(values: readonly Literal[]): string {
  const words = values.map(String);
  if (words.length < 2) return words.join("");
  if (words.length === 2) return `one of ${words.join(" or ")}`;
  return `one of ${words.slice(0, -1).join(", ")}, or ${words.at(-1) ?? ""}`;
}

/** `items[0]=…` may be decoded to an array or to an object of places. */
function checkArray(node: TypeNode, raw: unknown, at: Place, findings: Findings): unknown {
  let places: [string, unknown][] | undefined;
  if (Array.isArray(raw)) places = raw.map((value: unknown, place): [string, unknown] => [String(place), value]);
  else if (isRecord(raw) && Object.keys(raw).every((place) => /^\d+$/.test(place))) {
    places = Object.entries(raw).sort(([one], [other]) => Number(one) - Number(other));
  }
  if (places === undefined) return fail(findings, invalid("array", at));
  return places.map(([place, value]) => {
    const param = `${at.param}[${place}]`;
    return check(node, value, { ...at, param }, findings);
  });
}

/** An empty value unsets all of a map, an empty entry that entry. */
function checkMap(node: TypeNode, raw: unknown, at: Place, findings: Findings): unknown {
  if (raw === "" || raw === null) return {};
  // Names such as 0 and 1 were decoded to a list.
  if (!isRecord(raw) && !Array.isArray(raw)) return fail(findings, invalid("object", at));
  const entries = Object.entries<unknown>(raw).map(([name, value]): [string, unknown] => {
    if (value === "" || value === null) return [name, ""];
    return [name, check(node, value, inside(at, name), findings)];
  });
  return Object.fromEntries(entries);
}

/** The first kind that fits; when none does, the last one of the same form tells what is wrong. */
function checkEither(nodes: readonly TypeNode[], raw: unknown, at: Place, findings: Findings): unknown {
  const sameForm = nodes.filter((node) => isNested(node) === (typeof raw === "object" && raw !== null));
  let last: Findings | undefined;
  for (const node of sameForm) {
    const attempt: Findings = { unknown: [], failure: undefined };
    const checked = check(node, raw, at, attempt);
    if (attempt.unknown.length === 0 && attempt.failure === undefined) return checked;
    last = attempt;
  }
  if (last === undefined) return fail(findings, invalid(isRecord(raw) ? "string" : "object", at));
  findings.unknown.push(...last.unknown);
  findings.failure ??= last.failure;
  return undefined;
}

function isNested(node: TypeNode): boolean {
  const type = resolved(node, DEFINITIONS);
  return typeof type !== "string" && !("enum" in type);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Keeps the first failure, and goes on: unknown parameters further on are told before it. */
function fail(findings: Findings, failure: StripeFailure): unknown {
  findings.failure ??= failure;
  return undefined;
}

function empty({ param }: Place): StripeFailure {
  const message =
    `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a parameter; ` +
    `however '${param}' cannot be unset. You should remove '${param}' from your request or supply a non-empty value.`;
  return invalidRequest(message, { param, code: "parameter_invalid_empty" });
}

function malformed(kind: string, word: string, { param }: Place): StripeFailure {
  const code = kind === "integer" ? { code: "parameter_invalid_integer" } : {};
  return invalidRequest(`Invalid ${kind}: ${word}`, { param, ...code });
}

const invalid = (kind: string, { param }: Place): StripeFailure => invalidRequest(`Invalid ${kind}`, { param });
