// A new account: its kind of control, its country's currency, and every field that Stripe gives it. Pure but for ids.
import type Stripe from "stripe";

import { blank, blankPart } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";
import { isItsOwn } from "./requirements.ts";

type Given = Stripe.AccountCreateParams;

const EURO = "AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK".split(" ");
const CURRENCY: Readonly<Record<string, string>> = {
  ...Object.fromEntries(EURO.map((country) => [country, "eur"])),
  ...{ AE: "aed", AU: "aud", BR: "brl", CA: "cad", CH: "chf", CZ: "czk", DK: "dkk", GB: "gbp", HK: "hkd", HU: "huf" },
  ...{ IN: "inr", JP: "jpy", LI: "chf", MX: "mxn", MY: "myr", NO: "nok", NZ: "nzd", PL: "pln", RO: "ron", SE: "sek" },
  ...{ SG: "sgd", TH: "thb" },
};

const NO_ADDRESS = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };

/** What a call may ask: the older `type`, or the newer `controller`. Ends the call when it asks both. */
export function kindOfAccount({ type, controller }: Given): Pick<Stripe.Account, "type" | "controller"> {
  if (type !== undefined && controller !== undefined) {
    const message =
      "You may not provide the `type` parameter and `controller` parameters simultaneously. They are mutually exclusive.";
    throw invalidRequest(message, { param: "type" });
  }
  if (controller === undefined) return { type: type ?? "standard", controller: controllerOf(type ?? "standard") };
  const collects = controller.requirement_collection ?? "stripe";
  const dashboard = controller.stripe_dashboard?.type ?? "full";
  const losses = controller.losses?.payments ?? "stripe";
  if (collects === "application" && (dashboard !== "none" || losses !== "application")) {
    const message =
      "When `controller[requirement_collection]` is `application`, `controller[losses][payments]` must be `application` and `controller[stripe_dashboard][type]` must be `none`.";
    throw invalidRequest(message, { param: "controller[requirement_collection]" });
  }
  const fees = controller.fees?.payer ?? "account";
  return {
    type: "none",
    controller: {
      fees: { payer: fees },
      is_controller: true,
      losses: { payments: losses },
      requirement_collection: collects,
      stripe_dashboard: { type: dashboard },
      type: "application",
    },
  };
}

function controllerOf(type: string): NonNullable<Stripe.Account["controller"]> {
  if (type === "custom") return controlled("application_custom", "application", "application", "none");
  if (type === "express") return controlled("application_express", "application", "stripe", "express");
  return controlled("account", "stripe", "stripe", "full");
}

function controlled(
  payer: string,
  losses: string,
  collects: string,
  dashboard: string,
): NonNullable<Stripe.Account["controller"]> {
  return {
    fees: { payer },
    is_controller: true,
    losses: { payments: losses },
    requirement_collection: collects,
    stripe_dashboard: { type: dashboard },
    type: "application",
  };
}

const COUNTRY_NAMES = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

const isCountry = (code: string): boolean => /^[A-Z]{2}$/.test(code) && COUNTRY_NAMES.of(code) !== undefined;

/** The account as it is before anything is told: nothing may be charged, all is due. Not kept, and nothing raised. */
export function newAccount(tx: Transaction, given: Given): Stripe.Account {
  const kind = kindOfAccount(given);
  const country = given.country ?? "US";
  if (!isCountry(country)) {
    const message = `Country '${country}' is unknown. Try using a 2-character alphanumeric country code instead, such as 'US', 'EG', or 'GB'.`;
    throw invalidRequest(message, { param: "country", code: "country_code_invalid" });
  }
  const id = tx.newId("account");
  const told = isItsOwn(kind) ? {} : partsOfOthers(id);
  return blank("account", {
    id,
    business_profile: { ...blankPart("account.business_profile"), product_description: null },
    business_type: null,
    capabilities: {},
    ...kind,
    country,
    created: tx.now,
    default_currency: given.default_currency ?? CURRENCY[country] ?? "usd",
    email: null,
    future_requirements: noRequirements("account.future_requirements"),
    metadata: {},
    requirements: noRequirements("account.requirements"),
    settings: newSettings(),
    tos_acceptance: { date: null, ip: null, user_agent: null },
    ...told,
  }) as unknown as Stripe.Account;
}

/** What only accounts show that the platform answers for. */
function partsOfOthers(id: string): Partial<Stripe.Account> {
  const list = { object: "list", data: [], has_more: false, url: `/v1/accounts/${id}/external_accounts` };
  return {
    company: {
      address: NO_ADDRESS,
      directors_provided: false,
      executives_provided: false,
      name: null,
      owners_provided: false,
      phone: null,
      tax_id_provided: false,
      verification: { document: { back: null, details: null, details_code: null, front: null } },
    },
    external_accounts: list as unknown as NonNullable<Stripe.Account["external_accounts"]>,
  };
}

function noRequirements(path: string): object {
  const empty = { alternatives: [], currently_due: [], errors: [], eventually_due: [], past_due: [] };
  return blankPart(path, { ...empty, pending_verification: [] });
}

function newSettings(): object {
  return blankPart("account.settings", {
    bacs_debit_payments: { display_name: null, service_user_number: null },
    branding: blankPart("account.settings.branding"),
    card_issuing: { tos_acceptance: { date: null, ip: null } },
    card_payments: blankPart("account.settings.card_payments", {
      decline_on: { avs_failure: false, cvc_failure: false },
    }),
    dashboard: { display_name: null, timezone: "Etc/UTC" },
    invoices: { default_account_tax_ids: null, hosted_payment_method_save: "offer" },
    payments: blankPart("account.settings.payments"),
    payouts: {
      debit_negative_balances: true,
      schedule: { delay_days: 2, interval: "daily" },
      statement_descriptor: null,
    },
    sepa_debit_payments: {},
  });
}
