// What a call of the client throws when it was refused, failed, or could not be sent.
import type { components, ErrorCode } from "../generated/api.ts";

/** Beside the server's own codes: nobody answered, or what answered is not Billhook. */
export type LocalCode = "unreachable" | "not_billhook";
// The rest keeps the known codes as suggestions: a later server may know more.
export type Code = ErrorCode | LocalCode | (string & Record<never, never>);

export interface BillhookErrorFields {
  code: Code;
  /** HTTP status; 0: there was no answer. */
  status: number;
  message: string;
  title?: string | undefined;
  param?: string | undefined;
  requestId?: string | undefined;
  stripeRequestId?: string | undefined;
  /** Seconds. */
  retryAfter?: number | undefined;
  cause?: unknown;
}

export class BillhookError extends Error {
  override readonly name = "BillhookError";
  /** For programs: `insufficient_credits`, `stripe_not_connected`, … */
  readonly code: Code;
  readonly status: number;
  readonly title: string | undefined;
  /** The path of the field that is wrong, such as `items.0.amount`. */
  readonly param: string | undefined;
  /** For a question to who runs the server. */
  readonly requestId: string | undefined;
  /** For a question to Stripe. */
  readonly stripeRequestId: string | undefined;
  /** Seconds after which another try makes sense, where the server said so. */
  readonly retryAfter: number | undefined;

  constructor({
    code,
    status,
    message,
    title,
    param,
    requestId,
    stripeRequestId,
    retryAfter,
    cause,
  }: BillhookErrorFields) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.title = title;
    this.param = param;
    this.requestId = requestId;
    this.stripeRequestId = stripeRequestId;
    this.retryAfter = retryAfter;
  }
}

/** The answer's body as far as it is ours. `body` is parsed JSON, or the text that was none. */
export function refusalOf({ status, headers }: Pick<Response, "status" | "headers">, body: unknown): BillhookError {
  const retryAfter = secondsOf(headers.get("retry-after"));
  const requestId = headers.get("x-request-id") ?? undefined;
  if (!isRefusal(body)) {
    const message = `The answer ${status} is not Billhook's: check the client's baseUrl and what stands between.`;
    return new BillhookError({ code: "not_billhook", status, message, requestId, retryAfter, cause: body });
  }
  return new BillhookError({
    code: body.code,
    status,
    message: body.message,
    title: body.error,
    param: body.param,
    requestId: body.request_id,
    stripeRequestId: body.stripe_request_id,
    retryAfter,
  });
}

export function unreachable(cause: unknown): BillhookError {
  const message = "Billhook could not be reached: check the connection, and try again.";
  return new BillhookError({ code: "unreachable", status: 0, message, cause });
}

function isRefusal(body: unknown): body is components["schemas"]["Error"] {
  return (
    typeof body === "object" &&
    body !== null &&
    "code" in body &&
    typeof body.code === "string" &&
    "message" in body &&
    typeof body.message === "string"
  );
}

function secondsOf(header: string | null): number | undefined {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
