// Billhook's own readers as the judge of older shapes: every event of a tour gives the same rows and facts in each version.
import { inspect, isDeepStrictEqual } from "node:util";

import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { scopeOf } from "../sandbox/core/kinds.ts";
import { renderEvent } from "../sandbox/versions/render-event.ts";
import type { Observation, StripeObject } from "../src/projections/observation.ts";
import { objectTypeOf, projectionOf, PROJECTIONS } from "../src/projections/registry.ts";
import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";
import { tour } from "./support/sandbox-tour.ts";

const VERSIONS = [
  "2026-06-24.dahlia",
  "2026-02-25.clover",
  "2025-08-27.basil",
  "2025-02-24.acacia",
  "2024-06-20",
  "2023-10-16",
  "2022-08-01",
  "2020-08-27",
  "2020-03-02",
];

/** Columns that the newest shape leaves empty where an older one says more. */
const LEFT_OUT_NOW: Readonly<Record<string, readonly string[]>> = {
  charges: ["invoice_id"],
  invoices: [
    "application_fee_amount",
    "charge_id",
    "coupon_id",
    "paid_out_of_band",
    "payment_intent_id",
    "transfer_destination",
  ],
  payment_intents: ["invoice_id"],
  subscriptions: ["coupon_id"],
};

describe("an event in an older version", () => {
  let sandbox: OpenSandbox;
  const events: { scope: string; event: Stripe.Event }[] = [];

  beforeAll(async () => {
    sandbox = await openSandbox();
    await tour(sandbox.stripe);
    for (const scope of sandbox.world.scopes()) {
      sandbox.world.run((tx) => events.push(...tx.all("event").map((event) => ({ scope, event }))), scopeOf(scope));
    }
  }, 60_000);
  afterAll(() => sandbox.close());

  const older = ({ scope, event }: (typeof events)[number], version: string): Stripe.Event =>
    sandbox.world.run((tx) => renderEvent(tx, event, version), scopeOf(scope));

  it("is there for every kind of object that Billhook has a table for", () => {
    const tables = new Set(events.map(({ event }) => projectionOf(observed(event).objectType).table));
    const missing = PROJECTIONS.map(({ table }) => table).filter((table) => !tables.has(table));
    expect(missing).toEqual([]);
  });

  it.each(VERSIONS)("of %s gives the row, the items and the facts that the newest one gives", (version) => {
    const differences = new Set(events.flatMap((each) => differencesOf(each.event, older(each, version))));
    expect([...differences]).toEqual([]);
  });

  it("says what the newest shape leaves out: each paid invoice's payment intent, charge and coupon", () => {
    const paid = events.filter(({ event }) => event.type === "invoice.paid");
    const rows = paid.map((each) => rowOf(older(each, "2020-08-27")));
    const payments = sandbox.objects("invoice_payment");
    for (const [at, row] of rows.entries()) {
      const invoice = paid[at]?.event.data.object as Stripe.Invoice;
      const payment = payments.find((each) => each.invoice === invoice.id && each.status === "paid");
      expect(row.payment_intent_id, invoice.id).toEqual(payment?.payment.payment_intent ?? row.payment_intent_id);
      expect(row.charge_id === null, invoice.id).toBe(payment === undefined);
      expect(row.coupon_id === null, invoice.id).toBe(invoice.discounts.length === 0);
    }
    expect(rows.some(({ charge_id }) => charge_id !== null)).toBe(true);
    expect(rows.some(({ coupon_id }) => coupon_id !== null)).toBe(true);
  });
});

function observed(event: Stripe.Event): Observation {
  const object = event.data.object as unknown as StripeObject;
  const previous = event.data.previous_attributes as StripeObject | undefined;
  return {
    id: event.id,
    source: "webhook",
    type: event.type,
    created: event.created,
    apiVersion: event.api_version,
    livemode: event.livemode,
    account: "",
    objectType: objectTypeOf(event.type, object),
    objectId: typeof object.id === "string" ? object.id : null,
    object,
    ...(previous === undefined ? {} : { previous }),
  };
}

function rowOf(event: Stripe.Event): Record<string, unknown> {
  const seen = observed(event);
  return projectionOf(seen.objectType).row(seen.object, seen);
}

function differencesOf(newest: Stripe.Event, older: Stripe.Event): string[] {
  const [now, then] = [observed(newest), observed(older)];
  const { table, children = [], facts, rank, terminal } = projectionOf(now.objectType);
  const left = LEFT_OUT_NOW[table] ?? [];
  const [row, oldRow] = [rowOf(newest), rowOf(older)];
  const columns = Object.keys(row).filter((name) => !(row[name] === null && left.includes(name)));
  const both: [string, unknown, unknown][] = columns.map((name) => [name, row[name], oldRow[name]]);
  for (const child of children) both.push([child.table, child.rows(now.object), child.rows(then.object)]);
  both.push(["facts", facts?.(now.object, now), facts?.(then.object, then)]);
  both.push(["rank", rank?.(now.object), rank?.(then.object)]);
  both.push(["terminal", terminal?.(now.object), terminal?.(then.object)]);
  // Strictly: a column that could not be read (undefined) is not one that is empty (null).
  return both
    .filter(([, one, other]) => !isDeepStrictEqual(one, other))
    .map(([name, one, other]) => `${newest.type} ${table}.${name}: ${inspect(one)} / ${inspect(other)}`.slice(0, 300));
}
