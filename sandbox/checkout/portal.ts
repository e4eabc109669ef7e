// The customer portal: its configurations and the sessions that lead a customer to it.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { checkUrl } from "./session-rules.ts";

type Configuration = Stripe.BillingPortal.Configuration;
type Features = Configuration["features"];
type GivenFeatures =
  Stripe.BillingPortal.ConfigurationCreateParams.Features | Stripe.BillingPortal.ConfigurationUpdateParams.Features;
type SessionParameters = Stripe.BillingPortal.SessionCreateParams;

const NO_FEATURES: Features = {
  customer_update: { allowed_updates: [], enabled: false },
  invoice_history: { enabled: false },
  payment_method_update: { enabled: false, payment_method_configuration: null },
  subscription_cancel: {
    cancellation_reason: {
      enabled: false,
      feedback_options: null,
      options: ["too_expensive", "missing_features", "switched_service", "unused", "other"],
    },
    enabled: false,
    mode: "at_period_end",
    proration_behavior: "none",
  },
  subscription_pause: { duration: { interval_options: [], type: "indefinite" }, enabled: false },
  subscription_update: {
    billing_cycle_anchor: "unchanged",
    default_allowed_updates: [],
    enabled: false,
    products: null,
    proration_behavior: "none",
    schedule_at_period_end: { conditions: [] },
    trial_update_behavior: "end_trial",
  },
};

/** What the default configuration of a new sandbox lets customers do: everything that its page can show. */
const ALL_FEATURES: Stripe.BillingPortal.ConfigurationCreateParams.Features = {
  customer_update: { allowed_updates: ["email", "name", "address", "phone"], enabled: true },
  invoice_history: { enabled: true },
  payment_method_update: { enabled: true },
  subscription_cancel: { enabled: true },
  subscription_update: { enabled: true, default_allowed_updates: ["price"], proration_behavior: "create_prorations" },
};

export function createConfiguration(tx: Transaction, p: Stripe.BillingPortal.ConfigurationCreateParams): Configuration {
  const configuration = newConfiguration(tx, p, false);
  tx.raise("billing_portal.configuration.created", configuration);
  return configuration;
}

function newConfiguration(
  tx: Transaction,
  p: Stripe.BillingPortal.ConfigurationCreateParams,
  isDefault: boolean,
): Configuration {
  const first = blank("billing_portal.configuration", {
    id: tx.newId("billing_portal.configuration"),
    active: true,
    business_profile: { headline: null, privacy_policy_url: null, terms_of_service_url: null },
    created: tx.now,
    features: NO_FEATURES,
    is_default: isDefault,
    livemode: tx.scope.livemode,
    login_page: { enabled: false, url: null },
    updated: tx.now,
  }) as unknown as Configuration;
  const metadata = mergeMetadata(undefined, p.metadata);
  return tx.put("billing_portal.configuration", { ...changed(tx, first, { ...p, metadata: "" }), metadata });
}

export function updateConfiguration(
  tx: Transaction,
  id: string,
  p: Stripe.BillingPortal.ConfigurationUpdateParams,
): Configuration {
  const before = tx.get("billing_portal.configuration", id);
  if (p.active === false && before.is_default) {
    throw invalidRequest("You cannot deactivate the default configuration.", { param: "active" });
  }
  const after = changed(tx, before, p);
  const metadata = p.metadata === undefined ? before.metadata : mergeMetadata(before.metadata, p.metadata);
  return tx.change("billing_portal.configuration", { ...after, metadata }, "billing_portal.configuration.updated");
}

function changed(
  tx: Transaction,
  old: Configuration,
  p: Stripe.BillingPortal.ConfigurationUpdateParams,
): Configuration {
  const text = (given: string | null | undefined, before: string | null) =>
    given === undefined ? before : given === "" ? null : given;
  const { headline, privacy_policy_url, terms_of_service_url } = p.business_profile ?? {};
  const enabled = p.login_page?.enabled ?? old.login_page.enabled;
  return {
    ...old,
    active: p.active ?? old.active,
    business_profile: {
      headline: text(headline, old.business_profile.headline),
      privacy_policy_url: text(privacy_policy_url, old.business_profile.privacy_policy_url),
      terms_of_service_url: text(terms_of_service_url, old.business_profile.terms_of_service_url),
    },
    default_return_url: text(p.default_return_url, old.default_return_url),
    features: p.features === undefined ? old.features : changedFeatures(tx, old.features, p.features),
    login_page: { enabled, url: enabled ? `${tx.world.origin}/p/login/${old.id}` : null },
    name: text(p.name, old.name),
    updated: tx.now,
  };
}

function changedFeatures(tx: Transaction, old: Features, given: GivenFeatures): Features {
  const { customer_update, subscription_update } = given;
  const products = subscription_update?.products;
  if (typeof products === "object" && products !== null)
    for (const { product } of products) tx.get("product", product, "features");
  // Only what is named changes; '' empties a list, or makes a text null.
  const merged = merge(old, given) as Features;
  if (customer_update?.enabled === true && merged.customer_update.allowed_updates.length === 0) {
    throw parameterMissing("features[customer_update][allowed_updates]");
  }
  return merged;
}

