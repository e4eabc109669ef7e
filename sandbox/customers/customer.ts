// Customers: made, changed and deleted, with what belongs to them.
import type Stripe from "stripe";
import { ACCOUNT_CURRENCY, given, named } from "../catalogue/given.ts";
import { search, type SearchParameters } from "../catalogue/search.ts";
import { blank } from "../core/blank.ts";
import { noSuch } from "../core/errors.ts";
import { includable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { attachPaymentMethod, detachPaymentMethod, resolvePaymentMethod } from "../payments/instrument.ts";
import { cancelSubscription } from "../subscriptions/subscription.ts";
import { book } from "./balance.ts";
import { keepMode } from "./cash-balance.ts";
import { discountFrom, raiseDiscount, type DiscountParams } from "./customer-discount.ts";
import { addressOf, buryCustomer, prefixOf, settingsOf, shippingOf, wasDeleted } from "./customer-fields.ts";
import { dropSource, sourcesOf, takeSource, undoneByDecline } from "./source.ts";
import { createCustomerTaxId } from "./tax-id.ts";

export { adjustBalance } from "./balance.ts";
export { deleteCustomerDiscount, discountOf } from "./customer-discount.ts";

type CreateParams = Stripe.CustomerCreateParams & DiscountParams;
type UpdateParams = Stripe.CustomerUpdateParams & DiscountParams;

/** What the customer pays with when nothing else is said. */
export function defaultPaymentMethod(tx: Transaction, customer: string): string | null {
  const owner = tx.find("customer", customer);
  return idOf(owner?.invoice_settings.default_payment_method) ?? idOf(owner?.default_source);
}

/** @throws StripeFailure 402 the payment method or source declines: then there is no customer */
export function createCustomer(tx: Transaction, params: CreateParams): Stripe.Customer {
  return undoneByDecline(() => {
    const clock = params.test_clock;
    const at = clock === undefined ? tx : tx.at(tx.get("test_helpers.test_clock", clock, "test_clock").frozen_time);
    return create(at, params);
  });
}

function create(tx: Transaction, params: CreateParams): Stripe.Customer {
  const id = tx.newId("customer");
  const method = params.payment_method === undefined ? undefined : resolvePaymentMethod(tx, params.payment_method);
  const plain = newCustomer(tx, id, params, method);
  tx.put("customer", plain);
  const source = params.source === undefined ? undefined : takeSource(tx, id, params.source);
  const discount = discountFrom(tx, id, params) ?? null;
  const { balance = 0 } = params;
  const booked =
    balance === 0 ? plain : book(tx, plain, balance, { type: "adjustment", currency: ACCOUNT_CURRENCY }).after;
  const customer = tx.put("customer", { ...booked, default_source: source?.id ?? null, discount });
  keepExtras(tx, id, params);
  tx.raise("customer.created", customer);
  if (source !== undefined) tx.raise("customer.source.created", source);
  raiseDiscount(tx, null, discount);
  if (method !== undefined) attachPaymentMethod(tx, method.id, id);
  for (const taxId of params.tax_id_data ?? []) createCustomerTaxId(tx, id, taxId);
  return tx.get("customer", id);
}

function newCustomer(
  tx: Transaction,
  id: string,
  params: CreateParams,
  method: Stripe.PaymentMethod | undefined,
): Stripe.Customer {
  const { default_payment_method: wanted, ...settings } = params.invoice_settings ?? {};
  // A test name such as pm_card_visa makes a new payment method each time; given twice it means the same one.
  const chosen = wanted !== undefined && wanted === params.payment_method ? method?.id : wanted;
  const withDefault = chosen === undefined ? settings : { ...settings, default_payment_method: chosen };
  return blank("customer", {
    id,
    address: addressOf(params.address, null),
    business_name: given(params.business_name) ?? undefined,
    created: tx.now,
    currency: null,
    delinquent: false,
    description: given(params.description),
    discount: null,
    email: given(params.email),
    individual_name: given(params.individual_name) ?? undefined,
    invoice_prefix: prefixOf(tx, params.invoice_prefix, id),
    invoice_settings: settingsOf(withDefault, undefined, (each) => each === method?.id),
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, params.metadata),
    name: given(params.name),
    next_invoice_sequence: params.next_invoice_sequence ?? 1,
    phone: given(params.phone),
    preferred_locales: params.preferred_locales ?? [],
    shipping: shippingOf(params.shipping, null),
    tax_exempt: given(params.tax_exempt) ?? "none",
    test_clock: params.test_clock ?? null,
  }) as unknown as Stripe.Customer;
}

/** What the customer shows only when asked. */
function keepExtras(tx: Transaction, id: string, { cash_balance, tax }: CreateParams | UpdateParams): void {
  keepMode(tx, id, cash_balance?.settings);
  if (tax?.ip_address === undefined) return;
  tx.put("_extra", { id: `tax:${id}`, object: "customer", created: tx.now, ip_address: given(tax.ip_address) });
}

/** @throws StripeFailure 402 the new source declines: then nothing has changed */
export function updateCustomer(tx: Transaction, id: string, params: UpdateParams): Stripe.Customer {
  const old = named(tx, "customer", id, "id");
  return undoneByDecline(() => update(tx.atTimeOf(old), old, params));
}

