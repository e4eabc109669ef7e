// The catalogue: every type of event that tenants are told, what it says, and an example of its object. Pure.
//
// Not told, because one of these says the same: charges and invoice payments of a payment (payment.*, invoice.paid), single
// capabilities and authorizations of a connected account (connected_account.*), and spends, whose answer has told already.
import { EVENT_EXAMPLES } from "./event-examples.ts";
import type { EventObjectName } from "./event-objects.ts";

export { EVENT_API_VERSION } from "./event-objects.ts";

export interface EventType {
  type: string;
  /** One sentence: when it is told, and how often. */
  description: string;
  object: EventObjectName;
  /** What `data.object` may be. */
  example: Readonly<Record<string, unknown>>;
}

type Line = [type: string, description: string, changes?: Record<string, unknown>];

const told = (object: EventObjectName, ...lines: Line[]): EventType[] =>
  lines.map(([type, description, changes = {}]) => ({
    ...{ type, description, object },
    example: { ...EVENT_EXAMPLES[object], ...changes },
  }));

/** Changes that come together are told together, in the state after the last of them. */
const UPDATED = "Something that a reader may care for has changed. Told beside the event that names the change.";
/** The key is the latest invoice: that of the next cycle is there, as a draft, while the one before it is still owed. */
const WHILE_OWED = "Once for each invoice that is its latest meanwhile, also one that nobody has tried to pay yet.";
/** Of Stripe's reference: after the first attempt only automatic retries increment it. */
const COUNTED = "Once for each `attempt_count`: a payment by hand after the first attempt does not raise it.";
const LATER = "2026-11-21T10:15:00.000Z";