/** Hash by hash; arrays and plain values are replaced. */
function merge(old: unknown, given: unknown): unknown {
  if (given === undefined) return old;
  if (given === "") return Array.isArray(old) ? [] : null;
  if (!isHash(given)) return given;
  const before = isHash(old) ? old : {};
  const names = new Set([...Object.keys(before), ...Object.keys(given)]);
  return Object.fromEntries([...names].map((name) => [name, merge(before[name], given[name])]));
}

function isHash(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The account's default, made when it is first needed. Stripe's is made in its dashboard, without an event. */
function defaultConfiguration(tx: Transaction): Configuration {
  const known = tx.where("billing_portal.configuration", ({ is_default }) => is_default)[0];
  return known ?? newConfiguration(tx, { features: ALL_FEATURES }, true);
}

/** Raises billing_portal.session.created. */
export function createPortalSession(tx: Transaction, p: SessionParameters): Stripe.BillingPortal.Session {
  if (p.customer === undefined) throw parameterMissing("customer");
  const customer = tx.get("customer", p.customer, "customer") as Stripe.Customer | Stripe.DeletedCustomer;
  if (customer.deleted === true) {
    throw invalidRequest(`No such customer: '${p.customer}'`, { param: "customer", code: "resource_missing" });
  }
  const configuration =
    p.configuration === undefined
      ? defaultConfiguration(tx)
      : tx.get("billing_portal.configuration", p.configuration, "configuration");
  if (!configuration.active) {
    throw invalidRequest(`The configuration '${configuration.id}' is inactive.`, { param: "configuration" });
  }
  if (p.return_url !== undefined) checkUrl("return_url", p.return_url);
  if (p.flow_data !== undefined) checkFlow(p.flow_data.type, configuration.features);
  const id = tx.newId("billing_portal.session");
  const session = blank("billing_portal.session", {
    id,
    configuration: configuration.id,
    created: tx.now,
    customer: customer.id,
    flow: p.flow_data === undefined ? null : flowOf(tx, p.flow_data, customer.id),
    livemode: tx.scope.livemode,
    locale: p.locale,
    on_behalf_of: p.on_behalf_of,
    return_url: p.return_url ?? configuration.default_return_url,
    url: `${tx.world.origin}/p/session/${id}`,
  }) as unknown as Stripe.BillingPortal.Session;
  tx.put("billing_portal.session", session);
  tx.raise("billing_portal.session.created", session);
  return session;
}

type FlowData = NonNullable<SessionParameters["flow_data"]>;

/** The feature that a flow is of; payment methods may always be updated. */
const FEATURE_OF: Readonly<Record<string, keyof Features>> = {
  customer_update: "customer_update",
  subscription_cancel: "subscription_cancel",
  subscription_pause: "subscription_pause",
  subscription_update: "subscription_update",
  subscription_update_confirm: "subscription_update",
};

/** @throws StripeFailure 400 for a flow of a feature that the configuration has not */
function checkFlow(type: string, features: Features): void {
  const feature = FEATURE_OF[type];
  if (feature === undefined || features[feature].enabled) return;
  const message = `The flow \`${type}\` cannot be used because the feature \`${feature}\` is disabled in the portal configuration.`;
  throw invalidRequest(message, { param: "flow_data[type]" });
}

function flowOf(tx: Transaction, given: FlowData, customer: string): object {
  const needed = [
    "subscription_cancel",
    "subscription_pause",
    "subscription_update",
    "subscription_update_confirm",
  ] as const;
  for (const type of needed) {
    const part = given[type];
    if (given.type === type && part === undefined) throw parameterMissing(`flow_data[${type}]`);
    if (part === undefined) continue;
    const param = `flow_data[${type}][subscription]`;
    const subscription = tx.get("subscription", part.subscription, param);
    if (idOf(subscription.customer) !== customer) {
      throw invalidRequest(`The subscription '${subscription.id}' does not belong to the customer '${customer}'.`, {
        param,
      });
    }
  }
  const { after_completion: after, subscription_cancel: cancel, subscription_update_confirm: confirm } = given;
  const coupon = cancel?.retention?.coupon_offer;
  return {
    type: given.type,
    after_completion: {
      hosted_confirmation:
        after?.hosted_confirmation === undefined
          ? null
          : { custom_message: after.hosted_confirmation.custom_message ?? null },
      redirect: after?.redirect ?? null,
      type: after?.type ?? "portal_homepage",
    },
    customer_update: given.type === "customer_update" ? {} : null,
    subscription_cancel:
      cancel === undefined
        ? null
        : {
            retention: coupon === undefined ? null : { coupon_offer: coupon, type: "coupon_offer" },
            subscription: cancel.subscription,
          },
    subscription_pause: given.subscription_pause ?? null,
    subscription_update: given.subscription_update ?? null,
    subscription_update_confirm:
      confirm === undefined
        ? null
        : {
            discounts:
              confirm.discounts?.map(({ coupon: of = null, promotion_code = null }) => ({
                coupon: of,
                promotion_code,
              })) ?? null,
            items: confirm.items.map((item) => ({ ...item, price: item.price ?? null })),
            subscription: confirm.subscription,
          },
  };
}
