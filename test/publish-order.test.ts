// Stripe's times are whole seconds: what one batch learns of within one is told in the order in which it can have happened.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { insertFacts } from "../src/outbox/event-table.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN } from "./support/stripe-fixtures.ts";

describe.each(BOTH)("what happened within one second, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  it.each([
    ["payment.failed", "payment.canceled"],
    ["payment.failed", "payment.succeeded"],
    [
      "invoice.created",
      "invoice.finalized",
      "invoice.payment_action_required",
      "invoice.payment_failed",
      "invoice.paid",
    ],
    ["setup_intent.setup_failed", "setup_intent.canceled"],
    ["refund.created", "refund.failed", "refund.updated"],
    ["payout.created", "payout.paid", "payout.failed"],
    ["checkout.session.completed", "checkout.session.async_payment_failed"],
  ])("%s is told before %s", async (...types) => {
    const objectId = types.join("|");
    const facts = types.toReversed().map((type) => ({
      ...{ tenantId: pipe.platformTenant, livemode: false, type, naturalKey: objectId, stripeAccount: "" },
      ...{ objectType: "invoice", objectId, occurredAt: BEGIN, observationId: `evt_${type}`, object: { id: objectId } },
    }));
    await pipe.database.transaction((tx) => insertFacts(tx, facts));
    const text = "select type from events where object_id = $1 order by id";
    const { rows } = await pipe.database.query<{ type: string }>({ text, values: [objectId] });
    expect(rows.map(({ type }) => type)).toEqual(types);
  });
});
