// Our ids: order, uniqueness, prefixes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { manualClock } from "./clock.ts";
import { ID_PREFIXES, idSource, isId, newId, timeOfId } from "./ids.ts";
import type { IdPrefix } from "./ids.ts";

const PREFIXES = Object.keys(ID_PREFIXES) as IdPrefix[];

describe("ids", () => {
  it("a later id sorts after an earlier one, whatever the clock does in between", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 200 }), (steps) => {
        const clock = manualClock(1_700_000_000_000);
        const next = idSource(clock);
        const made = steps.map((step) => {
          clock.advance(step);
          return next("msg");
        });
        expect([...made].sort()).toEqual(made);
        expect(new Set(made).size).toBe(made.length);
      }),
    );
  });

  it("carries into the milliseconds when the random part is used up, and still grows", () => {
    const clock = manualClock(1000);
    const next = idSource(clock, (bytes) => 2 ** (8 * bytes) - 1);
    const made = Array.from({ length: 600 }, () => next("dlv"));
    expect([...made].sort()).toEqual(made);
    expect(timeOfId(made.at(-1) ?? "")).toBeGreaterThan(1000);
  });

  it("tells its kind and the time it was made", () => {
    for (const milliseconds of [0, 1, 1_700_000_000_123, 2 ** 48 - 1]) {
      const id = idSource(manualClock(milliseconds))("ten");
      expect(id).toMatch(/^ten_[0-9a-hjkmnp-tv-z]{26}$/);
      expect(timeOfId(id)).toBe(milliseconds);
    }
  });

  it("a hundred thousand of one process are all different", () => {
    expect(new Set(Array.from({ length: 100_000 }, () => newId("req"))).size).toBe(100_000);
  });

  it("isId takes ours and nothing else", () => {
    for (const prefix of PREFIXES) {
      expect(isId(newId(prefix))).toBe(true);
      expect(isId(newId(prefix), prefix)).toBe(true);
    }
    expect(isId(newId("msg"), "dlv")).toBe(false);
    for (const text of [
      "",
      "msg_",
      "msg",
      "_0",
      "evt_1NG8Du2eZvKYlo2CUI79vXWy",
      newId("msg").toUpperCase(),
      `${newId("msg")}0`,
    ]) {
      expect(isId(text)).toBe(false);
    }
    fc.assert(fc.property(fc.string(), (text) => !isId(text)));
  });

  it("no prefix of ours is that of a Stripe object", () => {
    const stripes =
      "acct ba ca card cbtxn ch cn cs cus di dp du evt fee file fr ic iauth ii il in inpay link mandate pi pl plink pm po price prctbl prod promo prv py pyr qt re rcpt seti setatt si sku sli src sub sub_sched tax taxr tmr tok topup tr trr tu txi txn txr we whsec".split(
        " ",
      );
    for (const prefix of PREFIXES) expect(stripes).not.toContain(prefix);
  });
});
