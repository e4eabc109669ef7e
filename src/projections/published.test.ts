// What tenants are told of Stripe's objects: the same from old and new shapes, and always as the schema says.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BEGIN, event, observed } from "../../test/support/stripe-fixtures.ts";
import { newCharge, newPaymentIntent } from "../../test/support/stripe-fixtures-payments.ts";
import { newInvoice, newSubscription, PAID } from "../../test/support/stripe-fixtures-billing.ts";
import { everyHandledEvent } from "../../test/support/stripe-fixtures-events.ts";
import { bodyOf, LIVES } from "../../test/support/lives.ts";
import { EVENT_OBJECTS, type EventObjectName } from "../outbox/event-objects.ts";
import { EVENT_TYPES, eventType } from "../outbox/event-types.ts";
import { fold, type StoredHead } from "./fold.ts";
import type { Observation, StripeObject } from "./observation.ts";
import { factsOf, type PublishedObject, publishedObject, updateOf } from "./published.ts";
import { PROJECTIONS, projectionOf } from "./registry.ts";

const seen = (type: string, object: StripeObject, options = {}): Observation => observed(event(type, object, options));

function told(observation: Observation, since = 0) {
  return factsOf(observation, projectionOf(observation.objectType), since).flatMap(({ type, object }) =>
    object === null ? [] : [{ type, object }],
  );
}

function expectFits(object: PublishedObject): void {
  const name = String(object.object) as EventObjectName;
  expect(EVENT_OBJECTS[name].parse(object)).toEqual(object);
}

/** Ids that new shapes no longer say, and that stay known in our rows. */
function sameWhereSaid(before: PublishedObject, now: PublishedObject): void {
  for (const [name, value] of Object.entries(now)) {
    const unsaid = value === null && /_id$|^coupon|^paid_out_of_band$/.test(name);
    if (!unsaid) expect([name, value]).toEqual([name, before[name]]);
  }
}

describe("what is told of an observation", () => {
  it("is the same from old and new shapes, and as its schema says, whatever happened before", () => {
    const steps = Object.values(LIVES)
      .flat()
      .filter(({ type }) => type !== "fetch");
    fc.assert(
      fc.property(fc.constantFrom(...steps), fc.integer({ min: 0, max: 10 }), (step, seconds) => {
        const options = {
          created: BEGIN + seconds,
          ...(step.previous === undefined ? {} : { previous: step.previous }),
        };
        const [before, now] = (["old", "new"] as const).map((shape) => {
          const { object, apiVersion } = bodyOf(step, shape);
          return told(seen(step.type, object, { ...options, apiVersion }));
        });
        expect(now?.map(({ type }) => type)).toEqual(before?.map(({ type }) => type));
        for (const [index, { object }] of (now ?? []).entries()) {
          expectFits(object);
          sameWhereSaid(before?.[index]?.object ?? {}, object);
        }
      }),
    );
  });

  it("fits the schema for every event that is handled, and the catalogue has its type", () => {
    const found = new Set<string>();
    for (const { old, new: newer } of everyHandledEvent()) {
      for (const one of [old, newer]) {
        if (one === null) continue;
        for (const { type, object } of told(observed(one))) {
          expectFits(object);
          expect(eventType(type)?.object).toBe(object.object);
          found.add(type);
        }
      }
    }
    expect(found.size).toBeGreaterThan(40);
  });

  it("is of every kind of object in the catalogue that is Stripe's, by the columns of its table", () => {
    for (const projection of PROJECTIONS) {
      const object = publishedObject(projection, "x_1", {});
      if (object !== null) expectFits(object);
      if (projection.updated !== undefined) expect(eventType(projection.updated)?.object).toBe(object?.object);
    }
    const ours = ["connection", "credit_entry", "credit_balance", "credit_top_up", "api_key"];
    const objects = new Set(PROJECTIONS.map((projection) => publishedObject(projection, "x", {})?.object));
    const theirs = EVENT_TYPES.map(({ object }) => object).filter((name) => !ours.includes(name));
    expect(theirs.filter((name) => !objects.has(name))).toEqual([]);
  });

  it("is nothing where another event says the same: a charge of a payment intent, an invoice payment", () => {
    expect(told(seen("charge.succeeded", newCharge()))).toEqual([]);
    expect(told(seen("charge.succeeded", newCharge({ payment_intent: null }))).map(({ type }) => type)).toEqual([
      "charge.succeeded",
    ]);
    expect(told(seen("payment_intent.succeeded", newPaymentIntent())).map(({ type }) => type)).toEqual([
      "payment.succeeded",
    ]);
  });

  it("is nothing where it happened before the tenant connected the account: by what the object says, else by the event", () => {
    const paid = newInvoice({ ...PAID });
    const at = (told(seen("invoice.paid", paid)).find(({ type }) => type === "invoice.paid")?.object.paid_at ??
      "") as string;
    const second = Date.parse(at) / 1000;
    const types = (created: number, since: number) =>
      told(seen("invoice.updated", paid, { created }), since).map(({ type }) => type);
    expect(types(second + 900, second)).toContain("invoice.paid");
    expect(types(second + 900, second + 1)).not.toContain("invoice.paid");
    const pastDue = newSubscription({ status: "past_due" });
    expect(told(seen("customer.subscription.updated", pastDue, { created: 500 }), 500)).toHaveLength(1);
    expect(told(seen("customer.subscription.updated", pastDue, { created: 499 }), 500)).toEqual([]);
    // Fetched: its age decides, not the second of the fetch.
    const fetched: Observation = { ...seen("x", pastDue), source: "pull", type: "subscription.retrieved" };
    expect(told({ ...fetched, created: BEGIN + 10_000_000 }, BEGIN + 9_000_000)).toEqual([]);
  });
});

