// Payment intents before money moves: created, updated, saved.
import type Stripe from "stripe";

import { blankPart } from "../core/blank.ts";
import { invalidRequest, type StripeFailure } from "../core/errors.ts";
import { hooks } from "../core/hooks.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { checkAmount, checkedCurrency, checkFee } from "./amount-rules.ts";
import { PLATFORM_APPLICATION } from "./application-fee.ts";
import { fresh, orNull } from "./fresh.ts";
import { createPaymentMethod, type MethodInput, refuseGone, refuseSpent, resolvePaymentMethod } from "./instrument.ts";
import { refuseUnknownDestination } from "./transfer.ts";

/** With the parameters that older callers still send. */
export type IntentParams = Stripe.PaymentIntentCreateParams & { payment_method_types?: string[]; source?: string };
export type IntentChanges = Stripe.PaymentIntentUpdateParams & { payment_method_types?: string[]; source?: string };

/** What is known of an intent and not on the wire. */
export interface IntentNotes {
  return_url?: string | undefined;
  off_session?: boolean | undefined;
  authenticated?: boolean | undefined;
  mandate_data?: object | "" | undefined;
  mandate?: string | undefined;
}

const notesId = (id: string): string => `notes_${id}`;

export function notesOf(tx: Transaction, id: string): IntentNotes {
  return (tx.find("_extra", notesId(id)) ?? {}) as IntentNotes;
}

export function keepNotes(tx: Transaction, id: string, notes: IntentNotes): void {
  const old = tx.find("_extra", notesId(id));
  tx.put("_extra", { ...old, ...notes, id: notesId(id), object: "notes", created: old?.created ?? tx.now });
}

/** Raises payment_intent.created. Does not confirm. */
export function createPaymentIntent(world: Transaction, params: IntentParams): Stripe.PaymentIntent {
  const customer = params.customer ?? null;
  if (customer !== null) refuseGone(world, customer);
  const tx = world.atTimeOf(customer);
  const currency = checkedCurrency(params.currency);
  checkAmount(params.amount, currency);
  checkConnect(tx, params);
  const types = typesOf(params, currency);
  const method = methodOf(tx, params, customer, types);
  const id = tx.newId("payment_intent");
  const intent = fresh(tx, "payment_intent", {
    id,
    ...simpleFields(params),
    allowed_payment_method_types: params.allowed_payment_method_types ?? null,
    amount: params.amount,
    amount_details: { tip: {} },
    application: isConnected(tx) ? PLATFORM_APPLICATION : null,
    application_fee_amount: params.application_fee_amount ?? null,
    automatic_payment_methods: automaticOf(params),
    capture_method: params.capture_method ?? "automatic_async",
    client_secret: `${id}_secret_${tx.world.random.text(25)}`,
    confirmation_method: params.confirmation_method ?? "automatic",
    currency,
    customer,
    customer_account: params.customer_account ?? null,
    metadata: mergeMetadata({}, params.metadata),
    on_behalf_of: params.on_behalf_of ?? null,
    payment_details: detailsOf(params.payment_details),
    payment_method: method?.id ?? null,
    payment_method_options: optionsOf(types, params.payment_method_options),
    payment_method_types: types,
    source: null,
    status: method === undefined ? "requires_payment_method" : "requires_confirmation",
    transfer_data: params.transfer_data ?? undefined,
  });
  return saveIntent(tx, { ...intent, transfer_data: intent.transfer_data ?? null }, "payment_intent.created");
}

const isConnected = (tx: Transaction): boolean => tx.scope.account !== tx.world.platform(tx.scope).account;

function checkConnect(tx: Transaction, params: IntentParams): void {
  const { transfer_data: data, on_behalf_of: behalf, application_fee_amount: fee, amount } = params;
  if (data !== undefined) {
    refuseUnknownDestination(tx, data.destination, "transfer_data[destination]");
    if (fee !== undefined && data.amount !== undefined) {
      throw invalidRequest("You can only pass one of these parameters: application_fee_amount, transfer_data[amount].");
    }
    if ((data.amount ?? 0) > amount) {
      throw invalidRequest("The transfer amount may not be more than the amount of the payment.", {
        param: "transfer_data[amount]",
      });
    }
  }
  if (behalf !== undefined) refuseUnknownDestination(tx, behalf, "on_behalf_of");
  if (fee !== undefined) checkFee(tx, { amount, fee, isConnected: data !== undefined || behalf !== undefined });
}

