// Parameters as Stripe's clients send them: `items[0][price]=…`, in the query or in a form-encoded body.
import { parse } from "qs";

import { invalidRequest } from "../core/errors.ts";

const LIMITS = { depth: 12, arrayLimit: 500, parameterLimit: 5000, strictDepth: true, plainObjects: true } as const;

/** Nested objects, arrays and strings. Ends the call when the nesting is deeper than any parameter of Stripe's. */
export function decodeForm(text: string): Record<string, unknown> {
  try {
    // Through JSON: qs gives objects without a prototype, which the rest need not know.
    return JSON.parse(JSON.stringify(parse(text, LIMITS))) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof RangeError) throw invalidRequest("Invalid request: the parameters are nested too deeply.");
    throw error;
  }
}

/** The body of a POST: form-encoded on /v1, JSON where it says so (/v2). */
export function decodeBody(body: string, contentType: string | undefined): Record<string, unknown> {
  if (body === "") return {};
  if (contentType?.includes("application/json") !== true) return decodeForm(body);
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalidRequest("Invalid request: the body is not a JSON object.");
}
