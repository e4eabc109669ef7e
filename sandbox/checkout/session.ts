// Checkout sessions: how one is made, changed and found. Their way to the end is in confirm.ts and complete.ts.
import type Stripe from "stripe";
import { newDiscount, redeemable } from "../catalogue/promotion-code.ts";
import { createShippingRate } from "../catalogue/shipping-rate.ts";
import { blank } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { createSetupIntent } from "../payments/setup-intent.ts";
import {
  draftOf,
  keepDraft,
  linkIntent,
  type SessionDraft,
  type SessionLine,
  type SessionParameters,
} from "./session-draft.ts";
import { hasTrial, newLine, priceOfLine, pricedLines, totalsOf } from "./session-lines.ts";
import { checkParameters, checkPrices, checkTotal } from "./session-rules.ts";
import { settingsOf } from "./session-settings.ts";
import { anchorOf, checkStart } from "./session-start.ts";

type Session = Stripe.Checkout.Session;

const DAY = 24 * 60 * 60;

/** What else a session may come from. */
export interface SessionSource {
  payment_link?: string;
  recovered_from?: string;
}

export function createSession(tx: Transaction, p: SessionParameters, source: SessionSource = {}): Session {
  const mode = checkParameters(tx, p);
  const customer = p.customer === undefined ? undefined : tx.get("customer", p.customer, "customer");
  const prices = (p.line_items ?? []).map((line, at) => priceOfLine(tx, line, at));
  checkPrices(mode, prices, p.line_items);
  checkStart(tx.atTimeOf(customer), p, prices);
  const currency = p.currency?.toLowerCase() ?? prices[0]?.currency ?? null;
  const lines = prices.map((price, at) => newLine(tx, p.line_items?.[at] ?? {}, price, at));
  const id = sessionId(tx);
  const hosted = p.ui_mode === undefined || p.ui_mode === "hosted_page";
  const discounts = discountsOf(tx, p, customer?.id ?? null);
  const session = blank("checkout.session", {
    ...settingsOf(tx, p, mode, customer),
    id,
    amount_subtotal: mode === "setup" ? null : 0,
    amount_total: mode === "setup" ? null : 0,
    client_secret: hosted ? null : `${id}_secret_${tx.world.random.text(40)}`,
    created: tx.now,
    currency,
    discounts,
    expires_at: p.expires_at ?? tx.now + DAY,
    livemode: tx.scope.livemode,
    metadata: mergeMetadata(undefined, p.metadata),
    mode,
    payment_link: source.payment_link ?? null,
    payment_method_types: methodTypes(p, currency),
    payment_status: mode === "setup" ? "no_payment_required" : "unpaid",
    recovered_from: source.recovered_from ?? null,
    shipping_options: shippingOptions(tx, p.shipping_options),
    status: "open",
    total_details: mode === "setup" ? null : { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    url: hosted ? `${tx.world.origin}/c/pay/${id}` : null,
  }) as unknown as Session;
  const draft: SessionDraft = {
    id,
    object: "_extra",
    created: tx.now,
    given: p,
    lines,
    trial: mode === "subscription" && hasTrial(tx, p, prices),
    discount: discounts.length > 0 ? tx.newId("discount") : null,
    customer: null,
    payment_intent: null,
    setup_intent: null,
    payment_method: null,
    buyer: null,
    waiting: false,
    priced_at: tx.now,
  };
  const priced = repriced(tx, session, draft);
  checkTotal(mode, priced.amount_total ?? 0, currency ?? "");
  return mode === "setup" ? withSetupIntent(tx, priced) : priced;
}

/** As Stripe writes them; a session of live mode says so. */
function sessionId(tx: Transaction): string {
  return `cs_${tx.scope.livemode ? "live" : "test"}_a1${tx.world.random.text(56)}`;
}

function methodTypes(p: SessionParameters, currency: string | null): string[] {
  const asked = p.allowed_payment_method_types ?? p.payment_method_types;
  const offered = asked ?? (currency === "eur" ? ["card", "sepa_debit"] : ["card"]);
  const left = offered.filter((type) => !(p.excluded_payment_method_types ?? []).includes(type));
  if (left.length === 0) {
    throw invalidRequest("No valid payment method types for this Checkout Session.", {
      param: "allowed_payment_method_types",
    });
  }
  return left;
}

function discountsOf(
  tx: Transaction,
  p: SessionParameters,
  customer: string | null,
): Stripe.Checkout.Session.Discount[] {
  return (p.discounts ?? []).map((given) => {
    redeemable(tx, given, customer);
    return { coupon: given.coupon ?? null, promotion_code: given.promotion_code ?? null };
  });
}

/** The session with the setup intent that it saves a payment method with. */
function withSetupIntent(tx: Transaction, session: Session): Session {
  const draft = draftOf(tx, session.id);
  const { description, metadata, on_behalf_of } = draft.given.setup_intent_data ?? {};
  const intent = createSetupIntent(tx, {
    allowed_payment_method_types: session.payment_method_types,
    usage: "off_session",
    ...(draft.given.customer === undefined ? {} : { customer: draft.given.customer }),
    ...(description === undefined ? {} : { description }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(on_behalf_of === undefined ? {} : { on_behalf_of }),
  });
  linkIntent(tx, intent.id, session.id);
  keepDraft(tx, { ...draft, setup_intent: intent.id });
  return tx.put("checkout.session", { ...session, setup_intent: intent.id });
}

type ShippingOptions =
  Stripe.Checkout.SessionCreateParams.ShippingOption[] | Stripe.Checkout.SessionUpdateParams.ShippingOption[];

function shippingOptions(
  tx: Transaction,
  given: ShippingOptions | undefined,
): Stripe.Checkout.Session.ShippingOption[] {
  return (given ?? []).map((option, at) => {
    const rate =
      option.shipping_rate_data === undefined
        ? tx.get("shipping_rate", option.shipping_rate ?? "", `shipping_options[${at}][shipping_rate]`)
        : createShippingRate(tx, option.shipping_rate_data);
    return { shipping_amount: rate.fixed_amount?.amount ?? 0, shipping_rate: rate.id };
  });
}

/** Keeps the session and its draft with amounts worked out anew. The first shipping option is chosen unless one is. */
export function repriced(tx: Transaction, session: Session, draft: SessionDraft, shippingRate?: string): Session {
  const { currency } = session;
  if (currency === null || session.mode === "setup") {
    keepDraft(tx, draft);
    return tx.put("checkout.session", session);
  }
  const [given] = session.discounts ?? [];
  const coupon = given === undefined ? null : couponOf(tx, given);
  const customer = idOf(session.customer);
  const clock = tx.atTimeOf(customer);
  const lines = pricedLines(clock, draft.lines, {
    currency,
    trial: draft.trial,
    anchor: anchorOf(clock, draft),
    coupon,
    defaultTaxRates: draft.given.subscription_data?.default_tax_rates ?? [],
    exempt: (customer === null ? undefined : tx.find("customer", customer)?.tax_exempt) ?? null,
  });
  keepDraft(tx, { ...draft, lines, priced_at: clock.now });
  const totals = totalsOf(lines);
  const wanted = shippingRate ?? idOf(session.shipping_cost?.shipping_rate);
  const shipping =
    session.shipping_options.find((option) => idOf(option.shipping_rate) === wanted) ?? session.shipping_options[0];
  const cost = shipping?.shipping_amount ?? 0;
  return tx.put("checkout.session", {
    ...session,
    amount_subtotal: totals.subtotal,
    amount_total: totals.total + cost,
    payment_status: totals.total + cost === 0 && session.mode === "payment" ? "no_payment_required" : "unpaid",
    shipping_cost:
      shipping === undefined
        ? null
        : { amount_subtotal: cost, amount_tax: 0, amount_total: cost, shipping_rate: shipping.shipping_rate },
    total_details: { amount_discount: totals.discount, amount_shipping: cost, amount_tax: totals.tax },
  });
}

export function couponOf(
  tx: Transaction,
  { coupon, promotion_code }: Stripe.Checkout.Session.Discount,
): Stripe.Coupon | null {
  const code = idOf(promotion_code);
  const id = idOf(coupon) ?? (code === null ? null : idOf(tx.get("promotion_code", code).promotion.coupon));
  return id === null ? null : tx.get("coupon", id);
}

/** Ends the call when the session is not open. */
export function openSession(tx: Transaction, id: string, verb: string): Session {
  const session = tx.get("checkout.session", id);
  if (session.status === "open") return session;
  throw invalidRequest(
    `Only Checkout Sessions with a status in ["open"] can be ${verb}. This Checkout Session has a status of \`${session.status ?? ""}\`.`,
  );
}

export function updateSession(tx: Transaction, id: string, p: Stripe.Checkout.SessionUpdateParams): Session {
  const before = tx.get("checkout.session", id);
  const session = {
    ...before,
    metadata: p.metadata === undefined ? before.metadata : mergeMetadata(before.metadata, p.metadata),
  };
  const { collected_information, line_items, payment_intent_data, shipping_options } = p;
  if ([collected_information, line_items, payment_intent_data, shipping_options].every((each) => each === undefined)) {
    return tx.put("checkout.session", session);
  }
  openSession(tx, id, "updated");
  const draft = draftOf(tx, id);
  const shipping = collected_information?.shipping_details;
  const collected = {
    business_name: null,
    individual_name: null,
    ...session.collected_information,
    ...(shipping === undefined
      ? {}
      : { shipping_details: { name: shipping.name, address: fullAddress(shipping.address) } }),
  };
  const intentData = Object.fromEntries(Object.entries(payment_intent_data ?? {}).filter(([, value]) => value !== ""));
  return repriced(
    tx,
    {
      ...session,
      collected_information:
        shipping === undefined ? session.collected_information : { shipping_details: null, ...collected },
      shipping_options:
        shipping_options === undefined
          ? session.shipping_options
          : shippingOptions(tx, shipping_options === "" ? [] : (shipping_options ?? [])),
    },
    {
      ...draft,
      lines: line_items === undefined ? draft.lines : changedLines(tx, draft.lines, line_items),
      given: { ...draft.given, payment_intent_data: { ...draft.given.payment_intent_data, ...intentData } },
    },
  );
}

/** The whole new list: a line with an id stays as it is but for what is given, one that is not named goes. */
function changedLines(
  tx: Transaction,
  old: readonly SessionLine[],
  given: Stripe.Checkout.SessionUpdateParams.LineItem[],
): SessionLine[] {
  return given.map((line, at) => {
    const kept = old.find(({ id }) => id === line.id);
    if (line.id !== undefined && kept === undefined) {
      throw invalidRequest(`No such line item: '${line.id}'`, {
        param: `line_items[${at}][id]`,
        code: "resource_missing",
      });
    }
    if (kept === undefined) return newLine(tx, line, priceOfLine(tx, line, at), at);
    const changes = line.price !== undefined || line.price_data !== undefined;
    const quantity = line.quantity ?? kept.quantity ?? 1;
    const fresh = changes ? newLine(tx, { ...line, quantity }, priceOfLine(tx, line, at), at) : kept;
    return { ...fresh, id: kept.id, quantity, metadata: mergeMetadata(kept.metadata, line.metadata) };
  });
}

export function fullAddress(given: Partial<Record<keyof Stripe.Address, string | null | undefined>>): Stripe.Address {
  const { city, country, line1, line2, postal_code, state } = given;
  return {
    city: city ?? null,
    country: country ?? null,
    line1: line1 ?? null,
    line2: line2 ?? null,
    postal_code: postal_code ?? null,
    state: state ?? null,
  };
}

/** A promotion code typed by the buyer; '' takes it away. */
export function applyPromotionCode(tx: Transaction, id: string, code: string): Session {
  const session = openSession(tx, id, "updated");
  const draft = draftOf(tx, id);
  if (code === "") return repriced(tx, { ...session, discounts: [] }, { ...draft, discount: null });
  const found = tx.where("promotion_code", (each) => each.code.toLowerCase() === code.toLowerCase() && each.active)[0];
  if (found === undefined) throw invalidRequest("This code is invalid.", { param: "promotion_code" });
  redeemable(
    tx,
    { promotion_code: found.id, amount: session.amount_subtotal ?? 0, currency: session.currency ?? "usd" },
    idOf(session.customer),
  );
  const discounts = [{ coupon: null, promotion_code: found.id }];
  return repriced(tx, { ...session, discounts }, { ...draft, discount: tx.newId("discount") });
}

/** Uses the discount up, once the session is complete. Subscriptions use theirs up themselves. */
export function redeemDiscount(tx: Transaction, session: Session, customer: string | null): void {
  const [given] = session.discounts ?? [];
  if (given === undefined || session.mode !== "payment") return;
  const coupon = couponOf(tx, given);
  if (coupon === null) return;
  newDiscount(tx, { coupon, promotion_code: idOf(given.promotion_code), customer, checkout_session: session.id });
}
