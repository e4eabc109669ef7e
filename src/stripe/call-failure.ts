// What a failed call to Stripe means to who asked for it: one function decides, for every caller. Pure.
import { type ErrorCode, PublicError } from "../base/errors.ts";
import { scrub } from "../base/log.ts";
import { StripeError } from "./client.ts";

export interface StripeFailureFacts {
  /** The same call may succeed later, with the same idempotency key. */
  transient: boolean;
  /** Stripe, the way to it or this account does not serve: counts for the circuit. */
  outage: boolean;
  /** Stripe's `code`, or its `type` where there is none. */
  stripeCode?: string | undefined;
  /** Why the bank refused: for the buyer's page. */
  declineCode?: string | undefined;
  /** HTTP status of Stripe's answer; undefined: there was none. */
  stripeStatus?: number | undefined;
}

/** A failed call: what goes to the caller of our API, and what the code that asked may decide on. */
export class StripeCallError extends PublicError {
  readonly transient: boolean;
  readonly outage: boolean;
  readonly stripeCode: string | undefined;
  readonly declineCode: string | undefined;
  readonly stripeStatus: number | undefined;

  constructor(
    code: ErrorCode,
    facts: StripeFailureFacts,
    said: {
      message?: string;
      param?: string | undefined;
      cause?: unknown;
      retryAfter?: number;
      stripeRequestId?: string | undefined;
    } = {},
  ) {
    const { param, ...others } = said;
    super(code, { ...others, ...(param === undefined ? {} : { param }) });
    this.transient = facts.transient;
    this.outage = facts.outage;
    this.stripeCode = facts.stripeCode;
    this.declineCode = facts.declineCode;
    this.stripeStatus = facts.stripeStatus;
  }
}

/** Stripe's parameters, as it names them (`items[0][price]`), by our own fields' paths (`items.0.price_id`). */
export type FieldNames = Readonly<Record<string, string>>;

/** Seconds after which a failed call is worth another try. */
const SOON = 2;
/** Stripe never asks for more; a gateway that does shall not silence us for days. */
const LONGEST_RETRY_AFTER = 3_600;

/** Any error that a call threw. `account` is the one that it was for, "" for the platform's. */
export function callFailure(thrown: unknown, account: string, fields: FieldNames = {}): StripeCallError {
  if (thrown instanceof StripeCallError) return thrown;
  if (!(thrown instanceof StripeError)) {
    return new StripeCallError(
      "stripe_unreachable",
      { transient: true, outage: true },
      { cause: thrown, retryAfter: SOON },
    );
  }
  const { statusCode: stripeStatus, requestId: stripeRequestId } = thrown;
  const verdict = verdictOn(thrown, account);
  const retryAfter =
    verdict.transient && verdict.code !== "stripe_conflict" ? (retryAfterOf(thrown) ?? SOON) : undefined;
  const param = thrown.param === undefined || verdict.code !== "stripe_refused" ? undefined : fields[thrown.param];
  return new StripeCallError(
    verdict.code,
    {
      transient: verdict.transient,
      outage: verdict.outage ?? false,
      stripeCode: codeOf(thrown),
      declineCode: wordOf(thrown.decline_code),
      stripeStatus,
    },
    {
      ...(verdict.message === undefined ? {} : { message: verdict.message }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
      param,
      stripeRequestId: /^req_\w{1,64}$/.test(stripeRequestId ?? "") ? stripeRequestId : undefined,
      cause: thrown,
    },
  );
}

interface Verdict {
  code: ErrorCode;
  transient: boolean;
  outage?: boolean;
  /** Instead of the table's sentence. */
  message?: string;
}

function verdictOn(error: StripeError, account: string): Verdict {
  const { statusCode: status } = error;
  if (isRateLimit(error)) return { code: "stripe_rate_limited", transient: true, outage: true };
  if (status === 429 || status === 409) return { code: "stripe_conflict", transient: true };
  if (error.rawType === "idempotency_error") return { code: "stripe_conflict", transient: false, message: KEY_REUSED };
  if (status === undefined || status >= 500 || status < 400) {
    return { code: "stripe_unreachable", transient: true, outage: true };
  }
  if (status === 402 || error.rawType === "card_error")
    return { code: "card_declined", transient: false, message: declined(error) };
  if (account !== "" && isNoAccess(error))
    return { code: "stripe_not_connected", transient: false, message: NOT_CONNECTED };
  if (status === 401 || status === 403)
    return { code: "stripe_permission_denied", transient: false, message: keyProblem(error) };
  if (isRestricted(error)) return { code: "stripe_account_restricted", transient: false };
  return { code: "stripe_refused", transient: false, message: `Stripe refuses this: ${saidBy(error)}` };
}

/** A 429 without Stripe's reason that names a lock is another request on the same object. */
function isRateLimit(error: StripeError): boolean {
  if (error.code === "lock_timeout") return false;
  return error.statusCode === 429 || error.code === "rate_limit";
}

/** The account left us, was closed, or never was ours: Stripe gives one answer for all. */
function isNoAccess(error: StripeError): boolean {
  return error.code === "account_invalid" || error.message.includes("does not have access to account");
}

const RESTRICTED = new Set([
  "account_closed",
  "account_rejected",
  "charge_not_allowed",
  "capability_not_enabled",
  "insufficient_capabilities_for_transfer",
  "payouts_not_allowed",
  "platform_account_required",
  "testmode_charges_only",
  "transfers_not_allowed",
]);

/** Stripe gives no code where an account may not charge: only its sentence tells. */
function isRestricted(error: StripeError): boolean {
  return (
    RESTRICTED.has(codeOf(error) ?? "") ||
    /cannot (?:currently|yet) (?:make|create|accept) (?:live )?(?:charges|payments|transfers)/i.test(error.message)
  );
}

function keyProblem(error: StripeError): string {
  if (error.statusCode === 401) return "Stripe does not accept the operator's key: the operator sets a valid one.";
  const right = /\brak_\w{1,64}/.exec(error.message)?.[0];
  return right === undefined
    ? "The operator's Stripe key may not do this: the operator gives it the right, or sets another key."
    : `The operator's Stripe key lacks the right \`${right}\`: the operator adds it in Stripe's dashboard, or sets another key.`;
}

/** Stripe writes the sentence of a card error for the buyer. */
function declined(error: StripeError): string {
  return `${saidBy(error)} Use another payment method, or ask the bank.`;
}

const LONGEST_QUOTE = 300;

/** Stripe's own sentence, without what looks like a secret, an address or a card. */
function saidBy(error: StripeError): string {
  const said = scrub(error.message.replace(/\s+/g, " ").trim()).slice(0, LONGEST_QUOTE);
  return said === "" ? "it does not say why." : /[.!?…]$/.test(said) ? said : `${said}.`;
}

function codeOf(error: StripeError): string | undefined {
  return wordOf(error.code) ?? wordOf(error.rawType) ?? wordOf(error.type);
}

function wordOf(name: string | undefined): string | undefined {
  return name !== undefined && /^\w{1,64}$/.test(name) ? name : undefined;
}

/** Seconds; undefined when Stripe or a gateway names none. */
export function retryAfterOf({ headers = {} }: StripeError): number | undefined {
  const text = headers["retry-after"] ?? "";
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), LONGEST_RETRY_AFTER) : undefined;
}

const KEY_REUSED =
  "This was sent to Stripe before with other content: it may have been done already, so look at its state before you send it again as a new request.";
const NOT_CONNECTED =
  "Stripe no longer lets this platform use that account: its owner connects it again, or another one.";
