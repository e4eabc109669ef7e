// The routes of subscriptions, schedules, quotes, test clocks and meters; and what they hear and do by themselves.
import type Stripe from "stripe";
import { search, type SearchParameters } from "../catalogue/search.ts";
import { hooks } from "../core/hooks.ts";
import { idOf } from "../core/kinds.ts";
import { type ListParameters, listOf } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { meterRoutes } from "./meter.ts";
import { quoteRoutes, quotesDue } from "./quote.ts";
import { cancelSchedule, createSchedule, releaseSchedule, updateSchedule } from "./schedule.ts";
import { hearSubscription, schedulesDue } from "./schedule-run.ts";
import {
  cancelSubscription,
  createSubscription,
  pauseSubscription,
  resumeSubscription,
  updateSubscription,
} from "./subscription.ts";
import { subscriptionsDue } from "./subscription-due.ts";
import { subscriptionItemRoutes } from "./subscription-item-routes.ts";
import { hearInvoice, hearPaymentIntent } from "./subscription-payments.ts";
import { hasEnded } from "./subscription-save.ts";
import { deleteDiscount, migrateSubscription } from "./subscription-update.ts";
import { testClockRoutes } from "./test-clock.ts";

let opened = false;

/** Registers what is heard and what falls due. Once for the process, however often it is called. */
export function openSubscriptions(): void {
  if (opened) return;
  opened = true;
  hooks.invoiceMoved.push(hearInvoice);
  hooks.paymentIntentMoved.push(hearPaymentIntent);
  hooks.subscriptionMoved.push(hearSubscription);
  // Phases first: a cycle that begins with a phase is billed as the phase says.
  hooks.due.push(schedulesDue, subscriptionsDue, quotesDue);
}

type ListFilters = Stripe.SubscriptionListParams & ListParameters;

function listSubscriptions(tx: Transaction, params: ListFilters): object {
  return listOf(
    tx.where("subscription", (subscription) => passes(subscription, params)),
    "/v1/subscriptions",
    params,
  );
}

function passes(subscription: Stripe.Subscription, params: ListFilters): boolean {
  const { customer, price, plan, collection_method, test_clock, automatic_tax } = params;
  const items = subscription.items.data;
  const wanted = price ?? plan;
  return (
    hasStatus(subscription, params.status) &&
    (customer === undefined || idOf(subscription.customer) === customer) &&
    (wanted === undefined || items.some((item) => item.price.id === wanted)) &&
    (collection_method === undefined || subscription.collection_method === collection_method) &&
    (test_clock === undefined || idOf(subscription.test_clock) === test_clock) &&
    (automatic_tax === undefined || subscription.automatic_tax.enabled === automatic_tax.enabled) &&
    items.some((item) => inRange(item.current_period_start, params.current_period_start)) &&
    items.some((item) => inRange(item.current_period_end, params.current_period_end))
  );
}

/** Without a status: all but the cancelled. */
function hasStatus(subscription: Stripe.Subscription, status: string | undefined): boolean {
  if (status === "all") return true;
  if (status === "ended") return hasEnded(subscription);
  return status === undefined ? subscription.status !== "canceled" : subscription.status === status;
}

function inRange(value: number | null, range: Stripe.RangeQueryParam | number | undefined): boolean {
  if (range === undefined) return true;
  if (value === null) return false;
  if (typeof range === "number") return value === range;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  return value > gt && value >= gte && value < lt && value <= lte;
}

function searchSubscriptions(tx: Transaction, params: SearchParameters): object {
  return search(tx.all("subscription"), params, {
    resource: "subscriptions",
    url: "/v1/subscriptions/search",
    fields: {
      canceled_at: { as: "number", read: ({ canceled_at }) => canceled_at },
      created: { as: "number", read: ({ created }) => created },
      status: { as: "token", read: ({ status }) => status },
    },
  });
}

const subscriptions: Route[] = [
  route<Stripe.SubscriptionCreateParams>()("POST /v1/subscriptions", (tx, params) => createSubscription(tx, params)),
  route<ListFilters>()("GET /v1/subscriptions", listSubscriptions),
  route<SearchParameters>()("GET /v1/subscriptions/search", searchSubscriptions),
  route<object>()("GET /v1/subscriptions/*", (tx, _, id) => tx.get("subscription", id)),
  route<Stripe.SubscriptionUpdateParams>()("POST /v1/subscriptions/*", (tx, params, id) =>
    updateSubscription(tx, id, params),
  ),
  route<Stripe.SubscriptionCancelParams>()("DELETE /v1/subscriptions/*", (tx, params, id) =>
    cancelSubscription(tx, id, params),
  ),
  route<Stripe.SubscriptionPauseParams>()("POST /v1/subscriptions/*/pause", (tx, params, id) =>
    pauseSubscription(tx, id, params),
  ),
  route<Stripe.SubscriptionResumeParams>()("POST /v1/subscriptions/*/resume", (tx, params, id) =>
    resumeSubscription(tx, id, params),
  ),
  route<Stripe.SubscriptionMigrateParams>()("POST /v1/subscriptions/*/migrate", (tx, params, id) =>
    migrateSubscription(tx, id, params),
  ),
  route<object>()("DELETE /v1/subscriptions/*/discount", (tx, _, id) => deleteDiscount(tx, id)),
];

function listSchedules(tx: Transaction, params: Stripe.SubscriptionScheduleListParams & ListParameters): object {
  const { customer, scheduled, canceled_at, completed_at, released_at } = params;
  const schedules = tx.where("subscription_schedule", (schedule) => {
    const of = customer === undefined || idOf(schedule.customer) === customer;
    const waits = scheduled === undefined || (schedule.status === "not_started") === scheduled;
    const over =
      inRange(schedule.canceled_at, canceled_at) &&
      inRange(schedule.completed_at, completed_at) &&
      inRange(schedule.released_at, released_at);
    return of && waits && over;
  });
  return listOf(schedules, "/v1/subscription_schedules", params);
}

const schedules: Route[] = [
  route<Parameters<typeof createSchedule>[1]>()("POST /v1/subscription_schedules", createSchedule),
  route<Stripe.SubscriptionScheduleListParams & ListParameters>()("GET /v1/subscription_schedules", listSchedules),
  route<object>()("GET /v1/subscription_schedules/*", (tx, _, id) => tx.get("subscription_schedule", id)),
  route<Parameters<typeof updateSchedule>[2]>()("POST /v1/subscription_schedules/*", (tx, params, id) =>
    updateSchedule(tx, id, params),
  ),
  route<Stripe.SubscriptionScheduleCancelParams>()("POST /v1/subscription_schedules/*/cancel", (tx, params, id) =>
    cancelSchedule(tx, id, params),
  ),
  route<Stripe.SubscriptionScheduleReleaseParams>()("POST /v1/subscription_schedules/*/release", (tx, params, id) =>
    releaseSchedule(tx, id, params),
  ),
];

export const subscriptionRoutes: Route[] = [
  ...subscriptions,
  ...subscriptionItemRoutes,
  ...schedules,
  ...quoteRoutes,
  ...testClockRoutes,
  ...meterRoutes,
];
