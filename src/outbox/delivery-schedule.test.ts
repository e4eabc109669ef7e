import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DELIVERY_ATTEMPTS, verdictOn, waitAfter, WAITS } from "./delivery-schedule.ts";
import { bodyOf } from "./webhook-body.ts";

const answered = (statusCode: number, retryAfter: number | null = null) =>
  ({ outcome: "answered", statusCode, headers: {}, body: "", latencyMs: 1, retryAfter }) as const;

describe("the schedule of deliveries", () => {
  it("is ten attempts over three days", () => {
    expect(DELIVERY_ATTEMPTS).toBe(10);
    const days = WAITS.reduce((sum, wait) => sum + wait, 0) / 86_400_000;
    expect(days).toBeGreaterThan(3);
    expect(days).toBeLessThan(3.2);
  });

  it("a wait is the plan's, a fifth more or less, and never before what the receiver asks, up to a day", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.option(fc.integer({ min: 0, max: 10_000_000 })),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, retryAfter, chance) => {
          const plan = WAITS[attempt - 1] ?? 0;
          const wait = waitAfter(attempt, retryAfter, () => chance) ?? -1;
          const asked = Math.min((retryAfter ?? 0) * 1000, 86_400_000);
          expect(wait).toBeGreaterThanOrEqual(Math.max(Math.floor(plan * 0.8), asked));
          expect(wait).toBeLessThanOrEqual(Math.max(Math.ceil(plan * 1.2), asked));
        },
      ),
    );
    expect(waitAfter(10, 60)).toBeUndefined();
  });

  it("2xx delivers, 410 ends it at once, and anything else is tried again until the tenth attempt", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), fc.integer({ min: 1, max: 10 }), (status, attempt) => {
        const verdict = verdictOn(answered(status), attempt, false);
        const delivered = status >= 200 && status < 300;
        expect(verdict.status).toBe(delivered ? "delivered" : attempt === 10 || status === 410 ? "failed" : "pending");
        expect(verdict.isGone).toBe(status === 410);
        expect(verdict.error === null).toBe(delivered);
      }),
    );
  });

  it("410 of a url that the endpoint has no more is a failure as any other", () => {
    expect(verdictOn(answered(410), 1, true)).toMatchObject({ status: "pending", isGone: false, outcome: "http_4xx" });
    expect(verdictOn(answered(410), 10, true)).toMatchObject({ status: "failed", isGone: false });
  });

  it("no answer is tried again, and says why", () => {
    const failed = { outcome: "failed", code: "timeout", message: "No answer.", latencyMs: 1 } as const;
    expect(verdictOn(failed, 1, false)).toMatchObject({ status: "pending", outcome: "timeout", error: "No answer." });
    expect(verdictOn(failed, 10, false)).toMatchObject({ status: "failed" });
  });
});

describe("the body of a webhook", () => {
  it("is JSON with the object as it was stored, whatever names there are", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), fc.boolean(), (object, companyName, livemode) => {
        const event = { id: "msg_1", type: "invoice.paid", created: new Date(1_796_083_200_999), livemode };
        const text = bodyOf(
          { ...event, apiVersion: "2026-11-21", object: JSON.stringify(object) },
          { id: "ten_1", companyName },
        );
        expect(JSON.parse(text)).toEqual({
          ...{ id: "msg_1", object: "event", api_version: "2026-11-21", type: "invoice.paid", created: 1_796_083_200 },
          ...{ livemode, data: { object: JSON.parse(JSON.stringify(object)) as unknown } },
          tenant: { id: "ten_1", company_name: companyName },
        });
        expect(text).toContain(JSON.stringify(object));
      }),
    );
  });
});
