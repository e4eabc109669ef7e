// Billing meters: what is counted, the events that count it, and how much a customer used in a period.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { type ListParameters, listOf, type StripeList } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { DAY, HOUR, type Period } from "./billing-cycle.ts";

type Meter = Stripe.Billing.Meter;

/** How far back, and how far ahead of the clock, an event may lie. Stripe: 35 days and five minutes. */
const OLDEST_EVENT = 35 * DAY;
const EARLIEST_EVENT = 5 * 60;

interface MeterRecord {
  event_name: string;
  identifier: string;
  customer: string;
  value: number;
  timestamp: number;
}

function createMeter(tx: Transaction, params: Stripe.Billing.MeterCreateParams): Meter {
  const { event_name } = params;
  if (tx.all("billing.meter").some((meter) => meter.event_name === event_name && meter.status === "active")) {
    const message = `An active meter already exists with event name: ${event_name}.`;
    throw invalidRequest(message, { param: "event_name", code: "resource_already_exists" });
  }
  const meter = blank("billing.meter", {
    id: tx.newId("billing.meter"),
    created: tx.now,
    updated: tx.now,
    customer_mapping: params.customer_mapping ?? { event_payload_key: "stripe_customer_id", type: "by_id" },
    default_aggregation: params.default_aggregation,
    display_name: params.display_name,
    event_name,
    event_time_window: params.event_time_window ?? null,
    livemode: tx.scope.livemode,
    status: "active",
    status_transitions: { deactivated_at: null },
    value_settings: params.value_settings ?? { event_payload_key: "value" },
  }) as unknown as Meter;
  tx.put("billing.meter", meter);
  tx.raise("billing.meter.created", meter);
  return meter;
}

function setActive(tx: Transaction, id: string, active: boolean): Meter {
  const meter = tx.get("billing.meter", id);
  const status = active ? "active" : "inactive";
  if (meter.status === status) {
    throw invalidRequest(`You cannot ${active ? "reactivate" : "deactivate"} a meter that is already ${status}.`);
  }
  const status_transitions = { deactivated_at: active ? null : tx.now };
  const after = { ...meter, status, status_transitions, updated: tx.now } as Meter;
  return tx.change("billing.meter", after, active ? "billing.meter.reactivated" : "billing.meter.deactivated");
}

function createMeterEvent(tx: Transaction, params: Stripe.Billing.MeterEventCreateParams): object {
  const { event_name, payload } = params;
  const meter = tx.all("billing.meter").find((each) => each.event_name === event_name && each.status === "active");
  if (meter === undefined) {
    const message = `No active meter found for event name ${event_name}.`;
    throw invalidRequest(message, { param: "event_name", code: "resource_missing" });
  }
  const customer = payload[meter.customer_mapping.event_payload_key];
  if (customer === undefined) {
    const message = `Payload is missing the customer mapping key ${meter.customer_mapping.event_payload_key}.`;
    throw invalidRequest(message, { param: "payload" });
  }
  tx.get("customer", customer, "payload");
  const value = payload[meter.value_settings.event_payload_key] ?? (isCount(meter) ? "1" : undefined);
  if (value === undefined || !Number.isFinite(Number(value))) {
    const message = `Payload needs a number at the key ${meter.value_settings.event_payload_key}.`;
    throw invalidRequest(message, { param: "payload" });
  }
  const now = tx.atTimeOf(customer).now;
  const timestamp = params.timestamp ?? now;
  if (timestamp > now + EARLIEST_EVENT || timestamp < now - OLDEST_EVENT) {
    const message = "The timestamp must be within the past 35 calendar days and at most five minutes in the future.";
    throw invalidRequest(message, { param: "timestamp" });
  }
  const { identifier = tx.world.random.text(32) } = params;
  const known = recordsOf(tx, meter);
  if (known.some((record) => record.identifier === identifier && record.timestamp > now - DAY)) {
    throw invalidRequest(`An event already exists with identifier ${identifier}.`, {
      param: "identifier",
      code: "resource_already_exists",
    });
  }
  const records = [...known, { event_name, identifier, customer, value: Number(value), timestamp }];
  tx.put("_extra", { id: meter.id, object: "meter_events", created: meter.created, records });
  const livemode = tx.scope.livemode;
  return { object: "billing.meter_event", created: tx.now, event_name, identifier, livemode, payload, timestamp };
}