export const EVENT_TYPES: readonly EventType[] = [
  ...told(
    "customer",
    ["customer.created", "A customer was created."],
    ["customer.updated", UPDATED],
    ["customer.deleted", "A customer was deleted; its fields are what was last known of it, null where nothing was."],
  ),
  ...told(
    "subscription",
    ["subscription.created", "A subscription was created, perhaps with its first payment still to come."],
    ["subscription.updated", UPDATED],
    ["subscription.past_due", `A renewal could not be paid. ${WHILE_OWED}`, { status: "past_due" }],
    ["subscription.unpaid", `Stripe gave up on an invoice. ${WHILE_OWED}`, { status: "unpaid" }],
    ["subscription.trial_will_end", "A trial ends within three days. Once for each end.", { status: "trialing" }],
    ["subscription.paused", "A trial ended without a payment method: nothing is invoiced.", { status: "paused" }],
    ["subscription.resumed", "A paused subscription goes on."],
    [
      "subscription.canceled",
      "A subscription has ended.",
      { status: "canceled", canceled_at: LATER, ended_at: LATER, cancellation_reason: "cancellation_requested" },
    ],
    ["subscription.expired", "Its first payment never came.", { status: "incomplete_expired" }],
  ),
  ...told(
    "invoice",
    ["invoice.created", "An invoice was drafted.", { status: "draft", number: null, finalized_at: null }],
    ["invoice.updated", UPDATED],
    ["invoice.finalized", "An invoice has its number and can be paid."],
    [
      "invoice.paid",
      "An invoice is paid, or was marked so.",
      { status: "paid", paid: true, amount_paid: 2000, amount_remaining: 0, paid_at: LATER },
    ],
    ["invoice.payment_failed", `A payment of an invoice failed. ${COUNTED}`],
    ["invoice.payment_action_required", `The customer must confirm the payment. ${COUNTED}`],
    ["invoice.marked_uncollectible", "Given up; it may still be paid.", { status: "uncollectible" }],
    ["invoice.voided", "An invoice was voided.", { status: "void", voided_at: LATER }],
    ["invoice.sent", "An invoice was mailed to its customer. Each time."],
    ["invoice.deleted", "A draft was deleted.", { status: "draft", number: null, finalized_at: null }],
    ["invoice.upcoming", "A renewal comes soon. It has no id yet.", { id: null, status: "draft", number: null }],
  ),
  ...told(
    "payment",
    ["payment.succeeded", "A payment succeeded."],
    [
      "payment.failed",
      "An attempt to pay failed; the payment may still succeed. Once for each attempt.",
      { status: "requires_payment_method", amount_received: 0, last_payment_error_code: "card_declined" },
    ],
    ["payment.canceled", "A payment was canceled.", { status: "canceled", amount_received: 0, canceled_at: LATER }],
  ),
  ...told(
    "charge",
    ["charge.succeeded", "A charge without a payment intent succeeded."],
    ["charge.captured", "Such a charge was captured."],
    ["charge.failed", "Such a charge failed.", { status: "failed", captured: false, failure_code: "card_declined" }],
  ),
  ...told(
    "refund",
    ["refund.created", "A refund was created.", { status: "pending" }],
    ["refund.updated", "A refund has a status that it did not have before. Once for each status."],
    ["refund.failed", "A refund came back.", { status: "failed", failure_reason: "expired_or_canceled_card" }],
  ),
  ...told(
    "dispute",
    ["dispute.created", "A customer disputes a charge."],
    ["dispute.updated", "A dispute has a status that it did not have before. Once for each status."],
    ["dispute.funds_withdrawn", "The disputed amount was taken. Once for each dispute, however often."],
    [
      "dispute.funds_reinstated",
      "The disputed amount was given back. Once for each dispute, however often.",
      { status: "won" },
    ],
    ["dispute.closed", "A dispute was decided. Once for each dispute and outcome.", { status: "won" }],
  ),
  ...told(
    "checkout_session",
    ["checkout.session.completed", "Somebody completed a checkout. Once for each payment status."],
    ["checkout.session.async_payment_failed", "A delayed payment of a checkout failed.", { payment_status: "unpaid" }],
    ["checkout.session.expired", "Nobody completed it.", { status: "expired", payment_status: "unpaid" }],
  ),
  ...told(
    "payment_method",
    ["payment_method.attached", "A customer has a new payment method."],
    ["payment_method.updated", UPDATED],
    ["payment_method.automatically_updated", "The card's network sent new details."],
    ["payment_method.expiring", "A card expires by the end of its month. Once for each month."],
    ["payment_method.detached", "A payment method belongs to nobody any more.", { customer_id: null }],
  ),
  ...told(
    "setup_intent",
    ["setup_intent.succeeded", "A payment method was set up for later."],
    ["setup_intent.setup_failed", "It could not be set up. Once for each attempt.", { status: "requires_action" }],
    ["setup_intent.canceled", "Setting it up was canceled.", { status: "canceled" }],
  ),
  ...told(
    "payout",
    ["payout.created", "Money is on its way to the bank.", { status: "pending" }],
    ["payout.paid", "It is expected to have arrived; it may still fail."],
    ["payout.failed", "The bank refused it.", { status: "failed", failure_code: "account_closed" }],
    ["payout.canceled", "It was canceled.", { status: "canceled" }],
  ),
  ...told("connected_account", ["connected_account.updated", UPDATED]),
  ...told(
    "connection",
    ["connected_account.connected", "A Stripe account was connected.", { status: "pending", previous_status: null }],
    ["connected_account.status_changed", "What the connected account may do has changed."],
    [
      "connected_account.disconnected",
      "The connection has ended, whoever ended it.",
      {
        ...{ status: "disconnected", previous_status: "active", disconnected_at: LATER },
        disconnected_reason: "deauthorized",
      },
    ],
  ),
  ...told(
    "credit_entry",
    ["credit.purchased", "Bought credits were added. Once for each purchase."],
    ["credit.granted", "Credits were given.", { kind: "grant", reason: "welcome", purchase_id: null }],
    ["credit.reversed", "Credits were taken back: refund or dispute.", { kind: "reversal", amount: -1000 }],
    ["credit.restored", "Credits were given back: a dispute was won, or a spend refunded.", { kind: "restoral" }],
    ["credit.expired", "Credits have expired.", { kind: "expiry", amount: -1000, reason: "expired" }],
  ),
  ...told("credit_balance", ["credit.low", "A balance fell below the account's threshold. Each time."]),
  ...told("credit_top_up", ["credit.top_up_failed", "An automatic purchase of credits failed."]),
  ...told(
    "api_key",
    ["key.created", "An API key was made."],
    [
      "key.regenerated",
      "A key was replaced: it works until `expires_at`, if that is set. Once, and again if it is to end earlier.",
      { expires_at: LATER },
    ],
    ["key.revoked", "A key was revoked.", { revoked_at: LATER, revoked_reason: "leaked" }],
  ),
];

const byType = new Map(EVENT_TYPES.map((one) => [one.type, one]));
if (byType.size !== EVENT_TYPES.length) throw new Error("the catalogue of events names a type twice");

/** Undefined: nothing is told under this name. */
export function eventType(type: string): EventType | undefined {
  return byType.get(type);
}

/** `*`, a type, or `invoice.*` for all that begin so. */
export function matchesPattern(pattern: string, type: string): boolean {
  if (pattern === "*" || pattern === type) return true;
  return pattern.endsWith(".*") && type.startsWith(pattern.slice(0, -1));
}

/** Whether any type of the catalogue matches. */
export function isKnownPattern(pattern: string): boolean {
  return EVENT_TYPES.some(({ type }) => matchesPattern(pattern, type));
}
