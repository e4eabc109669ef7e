// Payment links: a page that opens a new checkout session for each visitor.
import type Stripe from "stripe";
import { blank, blankPart } from "../core/blank.ts";
import { equal } from "../core/difference.ts";
import { invalidRequest } from "../core/errors.ts";
import { includable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { given, named } from "./given.ts";
import { createInlinePrice, usablePrice } from "./price.ts";

type Fields = Readonly<Record<string, unknown>>;
type CreateParams = Stripe.PaymentLinkCreateParams;
type UpdateParams = Stripe.PaymentLinkUpdateParams;

/** A line as it is kept; the price is looked up when somebody asks. */
interface Line {
  id: string;
  price: string;
  quantity: number;
  adjustable_quantity: Stripe.LineItem.AdjustableQuantity | null;
}

export function createPaymentLink(tx: Transaction, params: CreateParams): Stripe.PaymentLink {
  const lines = params.line_items.map((line, place) => lineOf(tx, line, place));
  if (lines.length === 0)
    throw invalidRequest("You must specify at least one item in `line_items`.", { param: "line_items" });
  const prices = lines.map(({ price }) => tx.get("price", price));
  const recurring = prices.some(({ type }) => type === "recurring");
  const id = tx.newId("payment_link");
  const link = blank("payment_link", {
    id,
    active: true,
    ...settings(params, {}),
    automatic_tax: automaticTax(params.automatic_tax),
    currency: params.currency ?? prices[0]?.currency,
    customer_creation: params.customer_creation ?? (recurring ? "always" : "if_required"),
    invoice_creation: recurring ? null : invoiceCreation(params.invoice_creation),
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, params.metadata),
    payment_method_collection: params.payment_method_collection ?? "always",
    subscription_data: recurring ? subscriptionData(params.subscription_data) : null,
    url: `${tx.world.origin}/b/${id}`,
  }) as unknown as Stripe.PaymentLink;
  tx.put("payment_link", link);
  tx.put("_extra", { id: keyOf(id), object: "payment_link", created: tx.now, lines });
  tx.raise("payment_link.created", link);
  return link;
}

const keyOf = (link: string): string => `payment_link:${link}`;

function lineOf(tx: Transaction, line: Stripe.PaymentLinkCreateParams.LineItem, place: number): Line {
  const param = `line_items[${place}]`;
  const { adjustable_quantity: adjustable, price, price_data, quantity } = line;
  if (price === undefined && price_data === undefined) {
    throw invalidRequest("You must specify either `price` or `price_data` for each line item.", { param });
  }
  const used =
    price === undefined && price_data !== undefined
      ? createInlinePrice(tx, price_data, `${param}[price_data]`)
      : usablePrice(tx, price ?? "", `${param}[price]`);
  return {
    id: `li_${tx.world.random.text(24)}`,
    price: used.id,
    quantity,
    adjustable_quantity:
      adjustable === undefined
        ? null
        : { enabled: adjustable.enabled, maximum: adjustable.maximum ?? null, minimum: adjustable.minimum ?? null },
  };
}

