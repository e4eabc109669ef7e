// Routes of a customer's own subscription: begin, cancel, resume, change, Stripe's portal, another payment method; and what it entitles to.
import { z } from "zod";

import { readEntitlements } from "../billing/entitlements.ts";
import { startSetup } from "../billing/payment-method.ts";
import {
  cancelSubscription,
  type ChangedSubscription,
  changePlan,
  openBillingPortal,
  resumeSubscription,
} from "../billing/subscription-changes.ts";
import { startSubscription } from "../billing/subscription-start.ts";
import { publicError } from "../base/errors.ts";
import { timeOfId } from "../base/ids.ts";
import { modeOf } from "./account-admin-routes.ts";
import { ACCOUNT_STATUSES } from "./people-fields.ts";
import { type ActingAccount, accountOf } from "./account-caller.ts";
import { scopeOf } from "./caller.ts";
import { id, idParams, isoTime } from "./query-fields.ts";
import { type ApiDependencies, type Call, operation } from "./route.ts";

const TAG = "Own subscription";

const quantity = z.int().min(1).max(1_000_000);

/** What a page needs beside a client_secret. */
const forPage = {
  publishable_key: z.string().nullable().meta({ description: "For Stripe.js; null: the page has its own." }),
  stripe_account: z.string().nullable().meta({ description: "For Stripe.js; null: the platform's own account." }),
  sandbox_url: z
    .string()
    .nullable()
    .meta({ description: "The sandbox that stands in for Stripe; null: it is Stripe." }),
};

function forPageOf({ publishableKeys = {}, sandboxUrl }: ApiDependencies, livemode: boolean, stripeAccount: string) {
  return {
    publishable_key: (livemode ? publishableKeys.live : publishableKeys.test) ?? null,
    stripe_account: stripeAccount === "" ? null : stripeAccount,
    sandbox_url: sandboxUrl ?? null,
  };
}

const Started = z
  .strictObject({
    checkout_url: z
      .string()
      .nullable()
      .optional()
      .meta({ description: "Where the person pays, in the mode `checkout`." }),
    session_id: z.string().optional(),
    client_secret: z.string().nullable().optional().meta({
      description: "For the Payment Element, in the mode `elements`; null: there is nothing to pay.",
    }),
    subscription_id: z.string().optional(),
    status_url: z.string(),
    publishable_key: z.string().nullable().optional(),
    stripe_account: z.string().nullable().optional(),
    sandbox_url: z.string().nullable().optional(),
  })
  .meta({ id: "StartedSubscription" });

export const createSubscriptionRoute = operation({
  tag: TAG,
  body: z.strictObject({
    price_id: id.meta({ description: "Of an active plan: see `GET /api/v1/plans/`." }),
    mode: z
      .enum(["checkout", "elements"])
      .default("checkout")
      .meta({ description: "`checkout`: Stripe's page · `elements`: your own page with Stripe's Payment Element." }),
    quantity: quantity.default(1),
    trial_days: z
      .int()
      .min(0)
      .max(730)
      .optional()
      .meta({ description: "At most the plan's own, once in an account's life; without it the plan's." }),
    promotion_code: z
      .string()
      .regex(/^[\w-]{1,100}$/, "must be a promotion code")
      .optional()
      .meta({ description: "As people type it, or its promo_ id." }),
    automatic_tax: z.boolean().default(false),
  }),
  idempotent: true,
  answers: { 201: Started },
  run: async (call) => {
    const { deps, body, reply, idempotencyKey: requestKey } = call;
    const { livemode, accountId } = await accountOf(call, "subscription");
    const wanted = {
      ...{ livemode, accountId, mode: body.mode, priceId: body.price_id, quantity: body.quantity, requestKey },
      ...{ trialDays: body.trial_days, promotionCode: body.promotion_code, automaticTax: body.automatic_tax },
    };
    const { session, subscription, statusUrl, stripeAccount } = await startSubscription(deps, scopeOf(call), wanted);
    reply.status(201);
    if (session !== undefined) return { checkout_url: session.url, session_id: session.id, status_url: statusUrl };
    return {
      ...{
        client_secret: subscription?.clientSecret ?? null,
        subscription_id: subscription?.id,
        status_url: statusUrl,
      },
      ...forPageOf(deps, livemode, stripeAccount),
    };
  },
});

