import { describe, expect, it } from "vitest";

import { EVENT_OBJECTS, fieldsOf } from "./event-objects.ts";
import { EVENT_TYPES, eventType, isKnownPattern, matchesPattern } from "./event-types.ts";

describe("the catalogue of events", () => {
  it.each(EVENT_TYPES)("$type has an example that its schema takes whole", ({ object, example }) => {
    expect(EVENT_OBJECTS[object].parse(example)).toEqual(example);
    expect(Object.keys(example)).toEqual([...fieldsOf(object)]);
  });

  it("has every family that is promised, names no type twice, and tells no object in two ways", () => {
    const families = new Set(EVENT_TYPES.map(({ type }) => type.split(".")[0]));
    for (const family of "subscription invoice payment refund dispute customer credit checkout connected_account key".split(
      " ",
    ))
      expect(families).toContain(family);
    expect(new Set(EVENT_TYPES.map(({ type }) => type)).size).toBe(EVENT_TYPES.length);
    for (const [name, schema] of Object.entries(EVENT_OBJECTS)) expect(schema.shape.object.value).toBe(name);
  });

  it("takes money as whole minor units beside a currency, and times as ISO 8601", () => {
    const invoice = eventType("invoice.paid")?.example ?? {};
    expect(EVENT_OBJECTS.invoice.safeParse({ ...invoice, amount_paid: 20.5 }).success).toBe(false);
    expect(EVENT_OBJECTS.invoice.safeParse({ ...invoice, paid_at: 1_700_000_000 }).success).toBe(false);
    expect(EVENT_OBJECTS.invoice.safeParse({ ...invoice, surprise: 1 }).success).toBe(false);
    for (const { shape } of Object.values(EVENT_OBJECTS)) {
      const amounts = Object.keys(shape).filter((name) => name === "amount" || name.startsWith("amount_"));
      if (amounts.length > 0 && shape.object.value !== "credit_entry") expect(Object.keys(shape)).toContain("currency");
    }
  });

  it.each([
    ["*", "invoice.paid", true],
    ["invoice.paid", "invoice.paid", true],
    ["invoice.*", "invoice.paid", true],
    ["checkout.*", "checkout.session.completed", true],
    ["checkout.session.*", "checkout.session.completed", true],
    ["invoice.*", "invoice_payment.paid", false],
    ["invoice*", "invoice.paid", false],
    ["invoice.", "invoice.paid", false],
    ["invoice.paid", "invoice.paid.again", false],
    ["", "invoice.paid", false],
  ])("the pattern %j takes %s: %s", (pattern, type, takes) => {
    expect(matchesPattern(pattern, type)).toBe(takes);
  });

  it("knows the patterns that some type answers to", () => {
    expect(["*", "invoice.*", "checkout.session.*", "key.revoked"].filter((one) => !isKnownPattern(one))).toEqual([]);
    expect(["", "**", "invoice", "invoice.none", "none.*", "*.paid", "Invoice.*"].filter(isKnownPattern)).toEqual([]);
  });
});
