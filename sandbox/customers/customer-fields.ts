// The fields of a customer that parameters fill: address, shipping, invoice settings, prefix. Pure but for look-ups.
import type Stripe from "stripe";
import { given } from "../catalogue/given.ts";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";

type Address = NonNullable<Stripe.Customer["address"]>;
type AddressParam = Partial<Record<keyof Address, string>>;
type Settings = Stripe.Customer.InvoiceSettings;
type SettingsParam = NonNullable<Stripe.CustomerUpdateParams["invoice_settings"]>;
type RenderingParam = SettingsParam["rendering_options"];

const NO_ADDRESS: Address = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };
const NO_SETTINGS: Settings = {
  custom_fields: null,
  default_payment_method: null,
  footer: null,
  rendering_options: null,
};

/** Field by field: what is left out stays, '' for all of it unsets it. */
export function addressOf(params: AddressParam | "" | null | undefined, old: Address | null): Address | null {
  if (params === undefined) return old;
  if (params === "" || params === null) return null;
  const address = { ...(old ?? NO_ADDRESS) };
  for (const field of Object.keys(NO_ADDRESS) as (keyof Address)[])
    address[field] = given(params[field], address[field]);
  return address;
}

/** A shipping always has a whole address. */
export function shippingOf(
  params: Partial<Stripe.CustomerCreateParams.Shipping> | "" | null | undefined,
  old: Stripe.Customer.Shipping | null,
): Stripe.Customer.Shipping | null {
  if (params === undefined) return old;
  if (params === "" || params === null) return null;
  return {
    ...old,
    address: addressOf(params.address, old?.address ?? null) ?? NO_ADDRESS,
    name: params.name ?? old?.name ?? "",
    phone: given(params.phone, old?.phone ?? null),
  };
}

/** `owns`: whether that payment method may be the default. */
export function settingsOf(
  params: SettingsParam | undefined,
  old: Settings = NO_SETTINGS,
  owns: (method: string) => boolean = () => true,
): Settings {
  const { custom_fields, default_payment_method: method, footer, rendering_options } = params ?? {};
  if (method !== undefined && method !== "" && !owns(method)) {
    const message = `The customer does not have a payment method with the ID ${method}. The payment method must be attached to the customer.`;
    throw invalidRequest(message, { param: "invoice_settings[default_payment_method]", code: "resource_missing" });
  }
  return {
    custom_fields: given(custom_fields, old.custom_fields),
    default_payment_method: given(method, idOf(old.default_payment_method)),
    footer: given(footer, old.footer),
    rendering_options: renderingOf(rendering_options, old.rendering_options),
  };
}

function renderingOf(
  params: RenderingParam,
  old: Stripe.Customer.InvoiceSettings.RenderingOptions | null,
): Stripe.Customer.InvoiceSettings.RenderingOptions | null {
  if (params === undefined) return old;
  if (params === "" || params === null) return null;
  return {
    amount_tax_display: given(params.amount_tax_display, old?.amount_tax_display),
    template: given(params.template, old?.template),
  };
}

const PREFIX_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** What the numbers of the customer's invoices begin with: given or new, and nobody else's, also not a deleted one's. */
export function prefixOf(tx: Transaction, wanted: string | undefined, self: string): string {
  if (wanted === undefined) {
    return Array.from({ length: 8 }, () => PREFIX_LETTERS.charAt(tx.world.random.integer(PREFIX_LETTERS.length))).join(
      "",
    );
  }
  if (!/^[A-Z0-9]{1,12}$/.test(wanted)) {
    throw invalidRequest("Invoice number prefix must be 1–12 uppercase letters or numbers.");
  }
  const holder =
    tx.all("customer").find(({ id, invoice_prefix }) => id !== self && invoice_prefix === wanted)?.id ??
    (tx.all("_extra") as { object: string; invoice_prefix?: string; customer?: string }[]).find(
      ({ object, invoice_prefix }) => object === DELETED && invoice_prefix === wanted,
    )?.customer;
  if (holder !== undefined) {
    const message = `This invoice number prefix is taken by customer: ${holder}. Please enter a different prefix.`;
    throw invalidRequest(message, { param: "invoice_prefix" });
  }
  return wanted;
}

/** What `_extra` says of a customer that was deleted. */
export const DELETED = "_deleted_customer";

export function buryCustomer(tx: Transaction, { id, invoice_prefix }: Stripe.Customer): void {
  tx.put("_extra", { id: `deleted:${id}`, object: DELETED, created: tx.now, customer: id, invoice_prefix });
}

export function wasDeleted(tx: Transaction, id: string): boolean {
  return tx.find("_extra", `deleted:${id}`) !== undefined;
}
