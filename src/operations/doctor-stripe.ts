// Stripe as the doctor sees it: whether it answers and takes the key, its clock, and events that it could not deliver.
import { scrub } from "../base/log.ts";
import type { Config } from "../config.ts";
import type { Queryable } from "../db/database.ts";
import { unknownEventIds } from "../inbox/stripe-event-reads.ts";
import type { StripeTarget } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { check, type Examined } from "./doctor-check.ts";
import { atMost, type Found, when } from "./doctor-report.ts";
import { hasRealStripe } from "./doctor-settings.ts";
import { SETUP_EVENT_TYPES } from "./stripe-setup-events.ts";

const STRIPE_API = "https://api.stripe.com";

export interface Mode {
  livemode: boolean;
  mode: "live" | "test";
  /** In which its key stands. */
  variable: string;
}

/** The modes that have a key. */
export function modesOf({ stripeKeys }: Pick<Config, "stripeKeys">): Mode[] {
  const { live, test } = stripeKeys;
  const testVariable = live === undefined ? "STRIPE_SECRET_KEY" : "STRIPE_TEST_SECRET_KEY";
  return [
    ...(live === undefined ? [] : [{ livemode: true, mode: "live" as const, variable: "STRIPE_SECRET_KEY" }]),
    ...(test === undefined ? [] : [{ livemode: false, mode: "test" as const, variable: testVariable }]),
  ];
}

/** What one mode's calls gave; those that Stripe did not answer are findings. Throws what no call to Stripe threw. */
export async function inEachMode(
  { config }: Pick<Examined, "config">,
  look: (mode: Mode) => Promise<readonly Found[]>,
): Promise<Found[]> {
  const found = await Promise.all(
    modesOf(config).map((mode) =>
      look(mode).catch((error: unknown) => {
        if (error instanceof StripeCallError) return [unanswered(error, mode, config)];
        throw error;
      }),
    ),
  );
  return found.flat();
}

export const target = (livemode: boolean): StripeTarget => ({ livemode, account: "", patience: "request" });

function unanswered(error: StripeCallError, { mode, variable }: Mode, { stripeApiBase }: Config): Found {
  const reason = scrub(saidBy(error.cause ?? error).split("\n")[0] ?? "");
  if (error.code === "stripe_permission_denied")
    return { code: "stripe_key_refused", subject: variable, values: { variable, reason } };
  const url = stripeApiBase ?? STRIPE_API;
  return { code: "stripe_unreachable", subject: mode, values: { mode, url, reason } };
}

/** The SDK keeps the socket's own words in `detail`. */
function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  if (!("detail" in error && error.detail instanceof Error)) return error.message;
  const { detail } = error;
  return detail.message !== "" ? detail.message : "code" in detail ? String(detail.code) : error.message;
}

export interface ClockFacts {
  /** Milliseconds, of our clock: before the question and after the answer. */
  before: number;
  after: number;
  /** The second that Stripe's answer names. */
  date: number;
}

export const stripeCheck = check({
  code: "stripe",
  title: "Stripe's answer, the key and the clock",
  needs: "nothing",
  look: async (examined): Promise<Found[]> => {
    const { stripe, clock, config } = examined;
    if (modesOf(config).length === 0)
      return hasRealStripe(config) || config.sandbox !== undefined
        ? []
        : [{ code: "stripe_not_configured", subject: "STRIPE_SECRET_KEY" }];
    return inEachMode(examined, async ({ livemode }) => {
      const [before, began] = [clock.now(), clock.monotonic()];
      const { asOf } = await stripe.call(target(livemode), (client, options) =>
        client.webhookEndpoints.list({ limit: 1 }, options),
      );
      const roundTrip = clock.monotonic() - began;
      // What asOfSecond() took off.
      return judgeClock({ before, after: clock.now(), date: asOf + 1 + Math.ceil(roundTrip / 1000) });
    });
  },
  judge: (found) => found,
});