function isCount({ default_aggregation }: Meter): boolean {
  return default_aggregation.formula === "count";
}

function recordsOf(tx: Transaction, { id }: Meter): readonly MeterRecord[] {
  return (tx.find("_extra", id)?.records ?? []) as MeterRecord[];
}

/** What the customer used of the meter in the period. 0 without a meter. */
export function usageOf(tx: Transaction, meter: string | null, customer: string, { start, end }: Period): number {
  const found = meter === null ? undefined : tx.find("billing.meter", meter);
  if (found === undefined) return 0;
  const used = recordsOf(tx, found).filter((record) => {
    return record.customer === customer && record.timestamp >= start && record.timestamp < end;
  });
  return aggregated(used, found.default_aggregation.formula);
}

function aggregated(records: readonly MeterRecord[], formula: string): number {
  if (formula === "count") return records.length;
  if (formula === "last") return records.toSorted((a, b) => a.timestamp - b.timestamp).at(-1)?.value ?? 0;
  return records.reduce((sum, { value }) => sum + value, 0);
}

/** One summary for each hour or day that has use, or one for the whole time. */
function summaries(
  tx: Transaction,
  id: string,
  params: Stripe.Billing.MeterListEventSummariesParams,
): StripeList<{ id: string }> {
  tx.get("billing.meter", id);
  const { customer, start_time, end_time, value_grouping_window: window } = params;
  if (start_time >= end_time) throw invalidRequest("`end_time` must be after `start_time`.", { param: "end_time" });
  const length = window === "day" ? DAY : window === "hour" ? HOUR : end_time - start_time;
  const found = [];
  for (let start = start_time; start < end_time; start += length) {
    const end = start + length;
    const aggregated_value = usageOf(tx, id, customer, { start, end });
    if (window !== undefined && aggregated_value === 0) continue;
    found.push({
      id: `mtrusg_test_${id.slice(4)}_${start}`,
      object: "billing.meter_event_summary",
      aggregated_value,
      end_time: end,
      livemode: tx.scope.livemode,
      meter: id,
      start_time: start,
    });
  }
  return listOf(found, `/v1/billing/meters/${id}/event_summaries`, params);
}

export const meterRoutes: Route[] = [
  route<Stripe.Billing.MeterCreateParams>()("POST /v1/billing/meters", createMeter),
  route<Stripe.Billing.MeterListParams & ListParameters>()("GET /v1/billing/meters", (tx, params) => {
    const { status } = params;
    const meters = tx.where("billing.meter", (meter) => status === undefined || meter.status === status);
    return listOf(meters, "/v1/billing/meters", params);
  }),
  route<Stripe.Billing.MeterEventCreateParams>()("POST /v1/billing/meter_events", createMeterEvent),
  route<object>()("GET /v1/billing/meters/*", (tx, _, id) => tx.get("billing.meter", id)),
  route<Stripe.Billing.MeterUpdateParams>()("POST /v1/billing/meters/*", (tx, { display_name }, id) => {
    const meter = tx.get("billing.meter", id);
    const after = { ...meter, display_name: display_name ?? meter.display_name, updated: tx.now };
    return tx.change("billing.meter", after, "billing.meter.updated");
  }),
  route<object>()("POST /v1/billing/meters/*/deactivate", (tx, _, id) => setActive(tx, id, false)),
  route<object>()("POST /v1/billing/meters/*/reactivate", (tx, _, id) => setActive(tx, id, true)),
  route<Stripe.Billing.MeterListEventSummariesParams>()("GET /v1/billing/meters/*/event_summaries", (tx, params, id) =>
    summaries(tx, id, params),
  ),
];
