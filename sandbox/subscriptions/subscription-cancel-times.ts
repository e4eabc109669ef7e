// When a subscription that is to be cancelled later ends. Pure.
import type Stripe from "stripe";
import { invalidRequest } from "../core/errors.ts";

interface Input {
  cancel_at?: Stripe.Emptyable<number | string>;
  cancel_at_period_end?: boolean;
}

type Times = Pick<Stripe.Subscription, "cancel_at" | "cancel_at_period_end" | "canceled_at">;

/** `canceled_at` is the moment of the request. */
export function cancelTimes(now: number, subscription: Stripe.Subscription, input: Input): Times | object {
  const { cancel_at: at, cancel_at_period_end: atPeriodEnd } = input;
  if (at !== undefined && at !== "" && at !== null && atPeriodEnd === true) {
    const message = "You may only specify one of these parameters: cancel_at, cancel_at_period_end.";
    throw invalidRequest(message, { param: "cancel_at" });
  }
  const canceled_at = subscription.canceled_at ?? now;
  if (at !== undefined && at !== "" && at !== null) {
    const moment = momentOf(subscription, at);
    if (moment <= now) throw invalidRequest("`cancel_at` must be in the future.", { param: "cancel_at" });
    return { cancel_at: moment, cancel_at_period_end: false, canceled_at };
  }
  if (atPeriodEnd === true) {
    return { cancel_at: edge(subscription, Math.max), cancel_at_period_end: true, canceled_at };
  }
  const revoked = at === "" || at === null || (atPeriodEnd === false && subscription.cancel_at_period_end);
  return revoked ? { cancel_at: null, cancel_at_period_end: false, canceled_at: null } : {};
}

function momentOf(subscription: Stripe.Subscription, at: number | string): number {
  if (at === "min_period_end") return edge(subscription, Math.min);
  if (at === "max_period_end" || at === "max_billed_until") return edge(subscription, Math.max);
  return Number(at);
}

function edge({ items }: Stripe.Subscription, pick: (...ends: number[]) => number): number {
  return pick(...items.data.map(({ current_period_end }) => current_period_end));
}
