// Quotes: an offer that becomes a subscription or an invoice when it is accepted.
import type Stripe from "stripe";
import { given } from "../catalogue/given.ts";
import { blank, blankPart } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import type { DueWork } from "../core/hooks.ts";
import { includable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { discountsFrom } from "../invoices/discounts.ts";
import { DAY } from "./billing-cycle.ts";
import { type QuoteLine, quoteTotals } from "./quote-totals.ts";
import { fulfil, keepLines, linesOf } from "./quote-fulfil.ts";
import { type ItemInput, priceOf, taxRates } from "./subscription-item.ts";

type Quote = Stripe.Quote;
type Input = Stripe.QuoteCreateParams & Stripe.QuoteUpdateParams;

const OPEN_DAYS = 30;

function createQuote(world: Transaction, params: Stripe.QuoteCreateParams): Quote {
  if (params.customer !== undefined) world.get("customer", params.customer, "customer");
  const tx = world.atTimeOf(params.customer);
  const id = tx.newId("quote");
  const from = params.from_quote === undefined ? undefined : tx.get("quote", params.from_quote.quote, "from_quote");
  const empty = blank("quote", {
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    collection_method: "charge_automatically",
    computed: { recurring: null, upfront: {} },
    created: tx.now,
    expires_at: tx.now + OPEN_DAYS * DAY,
    from_quote: from === undefined ? null : { is_revision: params.from_quote?.is_revision ?? false, quote: from.id },
    id,
    invoice_settings: blankPart("quote.invoice_settings", { issuer: { type: "self" } }),
    livemode: tx.scope.livemode,
    status: "draft",
    subscription_data: blankPart("quote.subscription_data", {
      billing_mode: params.subscription_data?.billing_mode ?? {
        flexible: { proration_discounts: "included" },
        type: "flexible",
      },
    }),
    test_clock: params.test_clock ?? tx.clockOf(params.customer),
  }) as unknown as Quote;
  const lines = params.line_items === undefined && from !== undefined ? linesOf(tx, from.id) : [];
  keepLines(tx, id, lines);
  const quote = tx.put("quote", quoteAfter(tx, empty, params as Input));
  tx.raise("quote.created", quote);
  return quote;
}

/** The quote with what the call says, worked out anew. */
function quoteAfter(tx: Transaction, old: Quote, input: Input): Quote {
  if (input.line_items !== undefined) keepLines(tx, old.id, linesFrom(tx, input.line_items));
  const discounts =
    input.discounts === undefined
      ? old.discounts
      : discountsFrom(tx, input.discounts ?? "", {
          customer: input.customer ?? idOf(old.customer),
        });
  const rates =
    input.default_tax_rates === undefined ? (old.default_tax_rates ?? []) : taxRates(tx, input.default_tax_rates);
  const ids = rates.flatMap((rate) => idOf(rate) ?? []);
  const totals = quoteTotals(
    tx,
    linesOf(tx, old.id),
    discounts.flatMap((discount) => idOf(discount) ?? []),
    taxRates(tx, ids),
  );
  const { invoice_settings: settings, subscription_data: terms, transfer_data: transfer } = input;
  return {
    ...old,
    ...totals.fields,
    application_fee_amount: given(input.application_fee_amount, old.application_fee_amount),
    application_fee_percent: given(input.application_fee_percent, old.application_fee_percent),
    collection_method: input.collection_method ?? old.collection_method,
    customer: input.customer ?? old.customer,
    default_tax_rates: ids,
    description: given(input.description, old.description),
    discounts,
    expires_at: input.expires_at ?? old.expires_at,
    footer: given(input.footer, old.footer),
    header: given(input.header, old.header),
    invoice_settings:
      settings === undefined
        ? old.invoice_settings
        : ({ ...old.invoice_settings, ...settings } as Quote["invoice_settings"]),
    metadata: mergeMetadata(old.metadata, input.metadata),
    on_behalf_of: given(input.on_behalf_of, old.on_behalf_of as string | null),
    subscription_data: terms === undefined ? old.subscription_data : termsAfter(tx, old, terms),
    transfer_data:
      transfer === undefined
        ? old.transfer_data
        : transfer === "" || transfer === null
          ? null
          : { amount: null, amount_percent: null, ...transfer },
  };
}

function termsAfter(
  tx: Transaction,
  { subscription_data: old }: Quote,
  input: NonNullable<Input["subscription_data"]>,
): Quote["subscription_data"] {
  const date = input.effective_date === "current_period_end" ? tx.now : input.effective_date;
  return {
    ...old,
    description: given(input.description, old.description),
    effective_date: given(date, old.effective_date),
    metadata: mergeMetadata(old.metadata, input.metadata),
    trial_period_days: given(input.trial_period_days, old.trial_period_days),
  };
}

function linesFrom(tx: Transaction, items: NonNullable<Input["line_items"]>): QuoteLine[] {
  return items.map((item, place) => ({
    id: ("id" in item ? (item.id as string | undefined) : undefined) ?? `li_${tx.world.random.text(24)}`,
    price: priceOf(tx, item as ItemInput, `line_items[${place}]`).id,
    quantity: item.quantity ?? 1,
    tax_rates: taxRates(tx, item.tax_rates).map(({ id }) => id),
  }));
}

function lineItems(tx: Transaction, quote: Quote): Stripe.LineItem[] {
  const discounts = quote.discounts.flatMap((discount) => idOf(discount) ?? []);
  const rates = taxRates(
    tx,
    (quote.default_tax_rates ?? []).flatMap((rate) => idOf(rate) ?? []),
  );
  return quoteTotals(tx, linesOf(tx, quote.id), discounts, rates).lines;
}

function requireStatus(quote: Quote, verb: string, ...statuses: string[]): void {
  if (statuses.includes(quote.status)) return;
  const wanted = statuses.map((status) => `\`${status}\``).join(" or ");
  throw invalidRequest(`This quote cannot be ${verb} because it is \`${quote.status}\`. It must be ${wanted}.`);
}

function updateQuote(world: Transaction, params: Stripe.QuoteUpdateParams, id: string): Quote {
  const before = world.get("quote", id);
  const tx = world.atTimeOf(before.customer);
  if (params.customer !== undefined) tx.get("customer", params.customer, "customer");
  const other = Object.keys(params).find((name) => name !== "metadata" && name !== "expand");
  if (other !== undefined) requireStatus(before, "updated", "draft");
  return tx.put("quote", quoteAfter(tx, before, params as Input));
}

function finalizeQuote(world: Transaction, params: Stripe.QuoteFinalizeQuoteParams, id: string): Quote {
  const before = world.get("quote", id);
  const tx = world.atTimeOf(before.customer);
  requireStatus(before, "finalized", "draft");
  if (before.customer === null) {
    throw invalidRequest("A quote needs a `customer` before it can be finalized.", { param: "customer" });
  }
  if (linesOf(tx, id).length === 0) {
    throw invalidRequest("A quote needs `line_items` before it can be finalized.", { param: "line_items" });
  }
  const number = `QT-${tx.world.random.text(8).toUpperCase()}-0001-1`;
  const status_transitions = { ...before.status_transitions, finalized_at: tx.now };
  const expires_at = params.expires_at ?? before.expires_at;
  const quote = tx.put("quote", { ...before, expires_at, number, status: "open", status_transitions });
  tx.raise("quote.finalized", quote);
  return quote;
}

function acceptQuote(world: Transaction, id: string): Quote {
  const before = world.get("quote", id);
  const tx = world.atTimeOf(before.customer);
  requireStatus(before, "accepted", "open");
  const made = fulfil(tx, before);
  const status_transitions = { ...before.status_transitions, accepted_at: tx.now };
  const quote = tx.put("quote", { ...before, ...made, status: "accepted", status_transitions });
  tx.raise("quote.accepted", quote);
  return quote;
}

function cancelQuote(world: Transaction, id: string): Quote {
  const before = world.get("quote", id);
  const tx = world.atTimeOf(before.customer);
  requireStatus(before, "canceled", "draft", "open");
  const status_transitions = { ...before.status_transitions, canceled_at: tx.now };
  const quote = tx.put("quote", { ...before, status: "canceled", status_transitions });
  tx.raise("quote.canceled", quote);
  return quote;
}

/** Open quotes that nobody accepts are cancelled when they expire. */
export const quotesDue: DueWork = {
  next: (tx, clock) => {
    const moments = openOn(tx, clock).map(({ expires_at }) => expires_at);
    return moments.length === 0 ? undefined : moments.reduce((one, other) => Math.min(one, other));
  },
  run: (tx, clock) => {
    for (const { id, expires_at } of openOn(tx, clock)) if (expires_at <= tx.now) cancelQuote(tx, id);
  },
};

function openOn(tx: Transaction, clock: string | null): Quote[] {
  return tx.where("quote", ({ status, test_clock }) => status === "open" && idOf(test_clock) === clock);
}

includable("quote", "line_items", (tx, quote) => innerList(lineItems(tx, quote), `/v1/quotes/${quote.id}/line_items`));

export const quoteRoutes: Route[] = [
  route<Stripe.QuoteCreateParams>()("POST /v1/quotes", createQuote),
  route<Stripe.QuoteListParams & ListParameters>()("GET /v1/quotes", (tx, params) => {
    const { customer, status, test_clock } = params;
    const quotes = tx.where("quote", (quote) => {
      const of = customer === undefined || idOf(quote.customer) === customer;
      const on = test_clock === undefined || idOf(quote.test_clock) === test_clock;
      return of && on && (status === undefined || quote.status === status);
    });
    return listOf(quotes, "/v1/quotes", params);
  }),
  route<object>()("GET /v1/quotes/*", (tx, _, id) => tx.get("quote", id)),
  route<Stripe.QuoteUpdateParams>()("POST /v1/quotes/*", updateQuote),
  route<Stripe.QuoteFinalizeQuoteParams>()("POST /v1/quotes/*/finalize", finalizeQuote),
  route<object>()("POST /v1/quotes/*/accept", (tx, _, id) => acceptQuote(tx, id)),
  route<object>()("POST /v1/quotes/*/cancel", (tx, _, id) => cancelQuote(tx, id)),
  route<ListParameters>()("GET /v1/quotes/*/line_items", (tx, params, id) =>
    listOf(lineItems(tx, tx.get("quote", id)).toReversed(), `/v1/quotes/${id}/line_items`, params),
  ),
  route<ListParameters>()("GET /v1/quotes/*/computed_upfront_line_items", (tx, params, id) =>
    listOf(lineItems(tx, tx.get("quote", id)).toReversed(), `/v1/quotes/${id}/computed_upfront_line_items`, params),
  ),
];
