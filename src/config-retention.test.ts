import { describe, expect, it } from "vitest";

import { ConfigError } from "./base/config-error.ts";
import { type Environment, readConfig } from "./config.ts";

function wrong(env: Environment): string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ variable }) => variable);
    throw error;
  }
  return [];
}

describe("the settings of retention", () => {
  it("keep Stripe's events for ever by default, and what tenants are told for months", () => {
    const { stripeEventsRetentionDays, eventsRetentionDays, deliveriesRetentionDays } = readConfig({});
    expect([stripeEventsRetentionDays, eventsRetentionDays, deliveriesRetentionDays]).toEqual([0, 90, 30]);
  });

  it("take days, and refuse for Stripe's events so few that a catch-up would bring them again", () => {
    expect(readConfig({ STRIPE_EVENTS_RETENTION_DAYS: "31" }).stripeEventsRetentionDays).toBe(31);
    for (const days of ["30", "1", "-1", "many"])
      expect(wrong({ STRIPE_EVENTS_RETENTION_DAYS: days })).toEqual(["STRIPE_EVENTS_RETENTION_DAYS"]);
    expect(wrong({ EVENTS_RETENTION_DAYS: "0" })).toEqual(["EVENTS_RETENTION_DAYS"]);
  });
});
