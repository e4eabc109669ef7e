// How long things are kept: its environment variables and the settings that they make. See docs/retention.md.
import { BadValue, type Variable, variable, wholeNumber } from "./base/settings.ts";

export interface RetentionConfig {
  /** 0: for ever. */
  stripeEventsRetentionDays: number;
  eventsRetentionDays: number;
  deliveriesRetentionDays: number;
}

/** Stripe's list of events reaches so far back: what is dropped earlier, a catch-up would bring again. */
const STRIPE_LISTS_DAYS = 30;

export const RETENTION_VARIABLES = {
  stripeEventsRetentionDays: variable(
    "STRIPE_EVENTS_RETENTION_DAYS",
    forEverOrDays,
    0,
    "How long Stripe's events are kept, in days, more than 30; then the last state of each object is kept of them. `0`: for ever.",
  ),
  eventsRetentionDays: variable(
    "EVENTS_RETENTION_DAYS",
    wholeNumber(1, 36_500),
    90,
    "How long the events that tenants are told are kept, to be read, resent and recovered.",
  ),
  deliveriesRetentionDays: variable(
    "DELIVERIES_RETENTION_DAYS",
    wholeNumber(1, 36_500),
    30,
    "How long deliveries that have ended are kept, with their attempts.",
  ),
};

function forEverOrDays(text: string): number {
  const days = wholeNumber(0, 36_500)(text);
  if (days > 0 && days <= STRIPE_LISTS_DAYS)
    throw new BadValue(`${days} is too short: Stripe lists its events for 30 days. Set 0, for ever, or 31 and more.`);
  return days;
}

type Read = <Value, Default>(variable: Variable<Value, Default>) => Value | Default;

export function retentionConfig(read: Read): RetentionConfig {
  return {
    stripeEventsRetentionDays: read(RETENTION_VARIABLES.stripeEventsRetentionDays),
    eventsRetentionDays: read(RETENTION_VARIABLES.eventsRetentionDays),
    deliveriesRetentionDays: read(RETENTION_VARIABLES.deliveriesRetentionDays),
  };
}
