// The customer portal: what each of its buttons does. Every action has to be allowed by the configuration.
import type Stripe from "stripe";
import { noSuch, StripeFailure } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { World } from "../core/world.ts";
import { updateCustomer } from "../customers/customer.ts";
import { attachPaymentMethod, detachPaymentMethod } from "../payments/instrument.ts";
import { confirmSetupIntent, createSetupIntent } from "../payments/setup-intent.ts";
import { cycleStart } from "../subscriptions/billing-cycle.ts";
import { cancelSubscription, updateSubscription } from "../subscriptions/subscription.ts";
import { methodOfForm } from "./card-form.ts";
import { notFound } from "./layout.ts";
import { firstPage, pageAfter } from "./portal-flow.ts";
import { offeredPrices, pauseOptions } from "./portal-subscription.ts";
import { portalPage } from "./portal-view.ts";
import { type Page, type PageRequest, type PageRoute, scopeWith } from "./page.ts";

type PortalSession = Stripe.BillingPortal.Session;
type Features = Stripe.BillingPortal.Configuration["features"];

export const portalPages: PageRoute[] = [
  {
    pattern: "GET /p/session/*",
    answer: (world, page) => withSession(world, page, look),
  },
  { pattern: "POST /p/session/*", answer: (world, page) => withSession(world, page, act) },
];

function look(tx: Transaction, session: PortalSession, { query }: PageRequest): Page {
  return query.view === "all" ? portalPage(tx, session) : firstPage(tx, session);
}

type Answer = (tx: Transaction, session: PortalSession, page: PageRequest) => Page;

function withSession(world: World, page: PageRequest, answer: Answer): Page {
  const [id = ""] = page.ids;
  const scope = scopeWith(world, "billing_portal.session", id);
  if (scope === undefined) return notFound("portal session");
  try {
    return world.run((tx) => answer(tx, tx.get("billing_portal.session", id), page), scope);
  } catch (error) {
    if (!(error instanceof StripeFailure)) throw error;
    const trouble = error.body.message;
    return world.run((tx) => firstPage(tx, tx.get("billing_portal.session", id), { trouble }, error.status), scope);
  }
}

/** Returns what to say afterwards, or where to go first. */
type Action = (tx: Transaction, form: PageRequest["form"], session: PortalSession, features: Features) => string | Page;

interface Allowed {
  by: (features: Features) => boolean;
  run: Action;
}

const ACTIONS: Readonly<Record<string, Allowed>> = {
  cancel: { by: (features) => features.subscription_cancel.enabled, run: cancel },
  resume: { by: (features) => features.subscription_cancel.enabled, run: resume },
  change: { by: (features) => features.subscription_update.enabled, run: change },
  confirm: { by: (features) => features.subscription_update.enabled, run: confirm },
  pause: { by: (features) => features.subscription_pause.enabled, run: pause },
  unpause: { by: (features) => features.subscription_pause.enabled, run: unpause },
  prefer: { by: (features) => features.payment_method_update.enabled, run: prefer },
  remove: { by: (features) => features.payment_method_update.enabled, run: remove },
  add: { by: (features) => features.payment_method_update.enabled, run: add },
  customer: { by: (features) => features.customer_update.enabled, run: rename },
};

function act(tx: Transaction, session: PortalSession, { form }: PageRequest): Page {
  const { features } = tx.get("billing_portal.configuration", idOf(session.configuration) ?? "");
  const action = ACTIONS[form.action ?? ""];
  if (action === undefined) return portalPage(tx, session);
  if (!action.by(features)) return portalPage(tx, session, { trouble: "The shop does not allow this here." }, 403);
  const outcome = action.run(tx, form, session, features);
  return typeof outcome === "string" ? pageAfter(tx, session, form.action ?? "", outcome) : outcome;
}

/** The session's customer's own, or the end of the call: an id from a form may be anyone's. */
function ownSubscription(tx: Transaction, session: PortalSession, id = ""): Stripe.Subscription {
  const found = tx.get("subscription", id, "subscription");
  if (idOf(found.customer) !== session.customer) throw noSuch("subscription", id, "subscription");
  return found;
}

function ownMethod(tx: Transaction, session: PortalSession, id = ""): Stripe.PaymentMethod {
  const found = tx.get("payment_method", id, "payment_method");
  if (idOf(found.customer) !== session.customer) throw noSuch("payment_method", id, "payment_method");
  return found;
}

function cancel(tx: Transaction, form: PageRequest["form"], session: PortalSession, features: Features): string {
  const subscription = ownSubscription(tx, session, form.subscription);
  const { mode, proration_behavior } = features.subscription_cancel;
  const details = form.feedback === undefined ? {} : { cancellation_details: { feedback: form.feedback } };
  if (mode === "immediately") {
    cancelSubscription(tx, subscription.id, {
      ...details,
      prorate: proration_behavior !== "none",
      invoice_now: proration_behavior === "always_invoice",
    });
    return "The subscription is canceled.";
  }
  // Since 2025-09-30 a subscription with flexible billing gets a date instead of the flag.
  const flexible = subscription.billing_mode.type === "flexible";
  const ends = Math.min(...subscription.items.data.map((item) => item.current_period_end));
  const when = flexible && Number.isFinite(ends) ? { cancel_at: ends } : { cancel_at_period_end: true };
  updateSubscription(tx, subscription.id, { ...when, ...details });
  return "The subscription ends with its period.";
}

