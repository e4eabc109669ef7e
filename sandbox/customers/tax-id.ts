// Tax ids of customers and of the account itself, checked as Stripe's test values ask for.
import type Stripe from "stripe";
import { blank, blankPart } from "../core/blank.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { includable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf } from "../core/list.ts";
import type { Transaction } from "../core/transaction.ts";

/** The types whose numbers Stripe looks up with the authorities; it leaves the others alone. */
const LOOKED_UP = new Set(["au_abn", "eu_vat", "gb_vat", "ch_vat", "no_vat"]);

/** How a number must be written, for the types that callers get wrong most often. */
const WRITTEN: Readonly<Record<string, RegExp>> = {
  eu_vat: /^(AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)[0-9A-Z+*]{2,12}$/i,
  gb_vat: /^(GB|XI)(\d{9}|\d{12}|GD\d{3}|HA\d{3})$/i,
  us_ein: /^\d{2}-\d{7}$/,
};

interface Owner {
  type: string;
  account?: string;
  customer?: string;
}

/** POST /v1/customers/…/tax_ids */
export function createCustomerTaxId(
  tx: Transaction,
  customer: string,
  params: Pick<Stripe.CustomerCreateTaxIdParams, "type" | "value">,
): Stripe.TaxId {
  tx.get("customer", customer);
  return keepTaxId(tx.atTimeOf(customer), params, { type: "customer", customer });
}

/** POST /v1/tax_ids: of the account itself unless another owner is given. */
export function createTaxId(tx: Transaction, params: Stripe.TaxIdCreateParams): Stripe.TaxId {
  const { owner = { type: "self" } } = params;
  if (owner.type !== "customer") return keepTaxId(tx, params, ownerOf(owner));
  return keepTaxId(tx.atTimeOf(owner.customer), params, {
    type: "customer",
    customer: tx.get("customer", owner.customer ?? "", "owner[customer]").id,
  });
}

function ownerOf({ type, account }: { type: string; account?: string }): Owner {
  return account === undefined ? { type } : { type, account };
}

/** A number that is looked up is pending at first; the answer of the authorities comes at once. */
function keepTaxId(tx: Transaction, { type, value }: { type: string; value: string }, owner: Owner): Stripe.TaxId {
  if (WRITTEN[type]?.test(value.replaceAll(/[\s.]/g, "")) === false) {
    throw invalidRequest(`Invalid value for ${type}.`, { param: "value", code: "tax_id_invalid" });
  }
  const taxId = blank("tax_id", {
    id: tx.newId("tax_id"),
    country: countryOf(type, value),
    created: tx.now,
    customer: owner.customer ?? null,
    livemode: tx.scope.livemode,
    owner: { ...owner, customer_account: null },
    type,
    value,
    verification: verification(LOOKED_UP.has(type) ? "pending" : "unavailable"),
  }) as unknown as Stripe.TaxId;
  tx.put("tax_id", taxId);
  if (owner.customer === undefined) return taxId;
  tx.raise("customer.tax_id.created", taxId);
  const status = verdictOf(value);
  if (!LOOKED_UP.has(type) || status === "pending") return taxId;
  return tx.change("tax_id", { ...taxId, verification: verification(status) }, "customer.tax_id.updated");
}

/** Stripe's test values: nine zeros are found, nine ones are not, nine twos never get an answer. */
function verdictOf(value: string): string {
  if (value.includes("111111111")) return "unverified";
  return value.includes("222222222") ? "pending" : "verified";
}

function verification(status: string): Stripe.TaxId.Verification {
  return blankPart("tax_id.verification", { status }) as unknown as Stripe.TaxId.Verification;
}

function countryOf(type: string, value: string): string | null {
  if (type === "eu_vat") return value.slice(0, 2).toUpperCase() === "EL" ? "GR" : value.slice(0, 2).toUpperCase();
  return /^[a-z]{2}_/.test(type) ? type.slice(0, 2).toUpperCase() : null;
}

export function customerTaxId(tx: Transaction, customer: string, id: string): Stripe.TaxId {
  tx.get("customer", customer);
  const found = tx.find("tax_id", id);
  if (found === undefined || idOf(found.customer) !== customer) throw noSuch("tax_id", id);
  return found;
}

export function deleteTaxId(tx: Transaction, taxId: Stripe.TaxId): object {
  tx.remove("tax_id", taxId.id);
  const customer = idOf(taxId.customer);
  if (customer !== null) tx.atTimeOf(customer).raise("customer.tax_id.deleted", taxId);
  return { id: taxId.id, object: "tax_id", deleted: true };
}

export function taxIdsOf(tx: Transaction, customer: string): Stripe.TaxId[] {
  return tx.where("tax_id", (taxId) => idOf(taxId.customer) === customer);
}

export function listCustomerTaxIds(tx: Transaction, customer: string, params: Stripe.CustomerListTaxIdsParams): object {
  tx.get("customer", customer);
  return listOf(taxIdsOf(tx, customer), urlOf(customer), params);
}

export function listTaxIds(tx: Transaction, params: Stripe.TaxIdListParams): object {
  const { owner = { type: "self" } } = params;
  const taxIds = tx.where(
    "tax_id",
    (taxId) =>
      taxId.owner?.type === owner.type &&
      (owner.customer === undefined || idOf(taxId.customer) === owner.customer) &&
      (owner.account === undefined || idOf(taxId.owner.account) === owner.account),
  );
  return listOf(taxIds, "/v1/tax_ids", params);
}

const urlOf = (customer: string): string => `/v1/customers/${customer}/tax_ids`;

includable("customer", "tax_ids", (tx, { id }) => innerList(taxIdsOf(tx, id).reverse(), urlOf(id)));
