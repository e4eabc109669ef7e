// What Stripe has never sent yet is kept, processed and flagged, whatever its order; and the tour of the sandbox has nothing to flag.
import { randomBytes } from "node:crypto";

import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { scopeOf } from "../sandbox/core/kinds.ts";
import { renderEvent } from "../sandbox/versions/render-event.ts";
import { systemClock } from "../src/base/clock.ts";
import { type Difference, rebuild } from "../src/inbox/rebuild.ts";
import { fold, isStub } from "../src/projections/fold.ts";
import { projectionOf } from "../src/projections/registry.ts";
import { BOTH, openPipe, type Pipe, stateOf } from "./support/pipe.ts";
import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";
import { tour } from "./support/sandbox-tour.ts";
import { BEGIN, event, NEW_API, observed, type StripeEvent } from "./support/stripe-fixtures.ts";
import { invoicePayment, newCustomer, newInvoice, newSubscription } from "./support/stripe-fixtures-billing.ts";
import {
  newCharge,
  newCheckoutSession,
  newDispute,
  newPaymentIntent,
  newRefund,
  newSetupIntent,
  oldPaymentIntent,
} from "./support/stripe-fixtures-payments.ts";

/** PostgreSQL compresses what repeats: this does not fit an index row. */
const LONG = randomBytes(4000).toString("hex");

const UNSTORABLE: [string, ReturnType<typeof newInvoice>, string][] = [
  ["an invoice's status of 8 KB", newInvoice({ status: LONG }), "status"],
  ["a subscription's status of 8 KB", newSubscription({ status: LONG }), "status"],
  ["a payment intent's status of 8 KB", newPaymentIntent({ status: LONG }), "status"],
  ["a setup intent's status of 8 KB", newSetupIntent({ status: LONG }), "status"],
  ["a refund's status of 8 KB", newRefund({ status: LONG }), "status"],
  ["a dispute's status of 8 KB", newDispute({ status: LONG }), "status"],
  ["a refund's charge with NUL", newRefund({ charge: "ch_\0" }), "charge_id"],
  ["a refund's expanded payment intent with NUL", newRefund({ payment_intent: { id: "pi_\0" } }), "payment_intent_id"],
  ["a dispute's charge with NUL", newDispute({ charge: "ch_\0" }), "charge_id"],
  ["a charge's payment intent with NUL", newCharge({ payment_intent: "pi_\0" }), "payment_intent_id"],
  ["a session's payment intent with NUL", newCheckoutSession({ payment_intent: "pi_\0" }), "payment_intent_id"],
  ["a payment's latest charge with NUL", newPaymentIntent({ latest_charge: "ch_\0" }), "latest_charge_id"],
  [
    "a payment's listed charge with NUL",
    oldPaymentIntent({ charges: { data: [{ id: "ch_\0" }] } }),
    "latest_charge_id",
  ],
  [
    "an invoice payment's payment intent with NUL",
    invoicePayment({ payment: { type: "payment_intent", payment_intent: "pi_\0" } }),
    "payment_intent_id",
  ],
];

describe.each(BOTH)("what cannot be read, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  async function take(events: readonly StripeEvent[]): Promise<void> {
    for (const one of events) {
      await pipe.arrive([{ event: { ...one } }]);
      await pipe.drain({ maxAttempts: 1 });
    }
  }

  async function differences(): Promise<Difference[]> {
    const found: Difference[] = [];
    await rebuild({
      database: pipe.database,
      clock: systemClock,
      platformTenant: pipe.platformTenant,
      check: true,
      onProgress: () => undefined,
      onDifference: (difference) => found.push(difference),
    });
    return found;
  }

  it.each(UNSTORABLE.map((one, index) => [...one, index] as const))(
    "%s is flagged on its row, and its event does not fail",
    async (_what, object, field, index) => {
      const id = `x_${String(index)}_unstorable`;
      const sent = event("thing.updated", { ...object, id }, { apiVersion: NEW_API });
      await take([sent]);
      const { rows } = await pipe.database.query({
        text: "select error from stripe_event_attempts where event_id = $1",
        values: [sent.id],
      });
      expect(rows).toEqual([]);
      const [row] = Object.values((await stateOf(pipe.database, id)).rows).flat();
      expect(row?.unread_fields).toContain(field);
    },
  );

  it("an item without a readable price is flagged on its subscription and stored with the others", async () => {
    const item = { object: "subscription_parted", quantity: 1, current_period_start: 1, current_period_end: 2 };
    const data = [
      { ...item, id: "si_1_parted", price: { id: "price_1" } },
      { ...item, id: "si_2_parted", pricing: { price_v3: "price_2" } },
      { ...item, price: { id: "price_3" } },
    ];
    const object = newSubscription({ id: "sub_1_parted", items: { object: "list", has_more: true, data } });
    await take([event("customer.subscription.created", object, { apiVersion: NEW_API })]);
    const { subscriptions, subscription_items } = (await stateOf(pipe.database, "_parted")).rows;
    expect(subscriptions?.[0]?.unread_fields).toEqual([
      "subscription_items.has_more",
      "subscription_items.id",
      "subscription_items.price_id",
    ]);
    expect(subscription_items?.map((one) => one.price_id)).toEqual(["price_1", null]);
  });

  it("a webhook that says only that an object is gone leaves the row of its last state, whichever comes first", async () => {
    const livesOf = (suffix: string): StripeEvent[] => {
      const id = `cus_1${suffix}`;
      const at = (place: number) => ({ id: `evt_${String(place)}${suffix}`, created: BEGIN + place });
      return [
        event("customer.updated", newCustomer({ id, email: "a@example.com", name: "Ada" }), at(1)),
        event("customer.deleted", { id, object: "customer", deleted: true }, at(5)),
      ];
    };
    await take(livesOf("_first"));
    await take(livesOf("_last").reverse());
    const [first, last] = [await stateOf(pipe.database, "_first"), await stateOf(pipe.database, "_last")];
    expect(first.rows.customers?.[0]).toMatchObject({ name: "Ada", email: "a@example.com", deleted: true });
    expect(last.rows).toEqual(first.rows);
    expect(await differences()).toEqual([]);
  });
});

describe("the sandbox's tour", () => {
  let sandbox: OpenSandbox;
  beforeAll(async () => {
    sandbox = await openSandbox();
    await tour(sandbox.stripe);
  }, 60_000);
  afterAll(() => sandbox.close());

  it.each(["2026-10-28.endive", "2026-02-25.clover", "2025-02-24.acacia", "2022-08-01", "2020-03-02"])(
    "has no event with a field that is flagged, in %s",
    (version) => {
      const flagged = sandbox.world
        .scopes()
        .flatMap((scope) =>
          sandbox.world.run(
            (tx) => tx.all("event").flatMap((one) => unreadOf(renderEvent(tx, one, version))),
            scopeOf(scope),
          ),
        );
      expect([...new Set(flagged)]).toEqual([]);
    },
  );
});

function unreadOf(one: Stripe.Event): string[] {
  const seen = observed(one as unknown as StripeEvent);
  if (seen.objectId === null || isStub(seen)) return [];
  const { livemode, account, objectType, objectId } = seen;
  const row = fold({ livemode, account, objectType, objectId }, projectionOf(objectType), [seen], undefined);
  return (row?.unread ?? []).map((name) => `${objectType}.${name} of ${one.type}`);
}