const Changed = z
  .strictObject({
    id: z.string(),
    object: z.literal("subscription"),
    status: z.string().nullable(),
    plan: z.strictObject({ id: z.string(), name: z.string() }).nullable(),
    price_id: z.string().nullable(),
    quantity: z.int().nullable(),
    current_period_end: isoTime.nullable(),
    trial_end: isoTime.nullable(),
    cancel_scheduled: z.boolean().meta({ description: "It ends by itself, at `cancel_at`." }),
    cancel_at: isoTime.nullable(),
  })
  .meta({ id: "OwnSubscription" });

function viewOf(changed: ChangedSubscription): z.output<typeof Changed> {
  const { plan, currentPeriodEnd, trialEnd, cancelAt, cancelScheduled } = changed;
  return {
    id: changed.id,
    object: "subscription",
    status: changed.status,
    plan: plan === undefined ? null : { id: plan.id, name: plan.name },
    price_id: changed.priceId,
    quantity: changed.quantity,
    current_period_end: isoOf(currentPeriodEnd),
    trial_end: isoOf(trialEnd),
    cancel_scheduled: cancelScheduled,
    cancel_at: isoOf(cancelAt ?? (cancelScheduled ? currentPeriodEnd : null)),
  };
}

const isoOf = (seconds: number | null): string | null =>
  seconds === null ? null : new Date(seconds * 1000).toISOString();

const subscriptionId = id.optional().meta({ description: "Needed where the account has several." });

type OwnCall = Call<unknown, unknown, { subscription_id?: string | undefined } | null | undefined>;

async function changeOf(call: OwnCall) {
  const account: ActingAccount = await accountOf(call, "subscription");
  if (!call.deps.stripe.has(account.livemode)) throw publicError("stripe_not_configured");
  const occasion = call.idempotencyKey ?? call.requestId;
  const begunBefore = occasion === call.requestId ? undefined : timeOfId(occasion) / 1000;
  return { account, subscriptionId: call.body?.subscription_id, occasion, begunBefore };
}

export const cancelSubscriptionRoute = operation({
  tag: TAG,
  body: z
    .strictObject({
      at_period_end: z.boolean().default(true).meta({ description: "false: at once, without money back." }),
      subscription_id: subscriptionId,
    })
    .nullish(),
  idempotent: true,
  answers: { 200: Changed },
  run: async (call) => {
    const how = { atPeriodEnd: call.body?.at_period_end ?? true };
    return viewOf(await cancelSubscription(call.deps, scopeOf(call), await changeOf(call), how));
  },
});

export const resumeSubscriptionRoute = operation({
  tag: TAG,
  body: z.strictObject({ subscription_id: subscriptionId }).nullish(),
  idempotent: true,
  answers: { 200: Changed },
  run: async (call) => viewOf(await resumeSubscription(call.deps, scopeOf(call), await changeOf(call))),
});

export const changeOwnPlanRoute = operation({
  tag: TAG,
  body: z.strictObject({
    price_id: id,
    quantity: quantity.optional().meta({ description: "Without it: as many as before." }),
    proration: z.enum(["create_prorations", "always_invoice", "none"]).default("create_prorations").meta({
      description: "What is left of the paid period: on the next invoice, on one of its own at once, or left alone.",
    }),
    subscription_id: subscriptionId,
  }),
  idempotent: true,
  answers: { 200: Changed },
  run: async (call) => {
    const { price_id: priceId, quantity: count, proration } = call.body;
    const change = await changeOf(call);
    return viewOf(await changePlan(call.deps, scopeOf(call), change, { priceId, quantity: count, proration }));
  },
});

