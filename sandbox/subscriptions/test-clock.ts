// Test clocks: time that stands until it is advanced, for customers made on it and all that they have.
import type Stripe from "stripe";
import { advance } from "../core/advance.ts";
import { blank } from "../core/blank.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { idOf, type Kind } from "../core/kinds.ts";
import { type ListParameters, listOf } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { cycleStart, DAY } from "./billing-cycle.ts";
import { recurrenceOf } from "./subscription-item.ts";
import { hasEnded } from "./subscription-save.ts";

type Clock = Stripe.TestHelpers.TestClock;

const KEPT_DAYS = 7;
/** How far a clock without subscriptions goes at once. */
const YEARS = { interval: "year", interval_count: 2 };

/** What goes with its customers when a clock is deleted. */
const OF_CUSTOMERS: readonly Kind[] = [
  "subscription_schedule",
  "subscription",
  "quote",
  "invoiceitem",
  "invoice",
  "credit_note",
  "customer",
];

function createClock(tx: Transaction, params: Stripe.TestHelpers.TestClockCreateParams): Clock {
  const clock = blank("test_helpers.test_clock", {
    id: tx.newId("test_helpers.test_clock"),
    created: tx.now,
    deletes_after: tx.now + KEPT_DAYS * DAY,
    frozen_time: params.frozen_time,
    livemode: false,
    name: params.name ?? null,
    status: "ready",
    status_details: {},
  }) as unknown as Clock;
  tx.put("test_helpers.test_clock", clock);
  tx.raise("test_helpers.test_clock.created", clock);
  return clock;
}

/** Answers with the clock on its way, as Stripe does. By then it has arrived already. */
function advanceClock(tx: Transaction, { frozen_time: to }: { frozen_time: number }, id: string): Clock {
  const clock = clockOf(tx, id);
  checkTarget(tx, clock, to);
  const advancing: Clock = { ...clock, status: "advancing", status_details: { advancing: { target_frozen_time: to } } };
  tx.put("test_helpers.test_clock", advancing);
  tx.raise("test_helpers.test_clock.advancing", advancing);
  advance(tx, id, to);
  const arrived: Clock = { ...clock, frozen_time: to, status: "ready", status_details: {} };
  tx.put("test_helpers.test_clock", arrived);
  tx.raise("test_helpers.test_clock.ready", arrived);
  return advancing;
}

function clockOf(tx: Transaction, id: string): Clock {
  const clock = tx.find("test_helpers.test_clock", id);
  if (clock === undefined) throw noSuch("testclock", id, "id");
  return clock;
}

/** Two intervals of its shortest subscription at most; without any, two years. */
function checkTarget(tx: Transaction, { id, frozen_time: from, status }: Clock, to: number): void {
  if (status !== "ready") throw invalidRequest("The test clock is still advancing. Please try again once it is ready.");
  if (to <= from) {
    const message = "The test clock must be advanced to a time after its current `frozen_time`.";
    throw invalidRequest(message, { param: "frozen_time" });
  }
  const live = tx.where("subscription", (each) => idOf(each.test_clock) === id && !hasEnded(each));
  const limits = live.flatMap(({ items }) => items.data.map(({ price }) => cycleStart(from, recurrenceOf(price), 2)));
  const limit = limits.length === 0 ? cycleStart(from, YEARS, 1) : Math.min(...limits);
  if (to <= limit) return;
  const span =
    limits.length === 0
      ? "two years from its current `frozen_time`"
      : "two intervals of the shortest subscription from its current `frozen_time`";
  throw invalidRequest(`A test clock cannot be advanced by more than ${span}.`, { param: "frozen_time" });
}

function deleteClock(tx: Transaction, id: string): object {
  const clock = clockOf(tx, id);
  const customers = new Set(tx.where("customer", ({ test_clock }) => idOf(test_clock) === id).map((each) => each.id));
  for (const kind of OF_CUSTOMERS) {
    for (const object of tx.all(kind)) {
      const customer = "customer" in object ? idOf(object.customer as string | { id: string } | null) : null;
      const owned = customers.has(object.id) || (customer !== null && customers.has(customer));
      if (owned) tx.remove(kind, object.id);
    }
  }
  tx.remove("test_helpers.test_clock", id);
  tx.raise("test_helpers.test_clock.deleted", clock);
  return { id, object: "test_helpers.test_clock", deleted: true };
}

export const testClockRoutes: Route[] = [
  route<Stripe.TestHelpers.TestClockCreateParams>()("POST /v1/test_helpers/test_clocks", createClock),
  route<ListParameters>()("GET /v1/test_helpers/test_clocks", (tx, params) =>
    listOf(tx.all("test_helpers.test_clock"), "/v1/test_helpers/test_clocks", params),
  ),
  route<object>()("GET /v1/test_helpers/test_clocks/*", (tx, _, id) => clockOf(tx, id)),
  route<object>()("DELETE /v1/test_helpers/test_clocks/*", (tx, _, id) => deleteClock(tx, id)),
  route<{ frozen_time: number }>()("POST /v1/test_helpers/test_clocks/*/advance", advanceClock),
];