describe("that an object has changed", () => {
  const KEY = { livemode: false, account: "", objectType: "subscription", objectId: "sub_1" };
  const projection = projectionOf("subscription");

  function headOf(observation: Observation): StoredHead {
    const row = fold(KEY, projection, [observation], undefined);
    if (row === null) throw new Error("no row");
    return { order: row.order, eventId: row.head.id, kept: row.kept, deleted: row.deleted };
  }

  function update(before: Observation | null, fresh: Observation[], since = 0, unowned = new Set<string>()) {
    const head = before === null ? undefined : headOf(before);
    const row = fold(KEY, projection, fresh, head);
    return row === null ? null : updateOf(row, { before: head, fresh, unowned, since });
  }

  const first = seen("customer.subscription.created", newSubscription(), { id: "evt_1", created: BEGIN });
  const next = (
    says: Record<string, unknown>,
    type = "customer.subscription.updated",
    id = "evt_2",
    created = BEGIN + 5,
  ) => seen(type, newSubscription(says), { id, created });

  it("is told with its new state, by the object and its head", () => {
    const found = update(first, [next({ status: "past_due" })]);
    expect(found).toMatchObject({ type: "subscription.updated", naturalKey: "sub_1:evt_2" });
    expect(found?.object).toMatchObject({ id: "sub_1", status: "past_due" });
  });

  it("is not told of a newer head that changes nothing that anyone reads, nor of the same head again", () => {
    expect(update(first, [next({ invoice_settings: { issuer: { type: "self" } } })])).toBeNull();
    expect(update(first, [next({ metadata: first.object.metadata })])).toBeNull();
    expect(update(next({ status: "past_due" }), [next({ status: "past_due" })])).toBeNull();
  });

  it("does not mind the order in which Stripe says metadata", () => {
    const before = next({ metadata: { a: "1", b: "2" } }, "customer.subscription.updated", "evt_1", BEGIN);
    expect(update(before, [next({ metadata: { b: "2", a: "1" } })])).toBeNull();
    expect(update(before, [next({ metadata: { b: "2", a: "2" } })])).not.toBeNull();
  });

  it("is told of an object that we first hear of only where Stripe says that it changed", () => {
    expect(update(null, [first])).toBeNull();
    expect(update(null, [next({})])).not.toBeNull();
    expect(update(null, [first, next({ status: "past_due" })])?.object).toMatchObject({ status: "past_due" });
    expect(update(null, [{ ...next({}), source: "pull", type: "subscription.retrieved" }])).toBeNull();
  });

  it("is told of a head that was nobody's when it was stored, by its own event alone", () => {
    const head = next({ status: "past_due" });
    expect(update(head, [head], 0, new Set(["evt_2"]))).toMatchObject({ naturalKey: "sub_1:evt_2" });
    expect(update(head, [head], 0, new Set(["evt_1"]))).toBeNull();
    expect(update(first, [first], 0, new Set(["evt_1"]))).toBeNull();
  });

  it("is not told of what an account was before its connection", () => {
    expect(update(first, [next({ status: "past_due" })], BEGIN + 6)).toBeNull();
  });
});