/** Fields that are shown as they are given. */
function simpleFields(params: IntentParams): Record<string, unknown> {
  return {
    description: orNull(params.description),
    excluded_payment_method_types: params.excluded_payment_method_types ?? null,
    receipt_email: orNull(params.receipt_email),
    setup_future_usage: params.setup_future_usage ?? null,
    shipping: shippingOf(params.shipping),
    statement_descriptor: orNull(params.statement_descriptor),
    statement_descriptor_suffix: orNull(params.statement_descriptor_suffix),
    transfer_group: orNull(params.transfer_group),
  };
}

export function shippingOf(given: object | "" | null | undefined): Record<string, unknown> | null {
  if (given === undefined || given === null || given === "") return null;
  const { address, ...rest } = given as { address?: object };
  const place = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null, ...address };
  return { carrier: null, name: null, phone: null, tracking_number: null, ...rest, address: place };
}

function detailsOf(given: Stripe.PaymentIntentCreateParams["payment_details"]): Record<string, unknown> | undefined {
  if (given === undefined) return undefined;
  return { customer_reference: orNull(given.customer_reference), order_reference: orNull(given.order_reference) };
}

function automaticOf(params: IntentParams): object | null {
  const { automatic_payment_methods: given, payment_method_types: types } = params;
  if (given !== undefined)
    return given.enabled ? { allow_redirects: given.allow_redirects ?? "always", enabled: true } : null;
  // Since 2023-08-16 the Dashboard's methods are on unless the caller names types.
  return types === undefined && params.payment_method_data === undefined
    ? { allow_redirects: "always", enabled: true }
    : null;
}

/** The methods that the Dashboard offers by default for the currency. */
function typesOf(params: IntentParams, currency: string): string[] {
  const { payment_method_types: named, payment_method_data: data, allowed_payment_method_types: allowed } = params;
  if (named !== undefined) return named;
  if (allowed !== undefined) return allowed;
  const usual = ["card", ...(USUAL[currency] ?? []), "link"];
  const excluded = new Set<string>(params.excluded_payment_method_types ?? []);
  const all = data === undefined || usual.includes(data.type) ? usual : [...usual, data.type];
  return all.filter((type) => !excluded.has(type));
}

const USUAL: Readonly<Record<string, string[]>> = {
  eur: ["bancontact", "eps", "ideal", "klarna", "sepa_debit"],
  usd: ["klarna", "cashapp", "us_bank_account"],
  gbp: ["bacs_debit", "klarna"],
  cad: ["acss_debit"],
  aud: ["au_becs_debit"],
};

function optionsOf(types: readonly string[], given: object | undefined): Record<string, unknown> {
  const options = (given ?? {}) as Record<string, Record<string, unknown> | undefined>;
  const named = new Set([...(types.includes("card") ? ["card"] : []), ...Object.keys(options)]);
  return Object.fromEntries(
    [...named].map((type) => {
      const usual = type === "card" ? { request_three_d_secure: "automatic" } : {};
      return [type, blankPart(`payment_intent.payment_method_options.${type}`, { ...usual, ...options[type] })];
    }),
  );
}

interface MethodSource {
  payment_method?: string | undefined;
  payment_method_data?: object | undefined;
  source?: string | undefined;
}

/** @throws StripeFailure 400 it belongs to another customer, was used up, or is of a type that the intent does not take */
export function methodOf(
  tx: Transaction,
  given: MethodSource,
  customer: string | null,
  types: readonly string[],
  intent?: Stripe.PaymentIntent,
): Stripe.PaymentMethod | undefined {
  const { payment_method: reference, payment_method_data: data, source } = given;
  if (reference === undefined && data === undefined && source === undefined) return undefined;
  const method =
    data !== undefined && reference === undefined
      ? createPaymentMethod(tx, methodInput(data))
      : resolvePaymentMethod(tx, reference ?? source ?? "");
  refuseSpent(tx, method.id);
  refuseOthers(method, customer, intent);
  if (!types.includes(method.type)) {
    throw invalidRequest(
      `The PaymentMethod provided (${method.type}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types: ${types.join(", ")}. Alternatively update the allowed payment_method_types for this PaymentIntent to include "${method.type}".`,
      { param: "payment_method" },
    );
  }
  return method;
}

/** Forms name a type's fields even when there are none. */
function methodInput(data: object): MethodInput {
  return data as MethodInput;
}

