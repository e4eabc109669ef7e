// The fields of a checkout session that only say how its page behaves: what was asked for, and Stripe's defaults.
import type Stripe from "stripe";
import { invalidRequest } from "../core/errors.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import type { SessionParameters } from "./session-draft.ts";

export function settingsOf(
  tx: Transaction,
  p: SessionParameters,
  mode: string,
  customer: Stripe.Customer | undefined,
): Record<string, unknown> {
  const hosted = p.ui_mode === undefined || p.ui_mode === "hosted_page";
  return {
    adaptive_pricing: { enabled: p.adaptive_pricing?.enabled ?? false },
    after_expiration: afterExpiration(p),
    allow_promotion_codes: p.allow_promotion_codes,
    allowed_payment_method_types: p.allowed_payment_method_types ?? p.payment_method_types,
    automatic_tax: automaticTax(p),
    billing_address_collection: p.billing_address_collection,
    cancel_url: p.cancel_url,
    client_reference_id: p.client_reference_id,
    collected_information: null,
    consent: null,
    consent_collection: consentCollection(p),
    custom_fields: (p.custom_fields ?? []).map(customField),
    custom_text: customText(p),
    customer: customer?.id ?? null,
    customer_creation: customerCreation(p, mode),
    customer_details: knownBuyer(p, customer),
    customer_email: p.customer_email,
    excluded_payment_method_types: p.excluded_payment_method_types,
    integration_identifier: p.integration_identifier,
    invoice_creation: invoiceCreation(p, mode),
    locale: p.locale,
    managed_payments: p.managed_payments === undefined ? null : { enabled: p.managed_payments.enabled ?? false },
    optional_items: p.optional_items?.map((item, at) => {
      tx.get("price", item.price, `optional_items[${at}][price]`);
      return { adjustable_quantity: null, price: item.price, quantity: item.quantity };
    }),
    origin_context: p.origin_context,
    payment_method_collection: p.payment_method_collection ?? (mode === "payment" ? "if_required" : "always"),
    payment_method_options:
      p.payment_method_options ?? (mode === "setup" ? {} : { card: { request_three_d_secure: "automatic" } }),
    permissions:
      p.permissions === undefined ? null : { update_shipping_details: p.permissions.update_shipping_details ?? null },
    phone_number_collection: { enabled: p.phone_number_collection?.enabled ?? false },
    redirect_on_completion: hosted ? undefined : (p.redirect_on_completion ?? "always"),
    return_url: p.return_url,
    saved_payment_method_options: savedOptions(p, mode),
    shipping_address_collection: p.shipping_address_collection,
    submit_type: p.submit_type,
    success_url: p.success_url,
    tax_id_collection:
      p.tax_id_collection === undefined
        ? undefined
        : { enabled: p.tax_id_collection.enabled, required: p.tax_id_collection.required ?? "never" },
    ui_mode: p.ui_mode ?? "hosted_page",
    wallet_options: p.wallet_options,
  };
}

function afterExpiration({ after_expiration }: SessionParameters): object | null {
  const recovery = after_expiration?.recovery;
  if (recovery === undefined) return null;
  const { enabled, allow_promotion_codes = false } = recovery;
  return { recovery: { allow_promotion_codes, enabled, expires_at: null, url: null } };
}

function automaticTax({ automatic_tax }: SessionParameters): object {
  const enabled = automatic_tax?.enabled ?? false;
  const liability = enabled ? (automatic_tax?.liability ?? { type: "self" }) : null;
  return { enabled, liability, provider: enabled ? "stripe" : null, status: enabled ? "complete" : null };
}

function consentCollection({ consent_collection }: SessionParameters): object | null {
  if (consent_collection === undefined) return null;
  const { payment_method_reuse_agreement = null, promotions = null, terms_of_service = null } = consent_collection;
  return { payment_method_reuse_agreement, promotions, terms_of_service };
}

type CustomField = Stripe.Checkout.SessionCreateParams.CustomField;

function customField({ key, label, optional = false, type, dropdown, numeric, text }: CustomField): object {
  const limits = (of: CustomField["text"]) => ({
    default_value: of?.default_value ?? null,
    maximum_length: of?.maximum_length ?? null,
    minimum_length: of?.minimum_length ?? null,
    value: null,
  });
  if (type === "dropdown" && (dropdown?.options ?? []).length === 0) {
    throw invalidRequest("You must provide `options` for custom fields of type `dropdown`.", {
      param: "custom_fields",
    });
  }
  return {
    key,
    label: { custom: label.custom, type: "custom" },
    optional,
    type,
    ...(type === "dropdown"
      ? { dropdown: { default_value: dropdown?.default_value ?? null, options: dropdown?.options ?? [], value: null } }
      : type === "numeric"
        ? { numeric: limits(numeric) }
        : { text: limits(text) }),
  };
}

function customText({ custom_text }: SessionParameters): object {
  const said = <T>(text: T | "" | null | undefined) => (text === "" ? null : (text ?? null));
  return {
    after_submit: said(custom_text?.after_submit),
    shipping_address: said(custom_text?.shipping_address),
    submit: said(custom_text?.submit),
    terms_of_service_acceptance: said(custom_text?.terms_of_service_acceptance),
  };
}

function customerCreation(p: SessionParameters, mode: string): string | null {
  if (p.customer !== undefined) return null;
  if (p.customer_creation !== undefined) return p.customer_creation;
  if (mode === "setup") return null;
  return mode === "subscription" || p.invoice_creation?.enabled === true ? "always" : "if_required";
}

/** What is known of the buyer before the page is filled in. */
function knownBuyer(p: SessionParameters, customer: Stripe.Customer | undefined): object | null {
  const email = customer?.email ?? p.customer_email ?? null;
  if (customer === undefined && email === null) return null;
  return {
    address: null,
    business_name: null,
    email,
    individual_name: null,
    name: customer?.name ?? null,
    phone: customer?.phone ?? null,
    tax_exempt: customer?.tax_exempt ?? "none",
    tax_ids: null,
  };
}

function invoiceCreation({ invoice_creation }: SessionParameters, mode: string): object | null {
  if (mode !== "payment") return null;
  const given = invoice_creation?.invoice_data;
  const orNull = <T>(value: T | "" | null | undefined): T | null => (value === "" ? null : (value ?? null));
  const options = orNull(given?.rendering_options);
  return {
    enabled: invoice_creation?.enabled ?? false,
    invoice_data: {
      account_tax_ids: orNull(given?.account_tax_ids),
      custom_fields: orNull(given?.custom_fields),
      description: given?.description ?? null,
      footer: given?.footer ?? null,
      issuer: given?.issuer ?? (invoice_creation?.enabled === true ? { type: "self" } : null),
      metadata: mergeMetadata(undefined, given?.metadata),
      rendering_options:
        options === null
          ? null
          : { amount_tax_display: orNull(options.amount_tax_display), template: options.template ?? null },
    },
  };
}

function savedOptions(p: SessionParameters, mode: string): object | null {
  const given = p.saved_payment_method_options;
  if (given === undefined && (p.customer === undefined || mode !== "payment")) return null;
  return {
    allow_redisplay_filters: given?.allow_redisplay_filters ?? ["always"],
    payment_method_remove: given?.payment_method_remove ?? "disabled",
    payment_method_save: given?.payment_method_save ?? null,
  };
}
