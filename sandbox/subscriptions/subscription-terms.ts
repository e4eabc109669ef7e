// The terms of a subscription that create and update set alike: how it is paid, for whom, with what texts.
import type Stripe from "stripe";
import { blankPart } from "../core/blank.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { given } from "../catalogue/given.ts";
import type { Transaction } from "../core/transaction.ts";
import { taxRates } from "./subscription-item.ts";

/** What both calls take. Each is optional: what is not given stays. */
export type TermsInput = Pick<
  Stripe.SubscriptionUpdateParams,
  | "application_fee_percent"
  | "automatic_tax"
  | "billing_thresholds"
  | "collection_method"
  | "days_until_due"
  | "default_payment_method"
  | "default_source"
  | "default_tax_rates"
  | "description"
  | "invoice_settings"
  | "metadata"
  | "on_behalf_of"
  | "payment_settings"
  | "pending_invoice_item_interval"
  | "transfer_data"
  | "trial_settings"
>;

interface ThresholdsInput {
  amount_gte?: number | null;
  reset_billing_cycle_anchor?: boolean | null;
}

interface TransferInput {
  amount_percent?: number | null;
  destination: string | Stripe.Account;
}

type Terms = Pick<Stripe.Subscription, keyof TermsInput & keyof Stripe.Subscription>;

export const FIRST_TERMS: Terms = {
  application_fee_percent: null,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null },
  billing_thresholds: null,
  collection_method: "charge_automatically",
  days_until_due: null,
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  invoice_settings: {
    account_tax_ids: null,
    custom_fields: null,
    description: null,
    footer: null,
    issuer: { type: "self" },
  },
  metadata: {},
  on_behalf_of: null,
  payment_settings: {
    payment_method_options: null,
    payment_method_types: null,
    save_default_payment_method: "off",
  },
  pending_invoice_item_interval: null,
  transfer_data: null,
  trial_settings: { end_behavior: { billing_cycle_anchor: null, missing_payment_method: "create_invoice" } },
};

/** The terms after the call. Ends the call when something named is not there. */
export function changedTerms(tx: Transaction, old: Terms, input: TermsInput, customer: string): Terms {
  const { automatic_tax: tax, trial_settings: trial } = input;
  const terms: Terms = {
    ...old,
    ...texts(old, input),
    ...payment(tx, old, input, customer),
    automatic_tax:
      tax === undefined
        ? old.automatic_tax
        : {
            disabled_reason: null,
            enabled: tax.enabled,
            liability: tax.enabled ? (tax.liability ?? { type: "self" }) : null,
          },
    default_tax_rates:
      input.default_tax_rates === undefined ? (old.default_tax_rates ?? []) : taxRates(tx, input.default_tax_rates),
    metadata: mergeMetadata(old.metadata, input.metadata),
    trial_settings:
      trial === undefined
        ? old.trial_settings
        : {
            end_behavior: {
              billing_cycle_anchor: null,
              ...trial.end_behavior,
            } as Stripe.Subscription.TrialSettings.EndBehavior,
          },
  };
  if (terms.collection_method === "send_invoice" && terms.days_until_due === null) {
    const message = "You must provide `days_until_due` when `collection_method` is set to `send_invoice`.";
    throw invalidRequest(message, { param: "days_until_due", code: "parameter_missing" });
  }
  if (terms.collection_method === "charge_automatically" && input.days_until_due !== undefined) {
    const message = "You can only set `days_until_due` if the `collection_method` is set to `send_invoice`.";
    throw invalidRequest(message, { param: "days_until_due" });
  }
  return terms.collection_method === "charge_automatically" ? { ...terms, days_until_due: null } : terms;
}

function texts(old: Terms, input: TermsInput): Partial<Terms> {
  const thresholds = given<ThresholdsInput>(input.billing_thresholds, old.billing_thresholds);
  const interval = given(input.pending_invoice_item_interval, old.pending_invoice_item_interval);
  const { invoice_settings: settings = {} } = input;
  return {
    collection_method: input.collection_method ?? old.collection_method,
    days_until_due: input.days_until_due ?? old.days_until_due,
    description: given(input.description, old.description),
    billing_thresholds: thresholds && { amount_gte: null, reset_billing_cycle_anchor: null, ...thresholds },
    pending_invoice_item_interval: interval && { interval_count: 1, ...interval },
    invoice_settings: {
      account_tax_ids: given(settings.account_tax_ids, old.invoice_settings.account_tax_ids),
      custom_fields: given(settings.custom_fields, old.invoice_settings.custom_fields),
      description: given(settings.description, old.invoice_settings.description),
      footer: given(settings.footer, old.invoice_settings.footer),
      issuer: settings.issuer ?? old.invoice_settings.issuer,
    },
  };
}

function payment(tx: Transaction, old: Terms, input: TermsInput, customer: string): Partial<Terms> {
  const transfer = given<TransferInput>(input.transfer_data, old.transfer_data);
  const fee = given(input.application_fee_percent, old.application_fee_percent);
  if (fee !== null && (fee < 0 || fee > 100)) {
    throw invalidRequest("`application_fee_percent` must be between 0 and 100.", { param: "application_fee_percent" });
  }
  return {
    application_fee_percent: fee,
    default_payment_method: methodOf(tx, old.default_payment_method, input.default_payment_method, customer),
    default_source: given(input.default_source, old.default_source),
    on_behalf_of: given(input.on_behalf_of, old.on_behalf_of),
    transfer_data: transfer && { ...transfer, amount_percent: transfer.amount_percent ?? null },
    payment_settings: paymentSettings(old.payment_settings, input.payment_settings),
  };
}

/** A default payment method must be the customer's own. */
function methodOf(
  tx: Transaction,
  old: Terms["default_payment_method"],
  id: string | undefined,
  customer: string,
): Terms["default_payment_method"] {
  if (id === undefined) return old;
  if (id === "") return null;
  const method = tx.find("payment_method", id);
  if (method === undefined && tx.find("card", id) === undefined && tx.find("source", id) === undefined) {
    throw noSuch("payment_method", id, "default_payment_method");
  }
  if (method !== undefined && idOf(method.customer) !== customer) {
    const message = `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`;
    throw invalidRequest(message, { param: "default_payment_method", code: "resource_missing" });
  }
  return id;
}

function paymentSettings(
  old: Stripe.Subscription.PaymentSettings | null,
  settings: Stripe.SubscriptionUpdateParams.PaymentSettings | undefined,
): Stripe.Subscription.PaymentSettings | null {
  if (settings === undefined || old === null) return old;
  const types = settings.payment_method_types;
  const options = settings.payment_method_options;
  return {
    payment_method_options: options === undefined ? old.payment_method_options : methodOptions(options),
    payment_method_types: given(types, old.payment_method_types),
    save_default_payment_method: settings.save_default_payment_method ?? old.save_default_payment_method,
  };
}

function methodOptions(chosen: object): Stripe.Subscription.PaymentSettings.PaymentMethodOptions {
  const place = "subscription.payment_settings.payment_method_options";
  const options = Object.entries(chosen as Record<string, unknown>).map(([method, terms]) => [
    method,
    typeof terms === "object" && terms !== null ? blankPart(`${place}.${method}`, { ...terms }) : null,
  ]);
  return blankPart(place, Object.fromEntries(options) as Record<string, unknown>) as never;
}
