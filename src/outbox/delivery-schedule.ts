// When a delivery is tried again, and what an exchange with its receiver means for it. Pure.
import { randomFraction } from "../base/random.ts";
import type { Exchange } from "./guarded-post.ts";

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000];

/**
 * Milliseconds between one attempt and the next. Together 75 hours and 35 minutes: what is tried for three days is tried
 * ten times. (As times since the first attempt they would end after one.)
 */
export const WAITS: readonly number[] = [
  ...[5 * SECOND, 5 * MINUTE, 30 * MINUTE],
  ...[2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR],
];
export const DELIVERY_ATTEMPTS = WAITS.length + 1;
/** Of a wait, more or less: what failed together does not come back together. */
const JITTER = 0.2;
/** A receiver may ask for more time than the schedule gives, up to this. */
const LONGEST_ASKED = 24 * HOUR;

/** Milliseconds to wait after the `attempt`-th attempt of a round (1 = the first); undefined: it was the last. */
export function waitAfter(
  attempt: number,
  retryAfter: number | null,
  random: () => number = randomFraction,
): number | undefined {
  const plan = WAITS[attempt - 1];
  if (plan === undefined) return undefined;
  const wait = plan * (1 + JITTER * (2 * random() - 1));
  const asked = Math.min(Math.max(0, retryAfter ?? 0) * SECOND, LONGEST_ASKED);
  return Math.round(Math.max(wait, asked));
}

export type AttemptOutcome =
  "delivered" | "http_3xx" | "http_4xx" | "http_5xx" | "http_other" | Extract<Exchange, { outcome: "failed" }>["code"];

export interface Verdict {
  /** pending: it is tried again, after `wait` milliseconds. */
  status: "delivered" | "failed" | "pending";
  wait: number;
  /** For metrics and the log: few, and fixed. */
  outcome: AttemptOutcome;
  /** The receiver says that it is there no more, for any event. */
  isGone: boolean;
  /** For people; null after a success. */
  error: string | null;
}

const GONE = 410;

export function saysGone(exchange: Exchange): boolean {
  return exchange.outcome === "answered" && exchange.statusCode === GONE;
}

/**
 * A redirect is a failure: it would lead to an address that nobody has checked. `hasMoved`: its endpoint has another url by
 * now, and that the old one is gone says nothing of the next attempt.
 */
export function verdictOn(exchange: Exchange, attempt: number, hasMoved: boolean, random?: () => number): Verdict {
  const outcome = outcomeOf(exchange);
  if (outcome === "delivered") return { status: "delivered", wait: 0, outcome, isGone: false, error: null };
  const error = errorOf(exchange);
  const isGone = saysGone(exchange) && !hasMoved;
  const wait = isGone
    ? undefined
    : waitAfter(attempt, exchange.outcome === "answered" ? exchange.retryAfter : null, random);
  return { status: wait === undefined ? "failed" : "pending", wait: wait ?? 0, outcome, isGone, error };
}

function outcomeOf(exchange: Exchange): AttemptOutcome {
  if (exchange.outcome === "failed") return exchange.code;
  const kind = Math.floor(exchange.statusCode / 100);
  if (kind === 2) return "delivered";
  return kind === 3 ? "http_3xx" : kind === 4 ? "http_4xx" : kind === 5 ? "http_5xx" : "http_other";
}

function errorOf(exchange: Exchange): string {
  if (exchange.outcome === "failed") return exchange.message;
  const { statusCode } = exchange;
  if (statusCode === GONE) return "The receiver answered 410: it is gone.";
  if (statusCode >= 300 && statusCode < 400)
    return `The receiver answered ${String(statusCode)}: redirects are not followed.`;
  return `The receiver answered ${String(statusCode)}.`;
}
