// One event of every type that Billhook handles, in old and new shape.
import { BEGIN, event, NEW_API, OLD_API, type Overrides, type StripeEvent } from "./stripe-fixtures.ts";
import * as billing from "./stripe-fixtures-billing.ts";
import * as connect from "./stripe-fixtures-connect.ts";
import * as payments from "./stripe-fixtures-payments.ts";

type Build = (overrides?: Overrides) => ReturnType<typeof billing.oldInvoice>;

/** What the objects of one kind are built by, and for each event type what its object says. */
interface Family {
  /** null: the kind does not exist in old shapes. */
  old: Build | null;
  new: Build;
  account?: string;
  events: Record<string, Overrides>;
}

const EXPIRED = { status: "expired", payment_status: "unpaid", payment_intent: null };
const DELETED = { deleted: true };

const FAMILIES: readonly Family[] = [
  {
    old: billing.oldCustomer,
    new: billing.newCustomer,
    events: { "customer.created": {}, "customer.updated": { delinquent: true }, "customer.deleted": {} },
  },
  {
    old: billing.oldSubscription,
    new: billing.newSubscription,
    events: {
      "customer.subscription.created": { status: "incomplete" },
      "customer.subscription.updated": {},
      "customer.subscription.deleted": { status: "canceled", canceled_at: BEGIN + 9, ended_at: BEGIN + 9 },
      "customer.subscription.trial_will_end": { status: "trialing", trial_start: BEGIN, trial_end: BEGIN + 259_200 },
      "customer.subscription.paused": { status: "paused" },
      "customer.subscription.resumed": {},
    },
  },
  {
    old: billing.oldInvoice,
    new: billing.newInvoice,
    events: {
      "invoice.created": { status: "draft", number: null },
      "invoice.updated": {},
      "invoice.finalized": {},
      "invoice.paid": billing.PAID,
      "invoice.payment_succeeded": billing.PAID,
      "invoice.payment_failed": { attempt_count: 1, attempted: true },
      "invoice.payment_action_required": { attempt_count: 1, attempted: true },
      "invoice.voided": { status: "void" },
      "invoice.marked_uncollectible": { status: "uncollectible" },
      "invoice.sent": { collection_method: "send_invoice", due_date: BEGIN + 1000 },
      "invoice.deleted": { status: "draft" },
      "invoice.upcoming": { id: undefined, status: "draft", billing_reason: "upcoming", number: null },
    },
  },
  { old: null, new: billing.invoicePayment, events: { "invoice_payment.paid": {} } },
  {
    old: payments.oldPaymentIntent,
    new: payments.newPaymentIntent,
    events: {
      "payment_intent.created": { status: "requires_payment_method", payment_method: null },
      "payment_intent.succeeded": {},
      "payment_intent.payment_failed": payments.declined("ch_1"),
      "payment_intent.canceled": { status: "canceled", canceled_at: BEGIN + 99, cancellation_reason: "abandoned" },
      "payment_intent.processing": { status: "processing" },
      "payment_intent.requires_action": { status: "requires_action", next_action: { type: "use_stripe_sdk" } },
    },
  },
  {
    old: payments.oldCharge,
    new: payments.newCharge,
    events: {
      "charge.succeeded": {},
      "charge.failed": { status: "failed", paid: false, failure_code: "card_declined", failure_message: "Declined." },
      "charge.refunded": { amount_refunded: 3100, refunded: true },
      "charge.captured": {},
      "charge.updated": {},
    },
  },
  {
    old: payments.oldRefund,
    new: payments.newRefund,
    events: {
      "refund.created": { status: "pending" },
      "refund.updated": {},
      "refund.failed": { status: "failed", failure_reason: "lost_or_stolen_card" },
      "charge.refund.updated": {},
    },
  },
  {
    old: payments.oldDispute,
    new: payments.newDispute,
    events: {
      "charge.dispute.created": {},
      "charge.dispute.updated": { status: "under_review" },
      "charge.dispute.closed": { status: "won" },
      "charge.dispute.funds_withdrawn": { balance_transactions: [{ id: "txn_3", object: "balance_transaction" }] },
      "charge.dispute.funds_reinstated": { status: "won" },
    },
  },
  {
    old: payments.oldCheckoutSession,
    new: payments.newCheckoutSession,
    events: {
      "checkout.session.completed": {},
      "checkout.session.expired": EXPIRED,
      "checkout.session.async_payment_succeeded": {},
      "checkout.session.async_payment_failed": { payment_status: "unpaid" },
    },
  },
  {
    old: payments.oldSetupIntent,
    new: payments.newSetupIntent,
    events: {
      "setup_intent.created": { status: "requires_payment_method", payment_method: null, latest_attempt: null },
      "setup_intent.succeeded": {},
      "setup_intent.setup_failed": { status: "requires_payment_method", last_setup_error: { code: "card_declined" } },
      "setup_intent.canceled": { status: "canceled", cancellation_reason: "abandoned" },
      "setup_intent.requires_action": { status: "requires_action", next_action: { type: "use_stripe_sdk" } },
    },
  },
  {
    old: payments.oldPaymentMethod,
    new: payments.newPaymentMethod,
    events: {
      "payment_method.attached": {},
      "payment_method.detached": { customer: null },
      "payment_method.updated": {},
      "payment_method.automatically_updated": {},
    },
  },
  {
    old: payments.oldCard,
    new: payments.newCard,
    events: { "customer.source.expiring": {}, "customer.source.updated": {} },
  },
  {
    old: billing.oldProduct,
    new: billing.newProduct,
    events: { "product.created": {}, "product.updated": { active: false }, "product.deleted": DELETED },
  },
  {
    old: billing.oldPrice,
    new: billing.newPrice,
    events: { "price.created": {}, "price.updated": { nickname: "Best" }, "price.deleted": DELETED },
  },
  {
    old: billing.oldPlan,
    new: billing.newPlan,
    events: { "plan.created": {}, "plan.updated": { nickname: "Best" }, "plan.deleted": DELETED },
  },
  { old: connect.oldAccount, new: connect.newAccount, account: "acct_1", events: { "account.updated": {} } },
  {
    old: connect.application,
    new: connect.application,
    account: "acct_1",
    events: { "account.application.deauthorized": {}, "account.application.authorized": {} },
  },
  { old: connect.oldCapability, new: connect.newCapability, account: "acct_1", events: { "capability.updated": {} } },
  {
    old: connect.oldPayout,
    new: connect.newPayout,
    events: {
      "payout.created": { status: "pending" },
      "payout.updated": { status: "in_transit" },
      "payout.paid": {},
      "payout.failed": { status: "failed", failure_code: "account_closed" },
      "payout.canceled": { status: "canceled" },
      "payout.reconciliation_completed": {},
    },
  },
];

export interface EventInBothShapes {
  type: string;
  old: StripeEvent | null;
  new: StripeEvent;
}

/** Fresh events: ids go on from those that were made before. */
export function everyHandledEvent(): EventInBothShapes[] {
  return FAMILIES.flatMap((family) =>
    Object.entries(family.events).map(([type, overrides]) => {
      const account = family.account === undefined ? {} : { account: family.account };
      return {
        type,
        old: family.old && event(type, family.old(overrides), { apiVersion: OLD_API, ...account }),
        new: event(type, family.new(overrides), { apiVersion: NEW_API, ...account }),
      };
    }),
  );
}
