// What heads mean to who waits: for all that Stripe may say, in old shapes and new.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { STATUS_OBJECTS, type StatusObject, statusObjectOf } from "../src/billing/status-grants.ts";
import { isOver, type IntentHead, STATUSES, type StatusHeads, statusView } from "../src/billing/status-view.ts";
import type { Observation } from "../src/projections/observation.ts";
import { projectionOf } from "../src/projections/registry.ts";

const KINDS = Object.values(STATUS_OBJECTS);
const WORDS: Record<StatusObject, readonly string[]> = {
  "checkout.session": ["open", "complete", "expired"],
  payment_intent: [],
  setup_intent: [],
  subscription: ["incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"],
  invoice: ["draft", "open", "paid", "uncollectible", "void"],
};
const INTENT_WORDS = [
  ...["requires_payment_method", "requires_confirmation", "requires_action", "processing", "requires_capture"],
  ...["canceled", "succeeded"],
];

const intent: fc.Arbitrary<IntentHead | null> = fc.option(
  fc.record({
    status: fc.option(fc.oneof(fc.constantFrom(...INTENT_WORDS), fc.string())),
    errorCode: fc.option(fc.constantFrom("card_declined", "expired_card")),
    errorMessage: fc.option(fc.constant("Your card was declined.")),
  }),
);

const heads: fc.Arbitrary<StatusHeads> = fc.constantFrom(...KINDS).chain((object) =>
  fc.record({
    object: fc.constant(object),
    objectId: fc.constant("x_1"),
    head: fc.option(
      fc.record({
        status: fc.option(fc.oneof(fc.constantFrom(...WORDS[object], ...INTENT_WORDS), fc.string())),
        deleted: fc.boolean(),
        paymentStatus: fc.option(fc.oneof(fc.constantFrom("paid", "unpaid", "no_payment_required"), fc.string())),
      }),
    ),
    paymentId: fc.option(fc.constant("pi_1")),
    payment: intent,
    setup: intent,
  }),
);

/** Our names of its end for Stripe's. */
const bare = { deleted: false, paymentStatus: null };
const none = { paymentId: null, payment: null, setup: null };
const of = (object: StatusObject, head: Partial<NonNullable<StatusHeads["head"]>>, more: Partial<StatusHeads> = {}) =>
  statusView({ object, objectId: "x_1", ...none, head: { status: null, ...bare, ...head }, ...more });
const said = (status: string, errorCode: string | null = null): IntentHead => ({
  status,
  errorCode,
  errorMessage: null,
});