/** The fields that a call gives and an update may change; `old`: the link before, nothing for a new one. */
function settings(params: CreateParams | UpdateParams, old: Partial<Stripe.PaymentLink>): Fields {
  const part = (
    name: string,
    value: object | "" | null | undefined,
    before: unknown,
    none: unknown = null,
  ): unknown => {
    if (value === undefined) return before ?? none;
    return value === "" || value === null ? none : complete(`payment_link.${name}`, value);
  };
  return {
    after_completion: part("after_completion", params.after_completion, old.after_completion, {
      hosted_confirmation: { custom_message: null },
      type: "hosted_confirmation",
    }),
    allow_promotion_codes: params.allow_promotion_codes ?? old.allow_promotion_codes ?? false,
    application_fee_amount: given(params.application_fee_amount, old.application_fee_amount),
    application_fee_percent: given(params.application_fee_percent, old.application_fee_percent),
    billing_address_collection: params.billing_address_collection ?? old.billing_address_collection ?? "auto",
    consent_collection: part("consent_collection", params.consent_collection, old.consent_collection),
    custom_fields: fieldsOf(params.custom_fields, old.custom_fields),
    custom_text: part("custom_text", params.custom_text, old.custom_text, blankPart("payment_link.custom_text")),
    inactive_message: given(params.inactive_message, old.inactive_message),
    name_collection: given(params.name_collection, old.name_collection) ?? undefined,
    on_behalf_of: given(params.on_behalf_of, idOf(old.on_behalf_of)),
    optional_items: itemsOf(params.optional_items, old.optional_items),
    payment_intent_data: part("payment_intent_data", params.payment_intent_data, old.payment_intent_data),
    payment_method_options: part("payment_method_options", params.payment_method_options, old.payment_method_options),
    payment_method_types: given(params.payment_method_types, old.payment_method_types),
    phone_number_collection: params.phone_number_collection ?? old.phone_number_collection ?? { enabled: false },
    restrictions: restrictionsOf(params.restrictions, old.restrictions),
    shipping_address_collection: given(params.shipping_address_collection, old.shipping_address_collection),
    shipping_options: shippingOf(params.shipping_options, old.shipping_options),
    submit_type: params.submit_type ?? old.submit_type ?? "auto",
    tax_id_collection: part(
      "tax_id_collection",
      params.tax_id_collection && { required: "never", ...params.tax_id_collection },
      old.tax_id_collection,
      {
        enabled: false,
        required: "never",
      },
    ),
    transfer_data: part("transfer_data", params.transfer_data, old.transfer_data),
  };
}

/** The part with its empty fields; what the call leaves out of it is null. */
function complete(path: string, value: object): Fields {
  return blankPart(path, value as Fields);
}

function fieldsOf(
  params: Stripe.PaymentLinkCreateParams.CustomField[] | "" | null | undefined,
  old: Stripe.PaymentLink.CustomField[] = [],
): unknown[] {
  if (params === undefined) return old;
  return (given(params) ?? []).map((field) => {
    const bounds = { default_value: null, maximum_length: null, minimum_length: null };
    return {
      ...field,
      optional: field.optional ?? false,
      ...(field.dropdown === undefined ? {} : { dropdown: { default_value: null, ...field.dropdown } }),
      ...(field.numeric === undefined ? {} : { numeric: { ...bounds, ...field.numeric } }),
      ...(field.text === undefined ? {} : { text: { ...bounds, ...field.text } }),
    };
  });
}

function itemsOf(params: CreateParams["optional_items"] | "" | null, old: unknown): unknown {
  if (params === undefined) return old ?? null;
  const items = given(params);
  return items?.map((item) => ({
    adjustable_quantity: item.adjustable_quantity
      ? { maximum: null, minimum: null, ...item.adjustable_quantity }
      : null,
    price: item.price,
    quantity: item.quantity,
  }));
}

function restrictionsOf(
  params: CreateParams["restrictions"] | "" | null,
  old: Stripe.PaymentLink.Restrictions | null = null,
): Stripe.PaymentLink.Restrictions | null {
  const wanted = given(params);
  if (params === undefined || wanted === null) return params === undefined ? old : null;
  return { completed_sessions: { count: old?.completed_sessions.count ?? 0, limit: wanted.completed_sessions.limit } };
}

function shippingOf(params: CreateParams["shipping_options"] | "" | null, old: unknown): unknown {
  if (params === undefined) return old ?? [];
  return (given(params) ?? []).map(({ shipping_rate = "" }) => ({ shipping_amount: 0, shipping_rate }));
}

function automaticTax(params: CreateParams["automatic_tax"]): Fields {
  if (params?.enabled !== true) return { enabled: false, liability: null };
  return { enabled: true, liability: params.liability ?? { type: "self" } };
}

