// Short-lived secrets for code in a browser or an app: account sessions, customer sessions, ephemeral keys.
import type Stripe from "stripe";

import { blank, blankPart } from "../core/blank.ts";
import { invalidRequest, noSuch, parameterMissing } from "../core/errors.ts";
import { type Route, route } from "../core/route.ts";
import { connectedAccount } from "./connection.ts";
import { isHash, mergeFields } from "./merge-fields.ts";

/** Stripe's: half an hour for customer sessions, an hour for account sessions and ephemeral keys. */
const HALF_HOUR = 1800;
const HOUR = 3600;

export const clientSessionRoutes: Route[] = [
  route<Stripe.AccountSessionCreateParams>()("POST /v1/account_sessions", (tx, given) => {
    if (connectedAccount(tx, given.account) === undefined) throw noSuch("account", given.account, "account");
    return blank("account_session", {
      account: given.account,
      client_secret: `accs_secret__${tx.world.random.text(48)}`,
      components: mergeFields(blankPart("account_session.components"), given.components),
      expires_at: tx.now + HOUR,
      livemode: tx.scope.livemode,
    });
  }),

  route<Stripe.CustomerSessionCreateParams>()("POST /v1/customer_sessions", (tx, given) => {
    if (given.customer === undefined) throw parameterMissing("customer");
    tx.get("customer", given.customer, "customer");
    return blank("customer_session", {
      client_secret: `cuss_secret_${tx.world.random.text(48)}`,
      components: customerComponents(given.components),
      created: tx.now,
      customer: given.customer,
      expires_at: tx.now + HALF_HOUR,
      livemode: tx.scope.livemode,
    });
  }),

  route<Stripe.EphemeralKeyCreateParams>()("POST /v1/ephemeral_keys", (tx, given) => {
    const { customer, issuing_card, verification_session } = given;
    if (customer !== undefined) tx.get("customer", customer, "customer");
    else if (issuing_card !== undefined) tx.get("issuing.card", issuing_card, "issuing_card");
    else if (verification_session !== undefined) {
      tx.get("identity.verification_session", verification_session, "verification_session");
    } else {
      const message =
        "You must pass one of `customer`, `issuing_card` or `verification_session` to create an ephemeral key.";
      throw invalidRequest(message, { code: "parameter_missing" });
    }
    const id = `ephkey_${tx.world.random.text(24)}`;
    const { livemode } = tx.scope;
    const key = { id, object: "ephemeral_key", created: tx.now, expires: tx.now + HOUR, livemode };
    tx.put("_extra", key);
    return { ...key, secret: `ek_${livemode ? "live" : "test"}_${tx.world.random.text(48)}` };
  }),

  route<object>()("DELETE /v1/ephemeral_keys/*", (tx, _, id) => {
    const key = tx.find("_extra", id);
    if (key?.object !== "ephemeral_key") throw noSuch("ephemeral key", id);
    tx.remove("_extra", id);
    return { ...key, expires: tx.now };
  }),
];

const PLAIN = ["active_entitlements", "buy_button", "customer_portal", "pricing_table"];
/** What each component with features has when the call says nothing of them. */
const FEATURES: Readonly<Record<string, object>> = {
  customer_sheet: { payment_method_allow_redisplay_filters: ["always"], payment_method_remove: "enabled" },
  mobile_payment_element: {
    payment_method_allow_redisplay_filters: ["always"],
    payment_method_redisplay: "enabled",
    payment_method_remove: "disabled",
    payment_method_save: "disabled",
    payment_method_save_allow_redisplay_override: null,
  },
  payment_element: {
    payment_method_allow_redisplay_filters: ["always"],
    payment_method_redisplay: "disabled",
    payment_method_redisplay_limit: 3,
    payment_method_remove: "disabled",
    payment_method_save: "disabled",
    payment_method_save_usage: null,
  },
};

/** All components, off, with what the call switches on. */
function customerComponents(asked: object): object {
  const given: Readonly<Record<string, unknown>> = { ...asked };
  const plain = PLAIN.map((name) => [name, mergeFields({ enabled: false }, hashAt(given, name))] as const);
  const rich = Object.entries(FEATURES).map(([name, usual]) => {
    const component = hashAt(given, name);
    const features = component.enabled === true ? mergeFields(usual, hashAt(component, "features")) : null;
    return [name, { enabled: component.enabled === true, features }] as const;
  });
  return Object.fromEntries([...plain, ...rich]);
}

function hashAt(given: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const value = given[name];
  return isHash(value) ? value : {};
}
