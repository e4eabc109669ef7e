// Errors on their way to a caller: a code of the table in error-kinds.ts, with what the place that throws knows better.
import { ERRORS } from "./error-kinds.ts";

export type ErrorCode = keyof typeof ERRORS;

export const ERROR_CODES = Object.keys(ERRORS) as readonly ErrorCode[];

export interface PublicErrorOptions {
  /** Instead of the table's sentence. It is public: no internals, no secret. */
  message?: string;
  /** The path of the field that is wrong, such as `items.0.amount`. */
  param?: string;
  /** What OAuth said, instead of the title and beside it: its code and its words for people. */
  oauth?: { error: string; description: string | undefined };
  /** For the log only. */
  cause?: unknown;
  /** Seconds for the Retry-After header; 1 for a 429 or 503 that names none. */
  retryAfter?: number;
  /** Stripe's id of the call that failed: the message ends with it. */
  stripeRequestId?: string | undefined;
}

/** An error whose code, status, title and message go to the caller. Its cause never does. */
export class PublicError extends Error {
  override readonly name = "PublicError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly description: string | undefined;
  readonly param: string | undefined;
  readonly retryAfter: number | undefined;
  readonly stripeRequestId: string | undefined;

  constructor(code: ErrorCode, options: PublicErrorOptions = {}) {
    const { status, title, sentence } = ERRORS[code];
    const { stripeRequestId } = options;
    const said = `${options.message ?? sentence}${stripeRequestId === undefined ? "" : ` (Stripe request ${stripeRequestId})`}`;
    super(said, options.cause === undefined ? undefined : { cause: options.cause });
    this.stripeRequestId = stripeRequestId;
    this.code = code;
    this.status = status;
    this.title = options.oauth?.error ?? title;
    this.description = options.oauth?.description;
    this.param = options.param;
    this.retryAfter = options.retryAfter ?? (status === 429 || status === 503 ? 1 : undefined);
  }
}

export function publicError(code: ErrorCode, options: PublicErrorOptions = {}): PublicError {
  return new PublicError(code, options);
}

/** Whatever was thrown, as what the caller may see: a PublicError as it is, anything else as `internal`. */
export function asPublicError(thrown: unknown): PublicError {
  return thrown instanceof PublicError ? thrown : new PublicError("internal", { cause: thrown });
}

/** The body of every error answer. */
export interface ErrorBody {
  error: string;
  description?: string;
  code: ErrorCode;
  message: string;
  param?: string;
  request_id: string;
  stripe_request_id?: string;
}

export function errorBody(error: PublicError, requestId: string): ErrorBody {
  return {
    error: error.title,
    ...(error.description === undefined ? {} : { description: error.description }),
    code: error.code,
    message: error.message,
    ...(error.param === undefined ? {} : { param: error.param }),
    request_id: requestId,
    ...(error.stripeRequestId === undefined ? {} : { stripe_request_id: error.stripeRequestId }),
  };
}
