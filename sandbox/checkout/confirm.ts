// Confirming a checkout session: the buyer's details, a customer when one is needed, and one attempt to pay or to save.
import type Stripe from "stripe";
import { invalidRequest, parameterMissing, type StripeFailure } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { createCustomer, updateCustomer } from "../customers/customer.ts";
import { resolvePaymentMethod } from "../payments/instrument.ts";
import {
  cancelPaymentIntent,
  cardErrorOf,
  confirmPaymentIntent,
  createPaymentIntent,
} from "../payments/payment-intent.ts";
import { confirmSetupIntent, createSetupIntent, setupErrorOf } from "../payments/setup-intent.ts";
import { completeSession, paymentMoved, setupMoved } from "./complete.ts";
import { present } from "./present.ts";
import { type Buyer, draftOf, keepDraft, linkIntent, type SessionDraft } from "./session-draft.ts";
import { anchorOf } from "./session-start.ts";
import { fullAddress, openSession, repriced } from "./session.ts";

type Session = Stripe.Checkout.Session;

export interface Attempt {
  payment_method?: string | undefined;
  /** What the buyer saw, in the smallest unit. */
  expected_amount?: number | undefined;
  buyer?: Partial<Buyer> | undefined;
}

export type Outcome =
  | { kind: "complete"; session: Session }
  /** The bank asks the buyer: the intent that waits for it. */
  | { kind: "action"; intent: string }
  | { kind: "declined"; failure: StripeFailure };

/** One attempt. Never throws for a decline; ends the call when the session is not open or something is missing. */
export function confirmSession(tx: Transaction, id: string, attempt: Attempt): Outcome {
  const open = openSession(tx, id, "confirmed");
  const total = open.amount_total ?? 0;
  if (attempt.expected_amount !== undefined && attempt.expected_amount !== total) {
    throw invalidRequest(
      `The amount of the Checkout Session is ${total}, and ${attempt.expected_amount} was expected. Show the new amount to your customer.`,
      { param: "expected_amount", code: "checkout_amount_mismatch" },
    );
  }
  // A first period that ends at an anchor is paid from this second on.
  const isShort = anchorOf(tx, draftOf(tx, id)) !== null;
  const session = isShort ? repriced(tx, open, draftOf(tx, id)) : open;
  const pays = (session.amount_total ?? 0) > 0;
  const saves =
    session.mode === "setup" ||
    (session.mode === "subscription" && !pays && session.payment_method_collection === "always");
  if ((pays || saves) && attempt.payment_method === undefined) throw parameterMissing("payment_method");
  const method =
    attempt.payment_method === undefined
      ? undefined
      : resolvePaymentMethod(tx, attempt.payment_method, "payment_method");
  if (method !== undefined && !session.payment_method_types.includes(method.type)) {
    throw invalidRequest(`The payment method type "${method.type}" is not accepted by this Checkout Session.`, {
      param: "payment_method",
    });
  }
  const buyer = buyerOf(tx, session, method, attempt.buyer ?? {});
  const draft = keepDraft(tx, { ...draftOf(tx, id), payment_method: method?.id ?? null, buyer });
  const customer = customerOf(tx, session, draft);
  if (method !== undefined && pays) return pay(tx, session, customer, method.id);
  if (method !== undefined && saves) return save(tx, session, customer, method.id);
  return { kind: "complete", session: completeSession(tx, session, null) };
}

function buyerOf(
  tx: Transaction,
  session: Session,
  method: Stripe.PaymentMethod | undefined,
  told: Partial<Buyer>,
): Buyer {
  const id = idOf(session.customer);
  const customer = id === null ? undefined : tx.find("customer", id);
  const billing = method?.billing_details;
  return {
    email: told.email ?? customer?.email ?? session.customer_email ?? billing?.email ?? null,
    name: told.name ?? billing?.name ?? customer?.name ?? null,
    phone: told.phone ?? billing?.phone ?? null,
    address:
      told.address ??
      (billing?.address === null || billing?.address === undefined ? null : fullAddress(billing.address)),
    shipping: told.shipping ?? null,
    tax_id: told.tax_id ?? null,
    custom_fields: told.custom_fields ?? {},
    promotions: told.promotions ?? false,
    terms: told.terms ?? false,
  };
}

/** The customer that pays; made when the session calls for one, or null for a guest. */
function customerOf(tx: Transaction, session: Session, draft: SessionDraft): string | null {
  const given = idOf(session.customer) ?? draft.customer;
  const { buyer } = draft;
  const told = present({
    address: addressParameter(buyer?.address),
    email: buyer?.email,
    name: buyer?.name,
    phone: buyer?.phone,
    shipping: shippingParameter(buyer),
  });
  if (given !== null) {
    // Only what the session allows is written to a customer who was there before.
    const { address, name, shipping } = draft.given.customer_update ?? {};
    const changes = present({
      address: address === "auto" ? told.address : undefined,
      name: name === "auto" ? told.name : undefined,
      shipping: shipping === "auto" ? told.shipping : undefined,
    });
    if (Object.keys(changes).length > 0) updateCustomer(tx, given, changes);
    return given;
  }
  if (session.mode !== "subscription" && session.customer_creation !== "always") return null;
  const customer = createCustomer(tx, told);
  keepDraft(tx, { ...draft, customer: customer.id });
  return customer.id;
}