function update(tx: Transaction, old: Stripe.Customer, params: UpdateParams): Stripe.Customer {
  const { id } = old;
  const replaced = params.source === undefined ? undefined : idOf(old.default_source);
  const source = params.source === undefined ? undefined : takeSource(tx, id, params.source);
  const before = old.discount ?? null;
  const discount = discountFrom(tx, id, params);
  const changed: Stripe.Customer = {
    ...old,
    ...changedFields(tx, old, params),
    default_source: source?.id ?? defaultSource(tx, old, params.default_source),
    ...(discount === undefined ? {} : { discount }),
  };
  keepExtras(tx, id, params);
  if (source !== undefined) tx.raise("customer.source.created", source);
  if (discount !== undefined) raiseDiscount(tx, before, discount);
  const { balance } = params;
  const due = balance === undefined ? 0 : balance - old.balance;
  const after = due === 0 ? changed : book(tx, changed, due, { type: "adjustment" }).after;
  tx.change("customer", after, "customer.updated");
  const dropped = sourcesOf(tx, id).find((each) => each.id === replaced);
  if (dropped !== undefined) dropSource(tx, dropped);
  return after;
}

function changedFields(tx: Transaction, old: Stripe.Customer, params: UpdateParams): Partial<Stripe.Customer> {
  const owns = (method: string) =>
    idOf(tx.find("payment_method", method)?.customer) === old.id || ownsSource(tx, old, method);
  const names = {
    ...(params.business_name === undefined ? {} : { business_name: given(params.business_name) ?? "" }),
    ...(params.individual_name === undefined ? {} : { individual_name: given(params.individual_name) ?? "" }),
  };
  return {
    address: addressOf(params.address, old.address ?? null),
    ...names,
    description: given(params.description, old.description),
    email: given(params.email, old.email),
    invoice_prefix:
      params.invoice_prefix === undefined ? (old.invoice_prefix ?? null) : prefixOf(tx, params.invoice_prefix, old.id),
    invoice_settings: settingsOf(params.invoice_settings, old.invoice_settings, owns),
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
    name: given(params.name, old.name),
    next_invoice_sequence: params.next_invoice_sequence ?? old.next_invoice_sequence ?? 1,
    phone: given(params.phone, old.phone),
    preferred_locales: params.preferred_locales ?? old.preferred_locales ?? [],
    shipping: shippingOf(params.shipping, old.shipping),
    tax_exempt: given(params.tax_exempt, old.tax_exempt ?? "none") ?? "none",
  };
}

function ownsSource(tx: Transaction, customer: Stripe.Customer, source: string): boolean {
  return sourcesOf(tx, customer.id).some(({ id }) => id === source);
}

function defaultSource(tx: Transaction, customer: Stripe.Customer, wanted: string | undefined): string | null {
  if (wanted === undefined) return idOf(customer.default_source);
  if (!ownsSource(tx, customer, wanted)) throw noSuch("source", wanted, "default_source");
  return wanted;
}

/** Ends the subscriptions at once, and takes away what the customer could pay with. */
export function deleteCustomer(tx: Transaction, id: string): object {
  const at = tx.atTimeOf(named(tx, "customer", id, "id"));
  const over = ["canceled", "incomplete_expired"];
  const running = at.where("subscription", (each) => idOf(each.customer) === id && !over.includes(each.status));
  for (const subscription of running) cancelSubscription(at, subscription.id, {});
  const last = at.get("customer", id);
  if (last.discount !== null && last.discount !== undefined) raiseDiscount(at, last.discount, null);
  for (const source of sourcesOf(at, id)) dropSource(at, source);
  // Before the rest: a customer that is gone hears nothing of its payment methods.
  at.remove("customer", id);
  for (const method of at.where("payment_method", (each) => idOf(each.customer) === id))
    detachPaymentMethod(at, method.id);
  buryCustomer(at, last);
  at.raise("customer.deleted", last);
  return deleted(id);
}

const deleted = (id: string): object => ({ id, object: "customer", deleted: true });

/** A deleted customer is still known by its id, and nothing more. */
export function retrieveCustomer(tx: Transaction, id: string): object {
  return tx.find("customer", id) ?? (wasDeleted(tx, id) ? deleted(id) : tx.get("customer", id));
}

/** Those on a test clock are listed only when it is asked for. */
export function listCustomers(tx: Transaction, params: Stripe.CustomerListParams): object {
  const { email, test_clock } = params;
  if (test_clock !== undefined) tx.get("test_helpers.test_clock", test_clock, "test_clock");
  const customers = tx.where(
    "customer",
    (customer) =>
      (email === undefined || customer.email === email) && idOf(customer.test_clock) === (test_clock ?? null),
  );
  return listOf(customers, "/v1/customers", params);
}

export function searchCustomers(tx: Transaction, params: SearchParameters): object {
  return search(tx.all("customer"), params, {
    resource: "customers",
    url: "/v1/customers/search",
    fields: {
      created: { as: "number", read: ({ created }) => created },
      email: { as: "text", read: ({ email }) => email },
      name: { as: "text", read: ({ name }) => name },
      phone: { as: "text", read: ({ phone }) => phone },
    },
  });
}

includable("customer", "subscriptions", (tx, { id }) => {
  const running = tx.where("subscription", (each) => idOf(each.customer) === id && each.status !== "canceled");
  return innerList(running.reverse(), `/v1/customers/${id}/subscriptions`);
});
includable("customer", "tax", (tx, { id, address }) => {
  const ip_address = (tx.find("_extra", `tax:${id}`) as { ip_address?: string | null } | undefined)?.ip_address ?? null;
  const country = address?.country ?? null;
  return {
    automatic_tax: country === null ? "unrecognized_location" : "not_collecting",
    ip_address,
    location: country === null ? null : { country, source: "billing_address", state: address?.state ?? null },
    provider: "stripe",
  };
});
