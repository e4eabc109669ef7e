// The end of a checkout session: complete with what was bought, paid later, failed later, or expired.
import type Stripe from "stripe";
import { createSubscription } from "../subscriptions/subscription.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { attachPaymentMethod } from "../payments/instrument.ts";
import { cancelPaymentIntent } from "../payments/payment-intent.ts";
import { cancelSetupIntent } from "../payments/setup-intent.ts";
import { createCustomerTaxId } from "../customers/tax-id.ts";
import { draftOf, keepDraft, sessionOfIntent, type SessionDraft } from "./session-draft.ts";
import { anchorOf } from "./session-start.ts";
import { openSession, redeemDiscount } from "./session.ts";
import { invoiceOfSession, paidWith } from "./session-invoice.ts";

type Session = Stripe.Checkout.Session;

/** Stripe keeps the address of a session that can be recovered for 30 days. */
const RECOVERY = 30 * 24 * 60 * 60;

/** Hears of every payment intent: those of sessions end, or have ended, them. */
export function paymentMoved(tx: Transaction, intent: Stripe.PaymentIntent): void {
  const session = sessionOfIntent(tx, intent.id);
  if (session === undefined) return;
  if (session.status === "open") {
    if (["succeeded", "processing", "requires_capture"].includes(intent.status)) completeSession(tx, session, intent);
    return;
  }
  const draft = draftOf(tx, session.id);
  if (session.status !== "complete" || session.payment_status !== "unpaid" || draft.payment_intent !== intent.id)
    return;
  if (intent.status === "succeeded") {
    const paid = tx.put("checkout.session", { ...session, payment_status: "paid" });
    // A captured payment ends the wait too, but only a delayed one is announced.
    if (draft.waiting) tx.raise("checkout.session.async_payment_succeeded", paid);
    keepDraft(tx, { ...draft, waiting: false });
  } else if (draft.waiting && (intent.status === "requires_payment_method" || intent.status === "canceled")) {
    keepDraft(tx, { ...draft, waiting: false });
    tx.raise("checkout.session.async_payment_failed", session);
  }
}

export function setupMoved(tx: Transaction, intent: Stripe.SetupIntent): void {
  const session = sessionOfIntent(tx, intent.id);
  if (session?.status === "open" && intent.status === "succeeded") completeSession(tx, session, null);
}

/** `intent`: what paid, or will; null when nothing was due. Raises checkout.session.completed. */
export function completeSession(tx: Transaction, given: Session, intent: Stripe.PaymentIntent | null): Session {
  // Kept first: what is made below may move the intent again, and must not find an open session.
  const session = tx.put("checkout.session", { ...given, status: "complete", url: null });
  const draft = keepDraft(tx, { ...draftOf(tx, session.id), waiting: intent?.status === "processing" });
  const customer = idOf(session.customer) ?? draft.customer;
  redeemDiscount(tx, session, customer);
  if (customer !== null) keepForCustomer(tx, session, draft, customer);
  const made = madeBy(tx, session, draft, customer, intent);
  const complete: Session = {
    ...session,
    ...made,
    ...collected(session, draft),
    customer,
    payment_status: paymentStatus(intent),
  };
  tx.put("checkout.session", complete);
  tx.raise("checkout.session.completed", complete);
  return complete;
}

function paymentStatus(intent: Stripe.PaymentIntent | null): Session["payment_status"] {
  if (intent === null) return "no_payment_required";
  return intent.status === "succeeded" ? "paid" : "unpaid";
}

/** What the customer keeps of it: the payment method that was saved, the tax id that was told. */
function keepForCustomer(tx: Transaction, session: Session, draft: SessionDraft, customer: string): void {
  // A card of the older kind is the customer's already, and no payment method of its own.
  const method = draft.payment_method === null ? undefined : tx.find("payment_method", draft.payment_method);
  const saves = session.mode === "setup" || session.mode === "subscription";
  if (saves && method !== undefined && idOf(method.customer) === null) attachPaymentMethod(tx, method.id, customer);
  const tax = draft.buyer?.tax_id ?? null;
  if (tax !== null) createCustomerTaxId(tx, customer, tax);
}

function madeBy(
  tx: Transaction,
  session: Session,
  draft: SessionDraft,
  customer: string | null,
  intent: Stripe.PaymentIntent | null,
): Partial<Session> {
  if (session.mode === "subscription" && customer !== null) {
    const subscription = withPricesForSale(tx, draft, () => startSubscription(tx, session, draft, customer));
    const invoice = idOf(subscription.latest_invoice);
    if (invoice !== null && intent !== null) paidWith(tx, invoice, intent);
    return { subscription: subscription.id, invoice };
  }
  if (session.mode === "payment" && session.invoice_creation?.enabled === true && customer !== null) {
    return { invoice: invoiceOfSession(tx, session, draft, customer, intent) };
  }
  return {};
}

