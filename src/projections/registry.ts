// What Stripe's events mean to us: which kind of object goes to which table, and which events something handles. Pure.
import { customerOf, emailOf } from "../stripe/read-party.ts";
import type { StripeObject } from "../stripe/read-values.ts";
import { accountAuthorization } from "./account-authorization.ts";
import { capability } from "./capability.ts";
import { charge } from "./charge.ts";
import { checkoutSession } from "./checkout-session.ts";
import { connectedAccount } from "./connected-account.ts";
import { customer } from "./customer.ts";
import { dispute } from "./dispute.ts";
import { invoicePayment } from "./invoice-payment.ts";
import { invoice } from "./invoice.ts";
import { otherObject } from "./other-object.ts";
import { paymentIntent } from "./payment-intent.ts";
import { paymentMethod } from "./payment-method.ts";
import { payout } from "./payout.ts";
import { price } from "./price.ts";
import { product } from "./product.ts";
import type { Projection } from "./projection.ts";
import { refund } from "./refund.ts";
import { setupIntent } from "./setup-intent.ts";
import { source } from "./source.ts";
import { stripePlan } from "./stripe-plan.ts";
import { subscription } from "./subscription.ts";

export { customerOf, emailOf, otherObject };

export interface RegistryEntry {
  projection: Projection;
  /** The event types that this projection exists for. A type that ends in `.*` stands for all that begin so. */
  events: readonly string[];
}

/** One line per table, in the order in which a batch writes them. Objects of all other kinds go to `stripe_objects`, last. */
export const REGISTRY: readonly RegistryEntry[] = [
  { projection: customer, events: family("customer", "created updated deleted") },
  { projection: product, events: ["product.*"] },
  { projection: price, events: ["price.*"] },
  { projection: stripePlan, events: ["plan.*"] },
  { projection: paymentMethod, events: family("payment_method", "attached detached updated automatically_updated") },
  { projection: source, events: family("customer.source", "created updated deleted expiring") },
  {
    projection: setupIntent,
    events: family("setup_intent", "created succeeded setup_failed canceled requires_action"),
  },
  {
    projection: checkoutSession,
    events: family("checkout.session", "completed expired async_payment_succeeded async_payment_failed"),
  },
  {
    projection: subscription,
    events: family("customer.subscription", "created updated deleted trial_will_end paused resumed"),
  },
  {
    projection: invoice,
    events: family(
      "invoice",
      "created updated finalized paid payment_succeeded payment_failed payment_action_required voided marked_uncollectible sent deleted upcoming",
    ),
  },
  { projection: invoicePayment, events: ["invoice_payment.paid"] },
  {
    projection: paymentIntent,
    events: family("payment_intent", "created succeeded payment_failed canceled processing requires_action"),
  },
  { projection: charge, events: family("charge", "succeeded failed refunded captured updated") },
  { projection: refund, events: [...family("refund", "created updated failed"), "charge.refund.updated"] },
  { projection: dispute, events: family("charge.dispute", "created updated closed funds_withdrawn funds_reinstated") },
  { projection: payout, events: ["payout.*"] },
  { projection: connectedAccount, events: ["account.updated"] },
  { projection: accountAuthorization, events: family("account.application", "authorized deauthorized") },
  { projection: capability, events: ["capability.updated"] },
];

function family(prefix: string, names: string): string[] {
  return names.split(" ").map((name) => `${prefix}.${name}`);
}

/** All projections in the order in which a batch writes their tables: two workers never wait for each other crosswise. */
export const PROJECTIONS: readonly Projection[] = [...REGISTRY.map((entry) => entry.projection), otherObject];

const byObject = unique(PROJECTIONS.flatMap((projection) => projection.objects.map((object) => [object, projection])));
const handled = unique(REGISTRY.flatMap((entry) => entry.events.map((type) => [type, entry.projection])));
unique(
  PROJECTIONS.flatMap((projection) => [
    [projection.table, projection],
    ...(projection.children ?? []).map((child): [string, Projection] => [child.table, projection]),
  ]),
);

/** @throws when two lines of the registry claim the same object, event or table. */
export function unique<T>(entries: readonly (readonly [string, T])[]): Map<string, T> {
  const found = new Map<string, T>();
  for (const [name, value] of entries) {
    if (found.has(name))
      throw new Error(`The registry names ${name} twice: each object, event and table has one projection.`);
    found.set(name, value);
  }
  return found;
}

/** The projection of an object kind; `otherObject` for kinds without a table of their own. */
export function projectionOf(objectType: string): Projection {
  return (objectType === "*" ? undefined : byObject.get(objectType)) ?? otherObject;
}

/** The kind that names an object in its key, the same for all kinds that share a table: card → source. */
export function keyTypeOf(objectType: string): string {
  const projection = projectionOf(objectType);
  return projection === otherObject ? objectType : projection.objects[0];
}

/** Ends the type of an imported object: nobody is told of it, and nobody mailed. What happens from now on, events tell. */
export const IMPORTED = ".imported";

/** Whether something is made of events of this type. Others are `ignored`: kept, and their object reduced all the same. */
export function isHandled(eventType: string): boolean {
  // A fetched object was asked for.
  if (eventType.endsWith(".retrieved") || eventType.endsWith(IMPORTED)) return true;
  const dot = eventType.indexOf(".");
  return handled.has(eventType) || (dot > 0 && handled.has(`${eventType.slice(0, dot)}.*`));
}

/** Event families that are not named after their object. */
const OBJECT_OF_FAMILY: Readonly<Record<string, string>> = {
  "account.application": "application",
  "account.external_account": "bank_account",
  "charge.dispute": "dispute",
  "charge.refund": "refund",
  "customer.discount": "discount",
  "customer.source": "source",
  "customer.subscription": "subscription",
  "customer.tax_id": "tax_id",
};

/**
 * The kind of an event's object, as its key names it: by its own `object`, or by the event's type when it does not say, or
 * says what is no name and could not be stored as it is.
 */
export function objectTypeOf(eventType: string, object: StripeObject): string {
  const own = object.object;
  return keyTypeOf(typeof own === "string" && KIND.test(own) ? own : objectNamedBy(eventType));
}

/** Printable, without the bar of an object's key, and short enough for an index. */
const KIND = /^[!-{}-~]{1,255}$/;

function objectNamedBy(eventType: string): string {
  const prefix = eventType.slice(0, Math.max(eventType.lastIndexOf("."), 0)) || eventType;
  return Object.hasOwn(OBJECT_OF_FAMILY, prefix) ? (OBJECT_OF_FAMILY[prefix] ?? prefix) : prefix;
}
