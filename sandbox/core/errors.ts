// Stripe's errors: the status and the body that an API call ends with. One function for each way to fail.

export type StripeErrorType = "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";

export interface StripeErrorBody {
  type: StripeErrorType;
  message: string;
  code?: string;
  param?: string;
  decline_code?: string;
  doc_url?: string;
  charge?: string;
  payment_intent?: unknown;
  setup_intent?: unknown;
  payment_method?: unknown;
  source?: unknown;
  request_log_url?: string;
  [extra: string]: unknown;
}

/** Thrown to end an API call. `keeps`: what the call had changed stays, as after a declined card. */
export class StripeFailure extends Error {
  readonly status: number;
  readonly body: StripeErrorBody;
  readonly keeps: boolean;

  constructor(status: number, body: StripeErrorBody, { keeps = false }: { keeps?: boolean } = {}) {
    super(body.message);
    this.name = "StripeFailure";
    this.status = status;
    this.body = body.code === undefined ? body : { ...body, doc_url: documentation(body.code) };
    this.keeps = keeps;
  }
}

function documentation(code: string): string {
  return `https://stripe.com/docs/error-codes/${code.replaceAll("_", "-")}`;
}

export function invalidRequest(
  message: string,
  { param, code, status = 400 }: { param?: string; code?: string; status?: number } = {},
): StripeFailure {
  const named = { ...(code === undefined ? {} : { code }), ...(param === undefined ? {} : { param }) };
  return new StripeFailure(status, { type: "invalid_request_error", message, ...named });
}

/** Names in "No such …" that are not plain words, and the `param` of an unknown id in a path that is not "id". */
const SPELLED: Readonly<Record<string, { name?: string; path?: string }>> = {
  "checkout.session": { name: "checkout.session", path: "session" },
  dispute: { path: "dispute" },
  payment_intent: { name: "payment_intent", path: "intent" },
  payment_method: { name: "PaymentMethod", path: "payment_method" },
  payout: { path: "payout" },
  setup_intent: { name: "setupintent", path: "intent" },
  subscription_schedule: { name: "subscription_schedule", path: "schedule" },
};

/** An id that names nothing: 404 when it stands in the path (`param` is "id"), 400 when it is a parameter. */
export function noSuch(kind: string, id: string, param = "id"): StripeFailure {
  const { name = kind.replaceAll(/[._]/g, " "), path = "id" } = SPELLED[kind] ?? {};
  const isPath = param === "id";
  return invalidRequest(`No such ${name}: '${id}'`, {
    param: isPath ? path : param,
    code: "resource_missing",
    status: isPath ? 404 : 400,
  });
}

export function parameterMissing(param: string): StripeFailure {
  return invalidRequest(`Missing required param: ${param}.`, { param, code: "parameter_missing" });
}

export interface Decline {
  code: string;
  message: string;
  decline_code?: string;
  param?: string;
}

/** 402: a card was refused. What the attempt left behind (charge, last error) stays. */
export function cardError(decline: Decline, extra: Partial<StripeErrorBody> = {}): StripeFailure {
  return new StripeFailure(402, { type: "card_error", ...decline, ...extra }, { keeps: true });
}

export function wrongKey(key: string): StripeFailure {
  const masked =
    key.length <= 8
      ? "*".repeat(key.length)
      : `${key.slice(0, 8)}${"*".repeat(Math.max(4, key.length - 12))}${key.slice(-4)}`;
  return new StripeFailure(401, { type: "invalid_request_error", message: `Invalid API Key provided: ${masked}` });
}

export function noKey(): StripeFailure {
  const message =
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth " +
    "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY').";
  return new StripeFailure(401, { type: "invalid_request_error", message });
}

/** The key may not act for that account, or the account is not there: Stripe gives one answer for both. */
export function noAccess(account: string): StripeFailure {
  const message = `The provided key does not have access to account '${account}' (or that account does not exist). Application access may have been revoked.`;
  return new StripeFailure(403, { type: "invalid_request_error", code: "account_invalid", message });
}

export function idempotencyConflict(key: string): StripeFailure {
  const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`;
  return new StripeFailure(400, { type: "idempotency_error", message });
}

export function idempotencyInUse(key: string): StripeFailure {
  const message = `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`;
  return new StripeFailure(409, { type: "idempotency_error", code: "idempotency_key_in_use", message });
}
