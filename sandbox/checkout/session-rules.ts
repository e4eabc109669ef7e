// What Stripe refuses when a checkout session is made.
import { LEAST_CHARGE } from "../core/currency.ts";
import type Stripe from "stripe";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";
import type { SessionParameters } from "./session-draft.ts";

const HALF_HOUR = 30 * 60;
const DAY = 24 * 60 * 60;

/** Parameters that only some modes take. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  payment_intent_data: ["payment"],
  subscription_data: ["subscription"],
  setup_intent_data: ["setup"],
  invoice_creation: ["payment"],
  submit_type: ["payment", "subscription"],
  shipping_options: ["payment", "subscription"],
  line_items: ["payment", "subscription"],
  discounts: ["payment", "subscription"],
  allow_promotion_codes: ["payment", "subscription"],
};

/** Everything that can be said before prices are looked at. */
export function checkParameters(tx: Transaction, p: SessionParameters): Stripe.Checkout.Session.Mode {
  const mode = p.mode;
  if (mode === undefined) throw parameterMissing("mode");
  for (const [name, modes] of Object.entries(ONLY_IN)) {
    if (Reflect.get(p, name) !== undefined && !modes.includes(mode)) {
      throw invalidRequest(`You can not pass \`${name}\` in \`${mode}\` mode.`, { param: name });
    }
  }
  if (mode !== "setup" && (p.line_items ?? []).length === 0) throw parameterMissing("line_items");
  onlyOne(p, "customer", "customer_email");
  onlyOne(p, "customer", "customer_creation");
  onlyOne(p, "allow_promotion_codes", "discounts");
  if (p.customer_creation !== undefined && mode === "subscription") {
    throw invalidRequest("`customer_creation` can only be used in `payment` and `setup` mode.", {
      param: "customer_creation",
    });
  }
  if (p.customer_update !== undefined && p.customer === undefined) {
    throw invalidRequest("`customer_update` can only be used with `customer`.", { param: "customer_update" });
  }
  if ((p.discounts ?? []).length > 1) {
    throw invalidRequest("You can only apply one discount to a Checkout Session.", { param: "discounts" });
  }
  checkAddresses(p);
  checkExpiry(tx, p.expires_at);
  return mode;
}

function onlyOne(p: SessionParameters, one: keyof SessionParameters, other: keyof SessionParameters): void {
  if (p[one] !== undefined && p[other] !== undefined) {
    throw invalidRequest(`You may only specify one of these parameters: ${one}, ${other}.`, { param: other });
  }
}

function checkAddresses(p: SessionParameters): void {
  const hosted = p.ui_mode === undefined || p.ui_mode === "hosted_page";
  if (hosted && p.success_url === undefined) throw parameterMissing("success_url");
  if (hosted && p.return_url !== undefined) {
    throw invalidRequest("`return_url` can not be used when `ui_mode` is `hosted_page`.", { param: "return_url" });
  }
  if (!hosted) {
    for (const name of ["success_url", "cancel_url"] as const) {
      if (p[name] === undefined) continue;
      throw invalidRequest(`\`${name}\` can not be used when \`ui_mode\` is \`${p.ui_mode ?? ""}\`.`, { param: name });
    }
    if (p.return_url === undefined && p.redirect_on_completion !== "never") throw parameterMissing("return_url");
  }
  for (const name of ["success_url", "cancel_url", "return_url"] as const) {
    const url = p[name];
    if (url !== undefined) checkUrl(name, url);
  }
}

export function checkUrl(param: string, url: string): void {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) {
    throw invalidRequest("Invalid URL: An explicit scheme (such as https) must be provided.", {
      param,
      code: "url_invalid",
    });
  }
  if (!URL.canParse(url.replaceAll("{CHECKOUT_SESSION_ID}", "id")) || !/^https?:/i.test(url)) {
    throw invalidRequest("Not a valid URL", { param, code: "url_invalid" });
  }
}

function checkExpiry(tx: Transaction, expires: number | undefined): void {
  if (expires === undefined) return;
  // A minute of grace: the caller's clock reads its time before the call is on its way.
  if (expires < tx.now + HALF_HOUR - 60) {
    throw invalidRequest("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", {
      param: "expires_at",
    });
  }
  if (expires > tx.now + DAY + 60) {
    throw invalidRequest("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", {
      param: "expires_at",
    });
  }
}

export function checkPrices(
  mode: string,
  prices: readonly Stripe.Price[],
  given: SessionParameters["line_items"],
): void {
  for (const [at, price] of prices.entries()) {
    const param = `line_items[${at}][price]`;
    if (!price.active && given?.[at]?.price !== undefined) {
      throw invalidRequest("The price specified is inactive. This field only accepts active prices.", { param });
    }
    if (mode === "payment" && price.recurring !== null) {
      throw invalidRequest(
        "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.",
        { param },
      );
    }
  }
  if (mode === "subscription" && prices.every((price) => price.recurring === null)) {
    throw invalidRequest("You must provide at least one recurring price in `subscription` mode when using prices.", {
      param: "line_items",
    });
  }
}

/** A session may cost nothing, or what can be charged; nothing between. */
export function checkTotal(mode: string, total: number, currency: string): void {
  const least = LEAST_CHARGE[currency] ?? 0;
  if (mode !== "payment" || total === 0 || total >= least) return;
  const written = (least / (currency === "jpy" ? 1 : 100)).toFixed(currency === "jpy" ? 0 : 2);
  throw invalidRequest(`The Checkout Session's total amount due must add up to at least ${written} ${currency}`, {
    code: "amount_too_small",
    param: "line_items",
  });
}