/** After the payment, as Stripe does since 2025-03-31: a first try that fails leaves no subscription behind. */
function startSubscription(
  tx: Transaction,
  session: Session,
  draft: SessionDraft,
  customer: string,
): Stripe.Subscription {
  const given = draft.given.subscription_data ?? {};
  const [discount] = session.discounts ?? [];
  const [coupon, promotion_code] = [idOf(discount?.coupon), idOf(discount?.promotion_code)];
  const rates = (of: readonly string[]) => (of.length === 0 ? {} : { tax_rates: [...of] });
  const once = draft.lines.filter((line) => !line.recurring);
  const parameters = {
    ...given,
    customer,
    items: draft.lines
      .filter((line) => line.recurring)
      .map((line) => ({
        price: line.price,
        ...(line.quantity === null ? {} : { quantity: line.quantity }),
        ...(Object.keys(line.metadata).length === 0 ? {} : { metadata: line.metadata }),
        ...rates(line.tax_rates),
      })),
    ...(once.length === 0
      ? {}
      : {
          add_invoice_items: once.map((line) => ({
            price: line.price,
            quantity: line.quantity ?? 1,
            ...rates(line.tax_rates),
          })),
        }),
    ...(discount === undefined
      ? {}
      : {
          discounts: [
            { ...(coupon === null ? {} : { coupon }), ...(promotion_code === null ? {} : { promotion_code }) },
          ],
        }),
    ...(session.currency === null ? {} : { currency: session.currency }),
    ...(draft.payment_method === null ? {} : { default_payment_method: draft.payment_method }),
  };
  // Deferred: active at once, with a draft that the payment already made pays. A trial has nothing to pay.
  const start = anchorOf(tx, draft) === null ? tx.now : draft.priced_at;
  return createSubscription(tx.at(start), parameters, { deferred: draft.payment_intent !== null });
}

/** A session ends with the prices that it began with, also where they are for this session alone or no longer for sale. */
function withPricesForSale<T>(tx: Transaction, { lines }: SessionDraft, act: () => T): T {
  const closed = lines.map(({ price }) => tx.get("price", price)).filter(({ active }) => !active);
  for (const price of closed) tx.put("price", { ...price, active: true });
  const result = act();
  for (const { id } of closed) tx.put("price", { ...tx.get("price", id), active: false });
  return result;
}

/** What the page asked the buyer, as the session shows it afterwards. */
function collected(session: Session, { buyer }: SessionDraft): Partial<Session> {
  const known = session.customer_details;
  return {
    customer_details: {
      address: buyer?.address ?? known?.address ?? null,
      business_name: null,
      email: buyer?.email ?? known?.email ?? null,
      individual_name: null,
      name: buyer?.name ?? known?.name ?? null,
      phone: buyer?.phone ?? known?.phone ?? null,
      tax_exempt: known?.tax_exempt ?? "none",
      tax_ids: [buyer?.tax_id ?? []].flat(),
    },
    collected_information: {
      business_name: null,
      individual_name: null,
      shipping_details: buyer?.shipping ?? session.collected_information?.shipping_details ?? null,
    },
    consent:
      session.consent_collection === null
        ? null
        : {
            promotions:
              session.consent_collection.promotions === "auto"
                ? buyer?.promotions === true
                  ? "opt_in"
                  : "opt_out"
                : null,
            terms_of_service: session.consent_collection.terms_of_service === "required" ? "accepted" : null,
          },
    custom_fields: session.custom_fields.map((field) => withValue(field, buyer?.custom_fields[field.key])),
  };
}

function withValue(
  field: Session["custom_fields"][number],
  value: string | undefined,
): Session["custom_fields"][number] {
  if (value === undefined || value === "") return field;
  if (field.dropdown !== undefined) return { ...field, dropdown: { ...field.dropdown, value } };
  if (field.numeric !== undefined) return { ...field, numeric: { ...field.numeric, value } };
  return field.text === undefined ? field : { ...field, text: { ...field.text, value } };
}

/** Raises checkout.session.expired. What was begun for it is canceled. */
export function expireSession(tx: Transaction, id: string): Session {
  const session = openSession(tx, id, "expired");
  const draft = draftOf(tx, id);
  const recovery = session.after_expiration?.recovery ?? null;
  const expired: Session = {
    ...session,
    status: "expired",
    url: null,
    after_expiration:
      recovery === null
        ? session.after_expiration
        : {
            recovery: recovery.enabled
              ? { ...recovery, expires_at: tx.now + RECOVERY, url: `${tx.world.origin}/r/${id}` }
              : recovery,
          },
  };
  tx.put("checkout.session", expired);
  const payment = draft.payment_intent === null ? undefined : tx.find("payment_intent", draft.payment_intent);
  if (payment !== undefined && !["succeeded", "canceled", "processing"].includes(payment.status))
    cancelPaymentIntent(tx, payment.id, {});
  const setup = draft.setup_intent === null ? undefined : tx.find("setup_intent", draft.setup_intent);
  if (setup !== undefined && !["succeeded", "canceled", "processing"].includes(setup.status))
    cancelSetupIntent(tx, setup.id, undefined);
  tx.raise("checkout.session.expired", expired);
  return expired;
}