/** The answer's second is cut off, and the round trip is known to the second: less than this is none of the clock's. */
const EXACT_TO = 2;
const SKEWED = 10;
const WRONG = 120;

export function judgeClock({ before, after, date }: ClockFacts): Found[] {
  const ahead = before / 1000 - (date + EXACT_TO);
  const behind = date - EXACT_TO - after / 1000;
  const skew = Math.max(ahead, behind, 0);
  if (skew < SKEWED) return [];
  const values = { seconds: Math.round(skew + EXACT_TO), direction: ahead > 0 ? "ahead of" : "behind" };
  return [{ code: skew < WRONG ? "clock_skewed" : "clock_wrong", subject: "clock", values }];
}

const DAYS_SENT = 3;
/** Stripe's first attempt may take as long. */
const ON_ITS_WAY = 300;

/** Stripe tells which events some endpoint did not take; those that are here came all the same, or were for another one. */
export const undeliveredCheck = check({
  code: "undelivered",
  title: "Events that Stripe could not deliver",
  needs: "both",
  look: (examined) =>
    inEachMode(examined, async ({ livemode, mode }) => {
      const { stripe, clock, ask } = examined;
      const now = Math.floor(clock.now() / 1000);
      const created = { gte: now - DAYS_SENT * 86_400, lt: now - ON_ITS_WAY };
      const { value } = await stripe.call(target(livemode), (client, options) =>
        client.events.list({ delivery_success: false, limit: 100, created }, options),
      );
      const read = value.data.filter(({ type }) => SETUP_EVENT_TYPES.includes(type));
      const unknown = new Set(
        await unknownEventIds(
          ask,
          read.map(({ id }) => id),
        ),
      );
      const oldest = read.filter(({ id }) => unknown.has(id)).at(-1);
      if (oldest === undefined) return [];
      const at = when(new Date(oldest.created * 1000));
      const values = { count: unknown.size, mode, id: oldest.id, at, since: at };
      return [{ code: "events_not_delivered", subject: mode, values, details: { events: [...unknown] } }];
    }),
  judge: (found) => found,
});

interface CatchUpRow {
  livemode: boolean;
  account: string;
  reason: string | null;
  since: Date | null;
  until: Date | null;
}

export const catchUpCheck = check({
  code: "catch_up",
  title: "Catch-up",
  needs: "database",
  look: async ({ ask }) => (await ask.query<CatchUpRow>(CATCH_UPS)).rows,
  judge: (rows): Found[] => {
    const of = ({ account, livemode }: CatchUpRow) => ({
      account: account === "" ? "platform" : account,
      mode: livemode ? "live" : "test",
    });
    const subject = (row: CatchUpRow): string => `${of(row).account} ${of(row).mode}`;
    const failing = rows.flatMap((row): Found[] =>
      row.reason === null
        ? []
        : [{ code: "catch_up_failing", subject: subject(row), values: { ...of(row), reason: row.reason } }],
    );
    const missed = rows.flatMap((row): Found[] => {
      if (row.since === null || row.until === null) return [];
      const values = { ...of(row), since: when(row.since), until: when(row.until) };
      return [{ code: "events_missed", subject: subject(row), values }];
    });
    return [...atMost(missed), ...atMost(failing)];
  },
});

const CATCH_UPS = `
  select livemode, stripe_account as account, last_error as reason, to_timestamp(missed_since) as since,
         to_timestamp(missed_until) as until
  from catch_ups where last_error is not null or missed_since is not null
  order by stripe_account, livemode limit 200`;

/** Whether a tenant has an account connected in that mode. */
export async function hasConnections(ask: Queryable, livemode: boolean): Promise<boolean> {
  const { rows } = await ask.query<{ some: boolean }>({
    text: "select exists (select from connections where livemode = $1 and disconnected_at is null) as some",
    values: [livemode],
  });
  return rows[0]?.some === true;
}