export const billingPortalRoute = operation({
  tag: TAG,
  body: z
    .strictObject({
      return_url: z
        .url({ protocol: /^https?$/ })
        .max(2000)
        .optional()
        .meta({ description: "Where the person comes back to; of an origin in CORS_ORIGINS." }),
    })
    .nullish(),
  idempotent: true,
  answers: { 200: z.strictObject({ url: z.string() }).meta({ id: "BillingPortal" }) },
  run: async (call) => {
    const { deps, body, idempotencyKey, requestId } = call;
    const account = await accountOf(call, "subscription");
    const returnUrl = allowedReturn(deps, body?.return_url);
    return openBillingPortal(deps, scopeOf(call), account, { returnUrl, occasion: idempotencyKey ?? requestId });
  },
});

/** Anywhere else it would make us a means of leading people astray. */
function allowedReturn({ corsOrigins, people }: ApiDependencies, url: string | undefined): string | undefined {
  if (url === undefined || [...corsOrigins, new URL(people.frontendUrl).origin].includes(new URL(url).origin))
    return url;
  throw publicError("invalid_request", {
    message: "`return_url` is of another origin: name one that CORS_ORIGINS lists.",
    param: "return_url",
  });
}

export const addPaymentMethodRoute = operation({
  tag: TAG,
  idempotent: true,
  answers: {
    201: z
      .strictObject({
        client_secret: z.string().nullable().meta({ description: "For the Payment Element." }),
        setup_intent_id: z.string(),
        status_url: z.string(),
        ...forPage,
      })
      .meta({ id: "PaymentMethodSetup" }),
  },
  run: async (call) => {
    const { deps, reply, idempotencyKey: requestKey } = call;
    const { livemode, accountId } = await accountOf(call, "payment_method");
    const started = await startSetup(deps, scopeOf(call), { livemode, accountId, requestKey });
    reply.status(201);
    return {
      client_secret: started.clientSecret,
      setup_intent_id: started.setupIntentId,
      status_url: started.statusUrl,
      ...forPageOf(deps, livemode, started.stripeAccount),
    };
  },
});

const EntitledPlan = z.strictObject({
  id: z.string(),
  key: z.string().nullable(),
  name: z.string(),
  group: z.string(),
  price_id: z.string(),
  quantity: z.int().nullable(),
  features: z.array(z.string()),
  subscription_id: z.string(),
  subscription_status: z.string(),
  current_period_end: isoTime.nullable(),
  cancel_scheduled: z.boolean(),
});

export const readEntitlementsRoute = operation({
  tag: "Accounts",
  params: idParams,
  answers: {
    200: z
      .strictObject({
        account_id: z.string(),
        livemode: z.boolean(),
        status: z.enum(ACCOUNT_STATUSES),
        is_trial_user: z.boolean(),
        period_end: isoTime.nullable(),
        trial_end: isoTime.nullable(),
        plan: EntitledPlan.nullable().meta({ description: "The first of `plans`." }),
        plans: z.array(EntitledPlan).meta({ description: "Active, in trial or past due." }),
        features: z.array(z.string()).meta({ description: "Of all of them." }),
        credit_balance: z.int(),
      })
      .meta({ id: "Entitlements" }),
  },
  run: async (call) => {
    const mode = modeOf(call.caller);
    const found = await readEntitlements(scopeOf(call), { ...mode, accountId: call.params.id });
    if (found === undefined) throw publicError("not_found");
    const plans = found.plans.map(({ currentPeriodEnd, ...plan }) => ({
      ...{ id: plan.id, key: plan.key, name: plan.name, group: plan.group, price_id: plan.priceId },
      ...{ quantity: plan.quantity, features: plan.features, subscription_id: plan.subscriptionId },
      ...{ subscription_status: plan.subscriptionStatus, cancel_scheduled: plan.cancelScheduled },
      current_period_end: isoOf(currentPeriodEnd),
    }));
    return {
      ...{ account_id: call.params.id, livemode: mode.livemode, status: found.status },
      is_trial_user: found.isTrialUser,
      period_end: found.periodEnd?.toISOString() ?? null,
      trial_end: found.trialEnd?.toISOString() ?? null,
      plan: plans[0] ?? null,
      plans,
      features: [...new Set(plans.flatMap(({ features }) => features))],
      credit_balance: found.creditBalance,
    };
  },
});
