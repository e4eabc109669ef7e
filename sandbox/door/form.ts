// Parameters as Stripe's clients send them: `items[0][price]=…` or `items[][price]=…`, in the query or in a body.
import { invalidRequest } from "../core/errors.ts";

/** No parameter of Stripe's is nested more deeply, and no call has more of them. */
const DEEPEST = 12;
const MOST_PAIRS = 5000;

type Hash = Map<string, Value>;
type Value = string | Hash | Value[];

const notAForm = (): Error =>
  invalidRequest(
    "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at https://support.stripe.com/.",
  );

/** Nested objects, arrays and strings. Ends the call for what is no form. */
export function decodeForm(text: string): Record<string, unknown> {
  const form: Hash = new Map();
  const pairs = text.split("&").filter((pair) => pair !== "");
  if (pairs.length > MOST_PAIRS) throw invalidRequest(`A request may have ${MOST_PAIRS} parameters at most.`);
  for (const pair of pairs) {
    const [name = "", ...rest] = pair.split("=");
    const path = pathOf(unescaped(name));
    if (path.length > DEEPEST) throw invalidRequest("Invalid request: the parameters are nested too deeply.");
    place(form, path, unescaped(rest.join("=")));
  }
  return plain(form) as Record<string, unknown>;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (error) {
    if (error instanceof URIError) throw notAForm();
    throw error;
  }
}

/** `items[][price]` → items, "", price. */
function pathOf(name: string): string[] {
  const parts = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (parts === null) return [name];
  const [, head = "", inner = ""] = parts;
  return [
    head,
    ...inner
      .split("]")
      .slice(0, -1)
      .map((word) => word.slice(1)),
  ];
}

/** The last of several values counts; `[]` adds one. */
function place(hash: Hash, [name = "", ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) hash.set(name, value);
  else if (rest[0] === "") hash.set(name, added(hash.get(name), rest.slice(1), value, name));
  else {
    const inner = hash.get(name) ?? new Map<string, Value>();
    if (!(inner instanceof Map)) throw invalidRequest("Invalid object", { param: name });
    hash.set(name, inner);
    place(inner, rest, value);
  }
}

/** `a[][b]=1&a[][c]=2` is one element, and a second `a[][b]` begins the next. */
function added(old: Value | undefined, rest: readonly string[], value: string, name: string): Value[] {
  const list = old ?? [];
  if (!Array.isArray(list)) throw invalidRequest("Invalid array", { param: name });
  if (rest.length === 0) return [...list, value];
  const last = list.at(-1);
  if (last instanceof Map && !has(last, rest)) {
    place(last, rest, value);
    return list;
  }
  const element: Hash = new Map();
  place(element, rest, value);
  return [...list, element];
}

function has(hash: Hash, path: readonly string[]): boolean {
  let at: Value | undefined = hash;
  for (const word of path) {
    if (word === "") return false;
    at = at instanceof Map ? at.get(word) : undefined;
  }
  return at !== undefined;
}

/** `items[0]`, `items[1]` … without a gap are a list; other numbers are names, which may be a map's. */
function plain(value: Value): unknown {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(plain);
  const isList =
    value.size > 0 && [...value.keys()].every((word) => /^(0|[1-9]\d*)$/.test(word) && Number(word) < value.size);
  if (!isList) return Object.fromEntries([...value].map(([name, inner]) => [name, plain(inner)]));
  return [...value].sort(([one], [other]) => Number(one) - Number(other)).map(([, inner]) => plain(inner));
}

/** The body of a POST: a form on /v1, JSON on /v2, and for the sandbox's own endpoints whichever its type says. */
export function decodeBody(body: string, contentType = ""): Record<string, unknown> {
  if (body === "") return {};
  if (!isJson(contentType)) return decodeForm(body);
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalidRequest("Invalid request: the body is not a JSON object.");
}

/** The body of a call of the API: /v1 takes forms alone. */
export function decodeCall(path: string, body: string, contentType = ""): Record<string, unknown> {
  const isNoForm = isJson(contentType) || contentType.startsWith("multipart/");
  if (path.startsWith("/v1/") && body !== "" && isNoForm) throw notAForm();
  return decodeBody(body, contentType);
}

const isJson = (contentType: string): boolean => contentType.includes("application/json");
