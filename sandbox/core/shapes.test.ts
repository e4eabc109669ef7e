// Tests of the generated shapes and of what stands on them: blank objects, expansion, conformity.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { askedFields, blank, blankPart } from "./blank.ts";
import { shapeProblems } from "./conform.ts";
import { expandableTarget, isOptional, listTarget } from "./expandable.ts";
import { innerOf, OBJECT_SHAPES, objectShape, resolved } from "./shapes.ts";
import type { TypeNode } from "./shapes.ts";

/** Some value of that type: for the fields that a blank object must be given. */
function some(node: TypeNode, pick: (count: number) => number): unknown {
  const type = resolved(node);
  if (typeof type === "string") {
    const values: Record<string, unknown> = { string: "text", number: 7, boolean: true, decimal: "1.5", any: {} };
    return values[type];
  }
  if ("fields" in type) {
    const wanted = Object.entries(type.fields).filter(([field]) => !(type.optional ?? []).includes(field));
    return Object.fromEntries(wanted.map(([field, inner]) => [field, some(inner, pick)]));
  }
  if ("enum" in type) return type.enum[pick(type.enum.length)];
  if ("or" in type) return some(type.or[0] ?? "any", pick);
  if ("nullable" in type) return null;
  if ("array" in type) return [];
  if ("list" in type) return { object: "list", data: [], has_more: false, url: "/v1/x" };
  return "map" in type ? {} : some(innerOf(type), pick);
}

const given = (object: string, pick: (count: number) => number): Record<string, unknown> =>
  Object.fromEntries(
    askedFields(object).map((field) => [field, some(objectShape(object).fields[field] ?? "any", pick)]),
  );

const COUPON = { id: "save", duration: "once" };

describe("a blank object", () => {
  it("of every kind conforms, with any words in its enums", () => {
    fc.assert(
      fc.property(fc.constantFrom(...OBJECT_SHAPES.keys()), fc.nat(), (object, seed) => {
        expect(
          shapeProblems(
            blank(
              object,
              given(object, (count) => seed % count),
            ),
          ),
        ).toEqual([]);
      }),
      { numRuns: 500 },
    );
    for (const object of OBJECT_SHAPES.keys()) {
      expect(
        shapeProblems(
          blank(
            object,
            given(object, () => 0),
          ),
        ),
      ).toEqual([]);
    }
  });

  it("has Stripe's fields in Stripe's order, what is known, and nothing optional", () => {
    const coupon = blank("coupon", { duration: "once", currency: "usd", id: "save", name: undefined, extra: 1 });
    expect(Object.keys(coupon)).toEqual([
      ...["id", "object", "amount_off", "created", "currency", "duration", "duration_in_months", "livemode"],
      ...["max_redemptions", "metadata", "name", "percent_off", "redeem_by", "times_redeemed", "valid", "extra"],
    ]);
    expect(coupon).toMatchObject({ id: "save", object: "coupon", currency: "usd", name: null, valid: false });
  });

  it("says what it must be given", () => {
    expect(() => blank("coupon", { id: "save" })).toThrow("blank coupon: must be given duration");
    expect(() => blank("nonsense")).toThrow("no shape is known for nonsense");
  });

  it("shares nothing with the next one", () => {
    const [one, other] = [blankPart("subscription.payment_settings"), blankPart("subscription.payment_settings")];
    expect(one).toEqual(other);
    const metadata = (): unknown => blank("customer", { id: "cus_1" }).metadata;
    expect(metadata()).toEqual({});
    expect(metadata()).not.toBe(metadata());
  });

  it("has parts by their path", () => {
    expect(blankPart("invoice.status_transitions", { paid_at: 5 })).toEqual({
      finalized_at: null,
      marked_uncollectible_at: null,
      paid_at: 5,
      voided_at: null,
    });
    expect(blankPart("checkout.session.customer_details")).toHaveProperty("email", null);
    expect(() => blankPart("invoice.nonsense")).toThrow("invoice.nonsense: no object at nonsense");
  });
});

describe("expansion", () => {
  it.each([
    ["invoice", "customer", { targets: ["customer"], many: false }],
    ["invoice", "payments.data.payment.payment_intent", { targets: ["payment_intent"], many: false }],
    ["subscription", "latest_invoice.payments.payment.payment_intent", { targets: ["payment_intent"], many: false }],
    ["subscription", "discounts", { targets: ["discount"], many: true }],
    ["subscription", "items.data.price.product", { targets: ["product"], many: false }],
    ["customer", "default_source", { targets: ["account", "bank_account", "card", "source"], many: false }],
    ["charge", "amount", undefined],
    ["charge", "nonsense", undefined],
    ["nonsense", "customer", undefined],
    ["customer", "constructor", undefined],
  ])("of %s by %s", (object, path, expected) => {
    expect(expandableTarget(object, path.split("."))).toEqual(expected);
  });

  it("knows lists and what is left out of answers", () => {
    expect(listTarget("checkout.session", "line_items")).toEqual(["item"]);
    expect(listTarget("charge", "customer")).toBeUndefined();
    expect(isOptional("checkout.session", "line_items")).toBe(true);
    expect(isOptional("checkout.session", "customer")).toBe(false);
  });
});

describe("an answer does not conform", () => {
  const coupon = blank("coupon", COUPON);
  const { valid: _, ...lacking } = coupon;

  it.each([
    ["when a field is missing", lacking, "coupon.valid is missing"],
    ["when a field is unknown", { ...coupon, foo: 1 }, "coupon.foo is unknown"],
    ["when it is null where it may not be", { ...coupon, created: null }, "coupon.created is null, not a number"],
    ["when it is of another kind", { ...coupon, name: 5 }, "coupon.name is a number, not a string"],
    [
      "when a word is none of an enum's",
      { ...coupon, duration: "x" },
      'coupon.duration is a string: "x" is none of its words',
    ],
    ["inside", { ...coupon, applies_to: { products: [1] } }, "coupon.applies_to.products[0] is a number, not a string"],
    ["in a list", { object: "list", data: [lacking], has_more: false, url: "/" }, "data[0]: coupon.valid is missing"],
    ["when nobody knows it", { object: "nonsense" }, "no shape is known for nonsense"],
    ["when it is no object", "text", "the answer is no object but a string"],
  ])("%s", (_title, answer, problem) => {
    expect(shapeProblems(answer)).toEqual([problem]);
  });

  it("measures an expanded reference against its own shape", () => {
    const fields = { invoice: { id: "in_1", object: "invoice" } };
    const problems = shapeProblems(blank("invoice_payment", { ...given("invoice_payment", () => 0), ...fields }));
    expect(problems).toContain("invoice_payment.invoice.lines is missing");
  });

  it("unless it is deleted, which has a shape of its own", () => {
    expect(shapeProblems({ id: "cus_1", object: "customer", deleted: true })).toEqual([]);
    expect(shapeProblems({ id: "cus_1", object: "customer", deleted: true, name: null })).toHaveLength(1);
  });
});
