// What subscriptions ask of Stripe: each POST under a key made of our own row's id and the customer's.
import type { SubscriptionRequest } from "../accounts/subscription-request-table.ts";
import { publicError } from "../base/errors.ts";
import type { FetchedObject } from "../inbox/observe.ts";
import { REQUEST_FIELD } from "../inbox/subscription-heads.ts";
import type { StripeAccess, StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import type { RequestOptions, StripeClient } from "../stripe/client.ts";
import type { StripeObject } from "../stripe/envelope.ts";
import { ACCOUNT_FIELD } from "./stripe-customer.ts";

export type StripeSubscription = Awaited<ReturnType<StripeClient["subscriptions"]["retrieve"]>>;
export type CheckoutSession = Awaited<ReturnType<StripeClient["checkout"]["sessions"]["retrieve"]>>;

/** On whose account, in which mode. */
export interface Place {
  livemode: boolean;
  stripeAccount: string;
}

/** Stripe's parameters by our own fields' paths. */
const FIELDS = {
  "line_items[0][price]": "price_id",
  "line_items[0][quantity]": "quantity",
  "items[0][price]": "price_id",
  "items[0][quantity]": "quantity",
  "discounts[0][promotion_code]": "promotion_code",
  "subscription_data[trial_period_days]": "trial_days",
  trial_period_days: "trial_days",
  "automatic_tax[enabled]": "automatic_tax",
};

export async function ask<T>(
  stripe: StripeAccess,
  { livemode, stripeAccount }: Place,
  idempotencyKey: string | undefined,
  call: (client: StripeClient, options: RequestOptions) => Promise<T>,
): Promise<StripeAnswer<T>> {
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  return stripe.call({ livemode, account: stripeAccount, fields: FIELDS, ...key }, call);
}

/** Stripe's page, on which the subscription is begun when it is paid. */
export function createSubscriptionSession(
  stripe: StripeAccess,
  request: SubscriptionRequest,
  { customer, frontendUrl }: { customer: string; frontendUrl: string },
): Promise<StripeAnswer<CheckoutSession>> {
  const { id, priceId, quantity, trialDays, promotionCodeId, automaticTax } = request;
  const metadata = metadataOf(request);
  const parameters = {
    mode: "subscription" as const,
    customer,
    client_reference_id: id,
    line_items: [{ price: priceId, quantity }],
    metadata,
    subscription_data: {
      metadata,
      ...(trialDays === 0 ? {} : { trial_period_days: trialDays }),
      ...feeOf(request),
    },
    ...(promotionCodeId === null ? {} : { discounts: [{ promotion_code: promotionCodeId }] }),
    // The address that tax is computed from is asked for on the page, and kept.
    ...(automaticTax ? { automatic_tax: { enabled: true }, customer_update: { address: "auto" as const } } : {}),
    success_url: `${frontendUrl}/dashboard/subscription/return?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${frontendUrl}/dashboard/subscription`,
  };
  return ask(stripe, request, `${id}:session:${customer}`, (client, options) =>
    client.checkout.sessions.create(parameters, options),
  );
}

/** Incomplete until its first payment, which the Payment Element confirms with the client secret. */
export function createSubscription(
  stripe: StripeAccess,
  request: SubscriptionRequest,
  customer: string,
): Promise<StripeAnswer<StripeSubscription>> {
  const { id, priceId, quantity, trialDays, promotionCodeId, automaticTax } = request;
  const parameters = {
    customer,
    items: [{ price: priceId, quantity }],
    payment_behavior: "default_incomplete" as const,
    payment_settings: { save_default_payment_method: "on_subscription" as const },
    metadata: metadataOf(request),
    ...(trialDays === 0 ? {} : { trial_period_days: trialDays }),
    ...(promotionCodeId === null ? {} : { discounts: [{ promotion_code: promotionCodeId }] }),
    ...(automaticTax ? { automatic_tax: { enabled: true } } : {}),
    ...feeOf(request),
    expand: ["latest_invoice.confirmation_secret", "pending_setup_intent"],
  };
  return ask(stripe, request, `${id}:subscription:${customer}`, (client, options) =>
    client.subscriptions.create(parameters, options),
  );
}

function metadataOf({ id, accountId, tenantId }: SubscriptionRequest): Record<string, string> {
  return { [REQUEST_FIELD]: id, [ACCOUNT_FIELD]: accountId, billhook_tenant: tenantId };
}

function feeOf({ applicationFeePercent: percent }: SubscriptionRequest): { application_fee_percent?: number } {
  return percent === null || percent === 0 ? {} : { application_fee_percent: percent };
}

/** The secret that the Payment Element needs; null: there is nothing to pay and nothing to set up. */
export function clientSecretOf({
  latest_invoice: invoice,
  pending_setup_intent: setup,
}: StripeSubscription): string | null {
  const payment = typeof invoice === "object" ? invoice?.confirmation_secret?.client_secret : undefined;
  return payment ?? (typeof setup === "object" ? (setup?.client_secret ?? null) : null);
}

/** By the code that a person types, or its promo_ id. Throws `invalid_request` for one that does not work (any more). */
export async function findPromotionCode(stripe: StripeAccess, place: Place, code: string): Promise<string> {
  const found = code.startsWith("promo_")
    ? await retrievePromotionCode(stripe, place, code)
    : await listPromotionCode(stripe, place, code);
  if (found?.active === true) return found.id;
  throw publicError("invalid_request", {
    param: "promotion_code",
    message: "There is no such promotion code, or it does not work any more: leave it out, or take another one.",
  });
}

type PromotionCode = Pick<Awaited<ReturnType<StripeClient["promotionCodes"]["retrieve"]>>, "id" | "active">;

async function listPromotionCode(stripe: StripeAccess, place: Place, code: string): Promise<PromotionCode | undefined> {
  const { value } = await ask(stripe, place, undefined, (client, options) =>
    client.promotionCodes.list({ code, active: true, limit: 1 }, options),
  );
  return value.data[0];
}

async function retrievePromotionCode(
  stripe: StripeAccess,
  place: Place,
  id: string,
): Promise<PromotionCode | undefined> {
  try {
    return (await ask(stripe, place, undefined, (client, options) => client.promotionCodes.retrieve(id, {}, options)))
      .value;
  } catch (error) {
    if (error instanceof StripeCallError && error.stripeCode === "resource_missing") return undefined;
    throw error;
  }
}

/** An answer as an observation. Objects inside it are named only: they bring their own, and no secret of theirs is kept. */
export function observationOf({ livemode, stripeAccount }: Place, answer: StripeAnswer<object>): FetchedObject {
  const object = Object.fromEntries(
    Object.entries(answer.value).map(([name, value]: [string, unknown]) =>
      EXPANDED.has(name) && isObject(value) ? [name, value.id] : [name, value],
    ),
  ) as StripeObject;
  const { asOf, apiVersion, replayedAt } = answer;
  return { livemode, account: stripeAccount, object, asOf, apiVersion, replayedAt };
}

const EXPANDED = new Set(["latest_invoice", "pending_setup_intent"]);

const isObject = (value: unknown): value is { id: unknown } =>
  typeof value === "object" && value !== null && "id" in value;