function refuseOthers(
  method: Stripe.PaymentMethod,
  customer: string | null,
  intent: Stripe.PaymentIntent | undefined,
): void {
  const owner = idOf(method.customer);
  if (owner === null || owner === customer) return;
  const failure =
    customer === null
      ? invalidRequest(
          `The \`payment_method\` parameter supplied ${method.id} belongs to the Customer ${owner}. Please include the Customer in the \`customer\` parameter on the PaymentIntent.`,
          // Stripe's own answer names the older parameter.
          { param: "source", code: "parameter_missing" },
        )
      : invalidRequest(othersMethod(method.id, customer), { param: "payment_method" });
  if (intent !== undefined) failure.body.payment_intent = intent;
  throw failure;
}

export function othersMethod(method: string, customer: string): string {
  return `The PaymentMethod ${method} does not belong to the Customer you supplied ${customer}. Please use this PaymentMethod with the Customer that it belongs to instead.`;
}

/** Keeps the intent, raises the events, and tells who listens when the status is another or an attempt failed. */
export function saveIntent(tx: Transaction, intent: Stripe.PaymentIntent, ...types: string[]): Stripe.PaymentIntent {
  const before = tx.find("payment_intent", intent.id);
  tx.put("payment_intent", intent);
  for (const type of types) tx.raise(type, intent);
  const hasFailed = types.includes("payment_intent.payment_failed");
  if (before?.status !== intent.status || hasFailed)
    for (const hear of hooks.paymentIntentMoved) hear(tx, intent, before);
  return tx.get("payment_intent", intent.id);
}

/** @throws StripeFailure 400 payment_intent_unexpected_state */
export function unexpectedState(intent: Stripe.PaymentIntent, message: string, param?: string): StripeFailure {
  const code = "payment_intent_unexpected_state";
  const failure = invalidRequest(message, param === undefined ? { code } : { code, param });
  failure.body.payment_intent = intent;
  return failure;
}

/** Changes what may be changed in the intent's state. No event: Stripe has none for it. */
export function updatePaymentIntent(tx: Transaction, id: string, params: IntentChanges): Stripe.PaymentIntent {
  const old = tx.get("payment_intent", id);
  const frozen = ["amount", "currency", "customer", "payment_method", "payment_method_data", "capture_method"] as const;
  const given = frozen.filter((name) => params[name] !== undefined);
  const isOpen = old.status.startsWith("requires_") && old.status !== "requires_capture";
  if (!isOpen && given.length > 0) {
    throw unexpectedState(
      old,
      `This PaymentIntent's ${given.join(", ")} could not be updated because it has a status of ${old.status}. You may only update the ${given.join(", ")} of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action.`,
      given[0],
    );
  }
  const currency = params.currency === undefined ? old.currency : checkedCurrency(params.currency);
  const amount = params.amount ?? old.amount;
  if (params.amount !== undefined) checkAmount(amount, currency);
  const customer = params.customer ?? idOf(old.customer);
  if (params.customer !== undefined) refuseGone(tx, params.customer);
  const types = params.payment_method_types ?? old.payment_method_types;
  const method = methodOf(tx, params, customer, types, old);
  const fee = params.application_fee_amount;
  if (typeof fee === "number") {
    checkFee(tx, { amount, fee, isConnected: Boolean(old.transfer_data) || old.on_behalf_of !== null });
  }
  const updated = {
    ...old,
    ...givenFields(params),
    amount,
    application_fee_amount: fee === undefined ? old.application_fee_amount : orNull(fee),
    currency,
    customer,
    metadata: mergeMetadata(old.metadata, params.metadata),
    payment_method_options:
      params.payment_method_options === undefined
        ? old.payment_method_options
        : optionsOf(types, { ...old.payment_method_options, ...params.payment_method_options }),
    payment_method_types: types,
    ...(params.transfer_data === undefined ? {} : { transfer_data: { ...old.transfer_data, ...params.transfer_data } }),
    ...(method === undefined ? {} : { payment_method: method.id, status: "requires_confirmation", next_action: null }),
  };
  return saveIntent(tx, updated as Stripe.PaymentIntent);
}

function givenFields(params: IntentChanges): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const plain = [
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
    "capture_method",
  ] as const;
  for (const name of plain) if (params[name] !== undefined) fields[name] = orNull(params[name]);
  if (params.shipping !== undefined) fields.shipping = shippingOf(params.shipping);
  return fields;
}
