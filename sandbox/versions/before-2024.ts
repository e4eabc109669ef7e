// What the dated versions changed, from 2024-04-10 back to 2020-08-27. Nothing older is told apart.
import type Stripe from "stripe";

import { buildIncludable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import type { Known } from "./known.ts";
import { change, type Fields, type VersionChange, without } from "./version-change.ts";

const CUSTOMER_LISTS = ["sources", "subscriptions", "tax_ids"];

export const earlyChanges: readonly VersionChange[] = [
  change("2024-04-10", "product", (product: Stripe.Product) => {
    const { marketing_features, ...rest } = product;
    return { ...rest, features: marketing_features };
  }),
  change("2024-04-10", "invoice", (invoice: Stripe.Invoice) => {
    const { rendering } = invoice;
    const rendering_options = rendering === null ? null : { amount_tax_display: rendering.amount_tax_display };
    return { ...invoice, rendering_options };
  }),
  change("2022-11-15", "payment_intent", (intent: Stripe.PaymentIntent, known) => {
    const { latest_charge, ...rest } = intent;
    return { ...rest, charges: chargesOf(known, intent.id, idOf(latest_charge)) };
  }),
  change(
    "2022-11-15",
    "charge",
    (charge: Stripe.Charge, known) => ({
      ...charge,
      destination: idOf(charge.transfer_data?.destination),
      dispute: charge.disputed ? disputeOf(known, charge.id) : null,
      refunds: refundsOf(known, charge),
    }),
    { destination: ["account"], dispute: ["dispute"] },
  ),
  // Of goods: nothing here sells any.
  change("2022-11-15", "product", (product) => Object.assign({}, product, { attributes: [], caption: null })),
  change("2022-08-01", "charge", (charge) => Object.assign({}, charge, { order: null })),
  change(
    "2022-08-01",
    "checkout.session",
    (session: Stripe.Checkout.Session & { shipping_details?: object | null }) => ({
      ...without(session, "shipping_details"),
      shipping: session.shipping_details ?? null,
      shipping_rate: idOf(session.shipping_cost?.shipping_rate),
    }),
    { shipping_rate: ["shipping_rate"] },
  ),
  change("2020-08-27", "customer", (customer: Stripe.Customer, known) => ({
    ...customer,
    ...listsOf(known, customer),
  })),
  change("2020-08-27", "discount", (discount) => without(discount, "id")),
];

/** The newest first. `latest`: no charge after this one was made when the intent looked so. */
function chargesOf(known: Known, intent: string, latest: string | null): object {
  const url = `/v1/charges?payment_intent=${intent}`;
  const all = known.tx.where("charge", ({ payment_intent }) => idOf(payment_intent) === intent);
  const made = all.slice(0, all.findIndex(({ id }) => id === latest) + 1).reverse();
  return {
    object: "list",
    data: made.flatMap(({ id }) => known.find("charge", id) ?? []),
    has_more: false,
    total_count: made.length,
    url,
  };
}

function disputeOf(known: Known, charge: string): string | null {
  return known.where("dispute", (dispute) => idOf(dispute.charge) === charge).at(-1)?.id ?? null;
}

/** The newest first, at most ten. */
function refundsOf(known: Known, { id }: Stripe.Charge): object {
  const refunds = known.where("refund", ({ charge }) => idOf(charge) === id).reverse();
  return {
    object: "list",
    data: refunds.slice(0, 10),
    has_more: refunds.length > 10,
    total_count: refunds.length,
    url: `/v1/charges/${id}/refunds`,
  };
}

/** Each as if it had been asked for. */
function listsOf({ tx, shaped }: Known, customer: Stripe.Customer): Fields {
  return Object.fromEntries(
    CUSTOMER_LISTS.flatMap((field) => {
      const build = field in customer ? undefined : buildIncludable("customer", field);
      return build === undefined ? [] : [[field, shaped(build(tx, customer))]];
    }),
  );
}