describe("a status", () => {
  it("is one of six for all that Stripe may say, has a reason just when it failed, and says what it waits for", () => {
    fc.assert(
      fc.property(heads, (given) => {
        const view = statusView(given);
        expect(STATUSES).toContain(view.status);
        expect(view.failure !== null).toBe(view.status === "failed");
        if (view.failure !== null) expect(view.failure.message).not.toBe("");
        expect(view.stripeStatus).toBe(given.head?.status ?? null);
        expect(KINDS).toContain(view.awaits.objectType);
      }),
      { numRuns: 2000 },
    );
  });

  it("is never over, nor succeeded, by a word that we do not know", () => {
    fc.assert(
      fc.property(heads, fc.string({ minLength: 1 }), (given, word) => {
        fc.pre(!WORDS[given.object].includes(word) && !INTENT_WORDS.includes(word));
        const unknown = { status: word, errorCode: null, errorMessage: null };
        const view = statusView({
          ...given,
          head: { status: word, deleted: false, paymentStatus: word },
          payment: unknown,
          setup: unknown,
        });
        expect(isOver(view.status)).toBe(false);
      }),
    );
  });

  it("is succeeded just when Stripe has what it wanted", () => {
    fc.assert(
      fc.property(heads, (given) => {
        const { head, payment, setup } = given;
        const status = head?.status;
        const wanted: Record<StatusObject, boolean> = {
          "checkout.session":
            status === "complete" && ["paid", "no_payment_required"].includes(head?.paymentStatus ?? ""),
          payment_intent: head !== null && payment?.status === "succeeded",
          setup_intent: head !== null && setup?.status === "succeeded",
          subscription: (status === "active" || status === "trialing") && head?.deleted === false,
          invoice: status === "paid",
        };
        expect(statusView(given).status === "succeeded").toBe(wanted[given.object]);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [
      "an open session, whatever its payment tried",
      of("checkout.session", { status: "open" }, { payment: said("requires_payment_method", "card_declined") }),
      "pending",
    ],
    [
      "a session that is complete and unpaid while its bank transfer runs",
      of("checkout.session", { status: "complete", paymentStatus: "unpaid" }, { payment: said("processing") }),
      "pending",
    ],
    [
      "a session whose bank transfer failed",
      of(
        "checkout.session",
        { status: "complete", paymentStatus: "unpaid" },
        { payment: said("requires_payment_method", "bank_account_declined") },
      ),
      "failed",
    ],
    [
      "a session whose voucher must be paid",
      of("checkout.session", { status: "complete", paymentStatus: "unpaid" }, { payment: said("requires_action") }),
      "action_required",
    ],
    [
      "a session that does not know of its paid payment yet",
      of("checkout.session", { status: "complete", paymentStatus: "unpaid" }, { payment: said("succeeded") }),
      "pending",
    ],
    [
      "a payment that nobody tried yet",
      of("payment_intent", {}, { payment: said("requires_payment_method") }),
      "pending",
    ],
    [
      "a subscription whose first payment wants the bank's word",
      of("subscription", { status: "incomplete" }, { payment: said("requires_action") }),
      "action_required",
    ],
    [
      "a subscription whose first payment was declined",
      of("subscription", { status: "incomplete" }, { payment: said("requires_payment_method", "card_declined") }),
      "failed",
    ],
    [
      "a subscription that does not know of its first payment yet",
      of("subscription", { status: "incomplete" }, { payment: said("succeeded") }),
      "pending",
    ],
    ["a subscription that is past due", of("subscription", { status: "past_due" }), "failed"],
    ["a subscription that ended unpaid", of("subscription", { status: "incomplete_expired" }), "expired"],
    ["an invoice that is void", of("invoice", { status: "void" }), "canceled"],
    [
      "an open invoice whose payment was declined",
      of("invoice", { status: "open" }, { payment: said("requires_payment_method", "card_declined") }),
      "failed",
    ],
    ["a draft that was deleted", of("invoice", { status: "draft", deleted: true }), "canceled"],
  ])("of %s", (_, view, status) => {
    expect(view.status).toBe(status);
  });

  it("asks Stripe for the payment where the session has done its part", () => {
    const { awaits } = of("checkout.session", { status: "complete", paymentStatus: "unpaid" }, { paymentId: "pi_1" });
    expect(awaits).toEqual({ objectType: "payment_intent", objectId: "pi_1" });
  });

  it.each([
    [
      "payment_intent",
      { status: "requires_source_action", amount: 1, created: 1 },
      { status: "requires_action", amount: 1, created: 1 },
      "action_required",
    ],
    [
      "payment_intent",
      { status: "requires_source", last_payment_error: { code: "card_declined" } },
      { status: "requires_payment_method", last_payment_error: { code: "card_declined" } },
      "failed",
    ],
    ["invoice", { paid: true, closed: true, created: 1 }, { status: "paid", created: 1 }, "succeeded"],
    [
      "checkout.session",
      { payment_status: "paid", type: "checkout.session.completed" },
      { status: "complete", payment_status: "paid" },
      "succeeded",
    ],
  ] as const)("of a %s is the same from an old shape as from a new one", (object, old, modern, status) => {
    const views = [old, modern].map((shape) => viewOfShape(object, shape));
    expect(views.map((view) => view.status)).toEqual([status, status]);
    expect(views[0]).toEqual(views[1]);
  });

  it("is there for ids of its kinds alone", () => {
    expect(["cs_test_1", "pi_1", "seti_1", "sub_1", "in_1"].map(statusObjectOf)).toEqual(KINDS);
    for (const id of ["ch_1", "cus_1", "", "pi_", "pi_1/../x", "in_1?x", "si_1", "xpi_1"])
      expect(statusObjectOf(id)).toBeUndefined();
  });
});

/** Through the projection's columns, as the database has them. */
function viewOfShape(object: StatusObject, shape: object): ReturnType<typeof statusView> {
  const { type = `${object}.updated`, ...rest } = shape as { type?: string };
  const payload = { id: "x_1", object, ...rest };
  const observation: Observation = {
    ...{ id: "evt_1", source: "webhook", type, created: 1, livemode: false, account: "", apiVersion: null },
    ...{ objectType: object, objectId: "x_1", object: payload },
  };
  const row = projectionOf(object).row(payload, observation) as Record<string, unknown>;
  const word = (name: string): string | null => {
    const value = row[name];
    return typeof value === "string" ? value : null;
  };
  const errorOf = (kind: string): IntentHead => ({
    status: word("status"),
    errorCode: word(`last_${kind}_error_code`),
    errorMessage: word(`last_${kind}_error_message`),
  });
  return of(
    object,
    { status: word("status"), paymentStatus: word("payment_status") },
    { payment: errorOf("payment"), setup: errorOf("setup") },
  );
}
