// The page of a payment link: each visit begins a checkout session of its own.
import type Stripe from "stripe";
import { present } from "../checkout/present.ts";
import { createSession } from "../checkout/session.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { World } from "../core/world.ts";
import { html } from "./html.ts";
import { notFound, show } from "./layout.ts";
import { type Page, type PageRequest, type PageRoute, scopeWith } from "./page.ts";

export const paymentLinkPages: PageRoute[] = [{ pattern: "GET /b/*", answer: visit }];

interface Line {
  price: string;
  quantity: number;
  adjustable_quantity: { enabled: boolean; maximum: number | null; minimum: number | null } | null;
}

function visit(world: World, { ids: [id = ""], query, origin }: PageRequest): Page {
  const scope = scopeWith(world, "payment_link", id);
  if (scope === undefined) return notFound("payment link");
  return world.run((tx) => {
    const link = tx.get("payment_link", id);
    if (!link.active)
      return show("Not for sale", html`<p>${link.inactive_message ?? "This link is no longer active."}</p>`);
    const { id: session } = createSession(tx, sessionOf(tx, link, query, origin), { payment_link: id });
    return { redirect: `/c/pay/${session}` };
  }, scope);
}

function sessionOf(
  tx: Transaction,
  link: Stripe.PaymentLink,
  query: PageRequest["query"],
  origin: string,
): Stripe.Checkout.SessionCreateParams {
  const lines = (tx.find("_extra", `payment_link:${link.id}`)?.lines ?? []) as Line[];
  const recurring = lines.some(({ price }) => tx.find("price", price)?.recurring !== null);
  const { subscription_data: terms, payment_intent_data: payment } = link;
  const destination = idOf(link.transfer_data?.destination);
  const transfer =
    destination === null ? {} : { transfer_data: { destination, ...present({ amount: link.transfer_data?.amount }) } };
  return {
    mode: recurring ? "subscription" : "payment",
    success_url: link.after_completion.redirect?.url ?? `${origin}/c/pay/{CHECKOUT_SESSION_ID}`,
    allow_promotion_codes: link.allow_promotion_codes,
    metadata: link.metadata,
    line_items: lines.map(({ price, quantity, adjustable_quantity: range }) => ({
      price,
      quantity,
      ...(range === null
        ? {}
        : {
            adjustable_quantity: {
              enabled: range.enabled,
              ...present({ maximum: range.maximum, minimum: range.minimum }),
            },
          }),
    })),
    // As buyers are told apart on links: buy.stripe.com takes both in its address.
    ...present({ client_reference_id: query.client_reference_id, customer_email: query.prefilled_email }),
    ...(recurring
      ? {
          subscription_data: {
            ...present({
              application_fee_percent: link.application_fee_percent,
              metadata: terms?.metadata,
              trial_period_days: terms?.trial_period_days,
            }),
            ...(destination === null ? {} : { transfer_data: { destination } }),
          },
        }
      : {
          customer_creation: link.customer_creation,
          payment_intent_data: {
            ...transfer,
            ...present({
              application_fee_amount: link.application_fee_amount,
              on_behalf_of: idOf(link.on_behalf_of),
              metadata: payment?.metadata,
              description: payment?.description,
            }),
          },
        }),
  };
}