function invoiceCreation(params: CreateParams["invoice_creation"]): Fields {
  const asked = params?.invoice_data ?? {};
  const cleared = Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, value === "" ? null : value]));
  const invoice_data = complete("payment_link.invoice_creation.invoice_data", { metadata: {}, ...cleared });
  return { enabled: params?.enabled ?? false, invoice_data };
}

function subscriptionData(params: CreateParams["subscription_data"]): Fields {
  const { description, invoice_settings, metadata, trial_period_days, trial_settings } = params ?? {};
  return {
    description: description ?? null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: invoice_settings?.issuer ?? { type: "self" },
    },
    metadata: mergeMetadata({}, metadata),
    trial_period_days: trial_period_days ?? null,
    trial_settings: trial_settings ?? null,
  };
}

export function updatePaymentLink(tx: Transaction, id: string, params: UpdateParams): Stripe.PaymentLink {
  const old = named(tx, "payment_link", id, "payment_link");
  if (params.line_items !== undefined) changeLines(tx, old, params.line_items);
  const after = {
    ...old,
    active: params.active ?? old.active,
    ...settings(params, old),
    automatic_tax: params.automatic_tax === undefined ? old.automatic_tax : automaticTax(params.automatic_tax),
    customer_creation: params.customer_creation ?? old.customer_creation,
    invoice_creation:
      params.invoice_creation === undefined ? old.invoice_creation : invoiceCreation(params.invoice_creation),
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
    payment_method_collection: params.payment_method_collection ?? old.payment_method_collection,
    subscription_data:
      params.subscription_data === undefined
        ? old.subscription_data
        : { ...old.subscription_data, ...(params.subscription_data as Fields) },
  } as Stripe.PaymentLink;
  return equal(old, after) ? old : tx.change("payment_link", after, "payment_link.updated");
}

function changeLines(
  tx: Transaction,
  link: Stripe.PaymentLink,
  params: readonly Stripe.PaymentLinkUpdateParams.LineItem[],
): void {
  const lines = linesOf(tx, link.id).map((line) => {
    const { quantity } = params.find(({ id }) => id === line.id) ?? {};
    return quantity === undefined ? line : { ...line, quantity };
  });
  tx.put("_extra", { id: keyOf(link.id), object: "payment_link", created: tx.now, lines });
}

function linesOf(tx: Transaction, link: string): Line[] {
  return (tx.find("_extra", keyOf(link)) as { lines?: Line[] } | undefined)?.lines ?? [];
}

export function listPaymentLinks(tx: Transaction, params: Stripe.PaymentLinkListParams): object {
  const { active } = params;
  const links = tx.where("payment_link", (link) => active === undefined || link.active === active);
  return listOf(links, "/v1/payment_links", params);
}

export function listPaymentLinkItems(
  tx: Transaction,
  id: string,
  params: Stripe.PaymentLinkListLineItemsParams,
): object {
  named(tx, "payment_link", id, "payment_link");
  // listOf turns what is oldest first around; lines are shown in the order in which they were given.
  return listOf(lineItems(tx, id).reverse(), urlOf(id), params);
}

const urlOf = (id: string): string => `/v1/payment_links/${id}/line_items`;

function lineItems(tx: Transaction, link: string): Stripe.LineItem[] {
  return linesOf(tx, link).map(({ id, price: priceId, quantity, adjustable_quantity }) => {
    const price = tx.get("price", priceId);
    const amount = Math.round(Number(price.unit_amount_decimal ?? 0) * quantity);
    return blank("item", {
      id,
      adjustable_quantity,
      amount_subtotal: amount,
      amount_total: amount,
      currency: price.currency,
      description: tx.find("product", idOf(price.product) ?? "")?.name ?? null,
      price,
      quantity,
    }) as unknown as Stripe.LineItem;
  });
}

includable("payment_link", "line_items", (tx, link) => innerList(lineItems(tx, link.id), urlOf(link.id)));