function resume(tx: Transaction, form: PageRequest["form"], session: PortalSession): string {
  const subscription = ownSubscription(tx, session, form.subscription);
  updateSubscription(
    tx,
    subscription.id,
    subscription.cancel_at_period_end ? { cancel_at_period_end: false } : { cancel_at: "" },
  );
  return "The subscription goes on.";
}

function change(tx: Transaction, form: PageRequest["form"], session: PortalSession, features: Features): string {
  const subscription = ownSubscription(tx, session, form.subscription);
  const [item] = subscription.items.data;
  const offered = offeredPrices(tx, features, subscription).some(([id]) => id === form.price);
  if (item === undefined || !offered || form.price === undefined) return "Nothing was changed.";
  updateSubscription(tx, subscription.id, {
    items: [{ id: item.id, price: form.price }],
    proration_behavior: features.subscription_update.proration_behavior,
  });
  return "The plan is changed.";
}

/** What the shop proposed when it made the session (flow_data.subscription_update_confirm). */
function confirm(tx: Transaction, _form: PageRequest["form"], session: PortalSession, features: Features): string {
  const wanted = session.flow?.subscription_update_confirm ?? null;
  if (wanted === null) return "Nothing was changed.";
  const discounts = (wanted.discounts ?? []).map(({ coupon, promotion_code: code }) => ({
    ...(coupon === null ? {} : { coupon }),
    ...(code === null ? {} : { promotion_code: code }),
  }));
  updateSubscription(tx, ownSubscription(tx, session, wanted.subscription).id, {
    items: wanted.items.map(({ id, price, quantity }) => ({
      ...(id === null ? {} : { id }),
      ...(price === null ? {} : { price }),
      ...(quantity === undefined ? {} : { quantity }),
    })),
    ...(discounts.length === 0 ? {} : { discounts }),
    proration_behavior: features.subscription_update.proration_behavior,
  });
  return "The plan is changed.";
}

/** As Stripe's portal: invoices of the pause are void. */
function pause(tx: Transaction, form: PageRequest["form"], session: PortalSession, features: Features): string {
  const subscription = ownSubscription(tx, session, form.subscription);
  const options = pauseOptions(features.subscription_pause);
  const chosen = options.find(([value]) => value === form.duration)?.[0] ?? options[0]?.[0];
  const timed = features.subscription_pause.duration.type === "interval_options" && chosen !== undefined;
  const [unit = "", count = "1"] = (chosen ?? "").split(" ");
  const recurrence = { interval: unit, interval_count: Number(count) };
  const resumes = timed ? { resumes_at: cycleStart(tx.atTimeOf(session.customer).now, recurrence, 1) } : {};
  updateSubscription(tx, subscription.id, { pause_collection: { behavior: "void", ...resumes } });
  return "The subscription is paused.";
}

function unpause(tx: Transaction, form: PageRequest["form"], session: PortalSession): string {
  updateSubscription(tx, ownSubscription(tx, session, form.subscription).id, { pause_collection: "" });
  return "The subscription goes on.";
}

function prefer(tx: Transaction, form: PageRequest["form"], session: PortalSession): string {
  const method = ownMethod(tx, session, form.method);
  updateCustomer(tx, session.customer, { invoice_settings: { default_payment_method: method.id } });
  return "This payment method is used from now on.";
}

function remove(tx: Transaction, form: PageRequest["form"], session: PortalSession): string {
  detachPaymentMethod(tx, ownMethod(tx, session, form.method).id);
  return "The payment method is removed.";
}

/** As Stripe's portal: a setup intent saves the card, which becomes the default. */
function add(tx: Transaction, form: PageRequest["form"], session: PortalSession): string | Page {
  const method = methodOfForm(tx, form, tx.get("customer", session.customer).email);
  const intent = createSetupIntent(tx, { customer: session.customer, usage: "off_session", payment_method: method.id });
  const confirmed = confirmSetupIntent(tx, intent.id, {
    payment_method: method.id,
    return_url: `${tx.world.origin}/p/session/${session.id}`,
  });
  if (confirmed.status === "requires_action") return { redirect: `/3ds/${confirmed.id}` };
  if (confirmed.status !== "succeeded") {
    return portalPage(tx, session, { trouble: confirmed.last_setup_error?.message ?? "The card was declined." }, 402);
  }
  if (idOf(tx.get("payment_method", method.id).customer) === null) attachPaymentMethod(tx, method.id, session.customer);
  updateCustomer(tx, session.customer, { invoice_settings: { default_payment_method: method.id } });
  return "The card is added, and used from now on.";
}

function rename(tx: Transaction, form: PageRequest["form"], session: PortalSession, features: Features): string {
  const allowed = features.customer_update.allowed_updates;
  const texts = (["name", "email", "phone"] as const).filter(
    (name) => allowed.includes(name) && form[name] !== undefined,
  );
  const changes = Object.fromEntries(texts.map((name) => [name, form[name]?.trim() ?? ""]));
  const parts = (["line1", "city", "postal_code", "country"] as const).filter((name) => form[name] !== undefined);
  const address = Object.fromEntries(parts.map((name) => [name, form[name]?.trim() ?? ""]));
  updateCustomer(tx, session.customer, {
    ...changes,
    ...(allowed.includes("address") && parts.length > 0 ? { address } : {}),
  });
  return "Saved.";
}
