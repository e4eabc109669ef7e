import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { AccountHead, AccountHeads, ConnectionEnd } from "./connect-status.ts";
import { NOTHING_KNOWN, standingOf } from "./connect-status.ts";

const WORKING: AccountHead = {
  created: 1000,
  deleted: false,
  detailsSubmitted: true,
  chargesEnabled: true,
  payoutsEnabled: true,
  disabledReason: null,
  currentlyDue: [],
  pastDue: [],
  capabilities: { card_payments: "active", transfers: "active" },
};

const CONNECTED = { connectedAt: 500, end: undefined };
const statusOf = (account: Partial<AccountHead>, heads: Partial<AccountHeads> = {}): string =>
  standingOf(CONNECTED, { ...NOTHING_KNOWN, account: { ...WORKING, ...account }, ...heads }).status;
const capability = (id: string, status: string, created: number) => ({ id, status, created });

describe("an account is", () => {
  it("pending while nothing is known of it, or it has not told all", () => {
    expect(standingOf(CONNECTED, NOTHING_KNOWN).status).toBe("pending");
    expect(statusOf({ detailsSubmitted: false, chargesEnabled: false, payoutsEnabled: false })).toBe("pending");
    expect(statusOf({ detailsSubmitted: null })).toBe("pending");
  });

  it("pending while Stripe only checks what it was told", () => {
    const checked = {
      chargesEnabled: false,
      payoutsEnabled: false,
      disabledReason: "requirements.pending_verification",
    };
    expect(statusOf(checked)).toBe("pending");
    expect(statusOf({ ...checked, currentlyDue: ["individual.verification.document"] })).toBe("restricted");
    expect(statusOf({ ...checked, chargesEnabled: true })).toBe("restricted");
  });

  it("active when it takes payments, is paid out, and nothing is wrong", () => {
    expect(statusOf({})).toBe("active");
    expect(statusOf({ currentlyDue: ["external_account"] })).toBe("active");
    expect(statusOf({ capabilities: {} })).toBe("active");
  });

  it.each<[string, Partial<AccountHead>]>([
    ["takes no payments and something is due", { chargesEnabled: false, currentlyDue: ["tos_acceptance.date"] }],
    ["is not paid out", { payoutsEnabled: false }],
    ["is disabled for a reason", { disabledReason: "requirements.past_due" }],
    ["was rejected", { chargesEnabled: false, disabledReason: "rejected.fraud" }],
  ])("restricted when it %s", (_, account) => {
    expect(statusOf(account)).toBe("restricted");
  });

  it("restricted by a newer capability, and never made active by one", () => {
    const inactive = capability("card_payments", "inactive", 1001);
    expect(statusOf({}, { capabilities: [inactive] })).toBe("restricted");
    expect(statusOf({}, { capabilities: [{ ...inactive, created: 1000 }] })).toBe("active");
    expect(statusOf({}, { capabilities: [inactive, capability("sepa_debit_payments", "active", 1001)] })).toBe(
      "active",
    );
    expect(statusOf({}, { capabilities: [capability("transfers", "inactive", 1001)] })).toBe("active");
    const without = { chargesEnabled: false, disabledReason: "requirements.past_due" };
    expect(statusOf(without, { capabilities: [capability("card_payments", "active", 1001)] })).toBe("restricted");
  });
});

describe("a connection", () => {
  const heads = (deauthorized: number[], account: AccountHead | undefined = WORKING): AccountHeads => ({
    ...NOTHING_KNOWN,
    account,
    deauthorized,
  });

  it("ends with the earliest deauthorisation after it was made; one from before is of an earlier connection", () => {
    expect(standingOf(CONNECTED, heads([400, 500]))).toEqual({ status: "active", end: undefined });
    const end = { at: 501, reason: "deauthorized" };
    expect(standingOf(CONNECTED, heads([900, 501, 400]))).toEqual({ status: "disconnected", end });
  });

  it("ends with its account", () => {
    expect(standingOf(CONNECTED, heads([], { ...WORKING, deleted: true }))).toEqual({
      status: "disconnected",
      end: { at: 1000, reason: "account_deleted" },
    });
  });

  const times = fc.array(fc.integer({ min: 400, max: 600 }), { maxLength: 6 });
  const ours = fc.constantFrom("disconnected" as const, "unlinked" as const, "replaced" as const);

  it("that a person ended stays as it ended, whatever Stripe says", () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 400, max: 600 }), ours, (deauthorized, at, reason) => {
        const end: ConnectionEnd = { at, reason };
        expect(standingOf({ connectedAt: 500, end }, heads(deauthorized))).toEqual({ status: "disconnected", end });
      }),
    );
  });

  it("stands the same whether what Stripe said came at once or bit by bit, in any order, also twice", () => {
    fc.assert(
      fc.property(times, fc.infiniteStream(fc.nat()), (deauthorized, random) => {
        const atOnce = standingOf(CONNECTED, heads(deauthorized));
        const shuffled = [...deauthorized, ...deauthorized]
          .map((at) => ({ at, place: random.next().value ?? 0 }))
          .sort((a, b) => a.place - b.place)
          .map(({ at }) => at);
        let end: ConnectionEnd | undefined;
        let status = "active";
        shuffled.forEach((_, index) => {
          const standing = standingOf({ connectedAt: 500, end }, heads(shuffled.slice(0, index + 1)));
          ({ end, status } = standing);
        });
        expect({ status, end }).toEqual(atOnce);
      }),
    );
  });

  it("that is active takes payments and is paid out", () => {
    const flag = fc.option(fc.boolean());
    const due = fc.array(fc.constantFrom("external_account", "tos_acceptance.date"), { maxLength: 2 });
    const state = fc.constantFrom("active", "inactive", "pending");
    const account = fc.record({
      created: fc.integer({ min: 999, max: 1001 }),
      deleted: fc.boolean(),
      detailsSubmitted: flag,
      chargesEnabled: flag,
      payoutsEnabled: flag,
      disabledReason: fc.option(fc.constantFrom("requirements.past_due", "under_review", "rejected.other")),
      currentlyDue: due,
      pastDue: due,
      capabilities: fc.dictionary(fc.constantFrom("card_payments", "transfers"), state),
    });
    fc.assert(
      fc.property(account, (head) => {
        if (standingOf(CONNECTED, heads([], head)).status !== "active") return;
        const { detailsSubmitted, chargesEnabled, payoutsEnabled, disabledReason, deleted } = head;
        expect([detailsSubmitted, chargesEnabled, payoutsEnabled, disabledReason, deleted]).toEqual([
          ...[true, true, true],
          ...[null, false],
        ]);
      }),
    );
  });
});