function addressParameter(address: Stripe.Address | null | undefined): Record<string, string> | null {
  if (address === null || address === undefined) return null;
  return Object.fromEntries(
    Object.entries(address).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function shippingParameter(buyer: Buyer | null): { name: string; address: Record<string, string> } | null {
  const shipping = buyer?.shipping ?? null;
  return shipping === null ? null : { name: shipping.name, address: addressParameter(shipping.address) ?? {} };
}

function pay(tx: Transaction, session: Session, customer: string | null, method: string): Outcome {
  const intent = paymentIntentFor(tx, session, customer);
  const address = (session.return_url ?? session.success_url)?.replaceAll("{CHECKOUT_SESSION_ID}", session.id);
  const confirmed = confirmPaymentIntent(tx, intent.id, {
    payment_method: method,
    ...present({ return_url: address }),
  });
  if (confirmed.status === "requires_action") return { kind: "action", intent: confirmed.id };
  if (confirmed.status === "requires_payment_method") return { kind: "declined", failure: cardErrorOf(confirmed) };
  // The hook has done it already, unless the rooms are not joined.
  paymentMoved(tx, confirmed);
  return { kind: "complete", session: tx.get("checkout.session", session.id) };
}

/** The intent of an earlier attempt while the amount is the same, or a new one. */
function paymentIntentFor(tx: Transaction, session: Session, customer: string | null): Stripe.PaymentIntent {
  const draft = draftOf(tx, session.id);
  const before = draft.payment_intent === null ? undefined : tx.find("payment_intent", draft.payment_intent);
  const isOpen = before !== undefined && before.status !== "canceled";
  if (isOpen && before.amount === session.amount_total) return before;
  if (isOpen) cancelPaymentIntent(tx, before.id, {});
  const intent = createPaymentIntent(tx, {
    ...(session.mode === "subscription" ? subscriptionPayment(session, draft) : draft.given.payment_intent_data),
    amount: session.amount_total ?? 0,
    currency: session.currency ?? "usd",
    allowed_payment_method_types: session.payment_method_types,
    ...present({ customer, shipping: shippingParameter(draft.buyer) }),
  });
  linkIntent(tx, intent.id, session.id);
  keepDraft(tx, { ...draft, payment_intent: intent.id });
  // Stripe shows the intent of payment mode alone; a subscription's is found by its invoice's payments.
  if (session.mode === "payment") tx.put("checkout.session", { ...session, payment_intent: intent.id });
  return intent;
}

/** A subscription's first payment carries its platform fee, and stays usable for the renewals. */
function subscriptionPayment(session: Session, draft: SessionDraft): Partial<Stripe.PaymentIntentCreateParams> {
  const {
    application_fee_percent: percent,
    transfer_data: transfer,
    on_behalf_of,
  } = draft.given.subscription_data ?? {};
  const total = session.amount_total ?? 0;
  const share = transfer?.amount_percent;
  return {
    description: "Subscription creation",
    setup_future_usage: "off_session",
    ...(percent === undefined ? {} : { application_fee_amount: Math.round((total * percent) / 100) }),
    ...(on_behalf_of === undefined ? {} : { on_behalf_of }),
    ...(transfer === undefined
      ? {}
      : {
          transfer_data: {
            destination: transfer.destination,
            ...(share === undefined ? {} : { amount: Math.round((total * share) / 100) }),
          },
        }),
  };
}

function save(tx: Transaction, session: Session, customer: string | null, method: string): Outcome {
  const draft = draftOf(tx, session.id);
  const id = draft.setup_intent ?? setupIntentFor(tx, session, draft, customer);
  const confirmed = confirmSetupIntent(tx, id, { payment_method: method });
  if (confirmed.status === "requires_action") return { kind: "action", intent: confirmed.id };
  if (confirmed.status === "requires_payment_method") return { kind: "declined", failure: setupErrorOf(confirmed) };
  setupMoved(tx, confirmed);
  return { kind: "complete", session: tx.get("checkout.session", session.id) };
}

function setupIntentFor(tx: Transaction, session: Session, draft: SessionDraft, customer: string | null): string {
  const intent = createSetupIntent(tx, {
    allowed_payment_method_types: session.payment_method_types,
    usage: "off_session",
    ...(customer === null ? {} : { customer }),
  });
  linkIntent(tx, intent.id, session.id);
  keepDraft(tx, { ...draft, setup_intent: intent.id });
  return intent.id;
}
