// Tests of the parameter checks: types given, and each of Stripe's refusals.
import { describe, expect, it } from "vitest";

import { StripeFailure } from "./errors.ts";
import { LEGACY_PARAMETERS, REPLACED_PARAMETERS } from "./legacy-parameters.ts";
import { checkParameters, KNOWN_ROUTES } from "./parameters.ts";

function refusal(route: string, raw: Record<string, unknown>): Record<string, unknown> {
  try {
    checkParameters(route, raw);
  } catch (failure) {
    if (failure instanceof StripeFailure) return { status: failure.status, ...failure.body };
    throw failure;
  }
  throw new Error("nothing was refused");
}

const INTENT = { amount: "2000", currency: "usd" };

describe("parameters", () => {
  it("get the types that the route declares", () => {
    const raw = {
      ...INTENT,
      confirm: "true",
      metadata: { order: "6735", empty: "" },
      expand: ["customer"],
      off_session: "one_off",
      shipping: { name: "Jenny", address: { line1: "Main" } },
    };
    expect(checkParameters("POST /v1/payment_intents", raw)).toEqual({ ...raw, amount: 2000, confirm: true });
    expect(checkParameters("POST /v1/payment_intents", { ...INTENT, off_session: "false" })).toMatchObject({
      off_session: false,
    });
    expect(checkParameters("POST /v1/coupons", { percent_off: "12.5" })).toEqual({ percent_off: 12.5 });
    expect(checkParameters("POST /v1/prices", { currency: "usd", unit_amount_decimal: "0.5" })).toEqual({
      currency: "usd",
      unit_amount_decimal: "0.5",
    });
  });

  it("may write arrays by their places, in any order", () => {
    const items = { "1": { price: "price_b", quantity: "2" }, "0": { price: "price_a" } };
    expect(checkParameters("POST /v1/subscriptions", { customer: "cus_1", items })).toEqual({
      customer: "cus_1",
      items: [{ price: "price_a" }, { price: "price_b", quantity: 2 }],
    });
  });

  it("that are a word, a number or a range are told apart", () => {
    expect(checkParameters("POST /v1/subscriptions", { trial_end: "now" })).toEqual({ trial_end: "now" });
    expect(checkParameters("POST /v1/subscriptions", { trial_end: "1700000000" })).toEqual({ trial_end: 1700000000 });
    expect(checkParameters("GET /v1/charges", { created: { gte: "5" } })).toEqual({ created: { gte: 5 } });
    expect(checkParameters("GET /v1/charges", { created: "5", limit: "3" })).toEqual({ created: 5, limit: 3 });
  });

  it("may be emptied where the route lets them", () => {
    expect(checkParameters("POST /v1/customers/*", { metadata: "", shipping: "" })).toEqual({
      metadata: "",
      shipping: "",
    });
    expect(checkParameters("POST /v1/payment_intents", { ...INTENT, metadata: "" })).toMatchObject({ metadata: {} });
  });

  it("of a route that is not in the table are taken as they are", () => {
    expect(checkParameters("POST /v1/payment_pages/*/confirm", { any: "thing" })).toEqual({ any: "thing" });
  });

  it("that nobody declares are kept apart from what every object has", () => {
    expect(refusal("POST /v1/customers", { constructor: "x" })).toMatchObject({ param: "constructor" });
    const hostile = JSON.parse('{"metadata":{"__proto__":"x"}}') as Record<string, unknown>;
    const { metadata } = checkParameters("POST /v1/customers", hostile);
    expect(Object.keys(metadata as object)).toEqual(["__proto__"]);
  });

  it("of older callers are taken where Stripe still takes them", () => {
    expect(checkParameters("POST /v1/promotion_codes", { coupon: "c" })).toEqual({ coupon: "c" });
    expect(checkParameters("POST /v1/payment_intents", { ...INTENT, payment_method_types: ["card"] })).toMatchObject({
      payment_method_types: ["card"],
    });
    const bank = { customer_balance: { bank_transfer: { type: "jp_bank_account" } } };
    expect(checkParameters("POST /v1/payment_intents", { ...INTENT, payment_method_options: bank })).toMatchObject({
      payment_method_options: bank,
    });
    for (const route of [...Object.keys(LEGACY_PARAMETERS), ...Object.keys(REPLACED_PARAMETERS)]) {
      expect(KNOWN_ROUTES).toContain(route);
    }
  });
});

describe("Stripe refuses", () => {
  it.each([
    [
      "an unknown parameter",
      "POST /v1/customers",
      { foo: "1" },
      { code: "parameter_unknown", message: "Received unknown parameter: foo", param: "foo" },
    ],
    [
      "several, nested, before anything else",
      "POST /v1/subscriptions",
      { items: [{ foo: "1", quantity: "many" }], bar: "1" },
      { code: "parameter_unknown", message: "Received unknown parameters: items[0][foo], bar", param: "items[0][foo]" },
    ],
    [
      "a missing one",
      "POST /v1/payment_intents",
      { currency: "usd" },
      { code: "parameter_missing", message: "Missing required param: amount.", param: "amount" },
    ],
    [
      "a missing one inside",
      "POST /v1/tokens",
      { card: { number: "4242424242424242", exp_year: "2030" } },
      { code: "parameter_missing", message: "Missing required param: card[exp_month].", param: "card[exp_month]" },
    ],
    [
      "a wrong integer",
      "POST /v1/payment_intents",
      { ...INTENT, amount: "abc" },
      { code: "parameter_invalid_integer", message: "Invalid integer: abc", param: "amount" },
    ],
    [
      "a fraction of a cent",
      "POST /v1/payment_intents",
      { ...INTENT, amount: "20.5" },
      { code: "parameter_invalid_integer", message: "Invalid integer: 20.5", param: "amount" },
    ],
    [
      "a wrong decimal",
      "POST /v1/prices",
      { currency: "usd", unit_amount_decimal: "1,5" },
      { message: "Invalid decimal: 1,5", param: "unit_amount_decimal" },
    ],
    [
      "a wrong boolean",
      "POST /v1/payment_intents",
      { ...INTENT, confirm: "x" },
      { message: "Invalid boolean: x", param: "confirm" },
    ],
    [
      "a word that is none of the known",
      "POST /v1/coupons",
      { duration: "always" },
      { message: "Invalid duration: must be one of forever, once, or repeating", param: "duration" },
    ],
    [
      "text for an object",
      "POST /v1/customers",
      { shipping: "here" },
      { message: "Invalid object", param: "shipping" },
    ],
    ["text for an array", "POST /v1/customers", { expand: "x" }, { message: "Invalid array", param: "expand" }],
    [
      "an object for text",
      "POST /v1/customers",
      { name: { a: "1" } },
      { message: 'Invalid string: {"a":"1"}', param: "name" },
    ],
    [
      "a wrong number where a range would do",
      "GET /v1/charges",
      { created: "soon" },
      { code: "parameter_invalid_integer", message: "Invalid integer: soon", param: "created" },
    ],
    [
      "nothing where something must be",
      "POST /v1/customers",
      { name: "" },
      {
        code: "parameter_invalid_empty",
        message:
          "You passed an empty string for 'name'. We assume empty values are an attempt to unset a parameter; however 'name' cannot be unset. You should remove 'name' from your request or supply a non-empty value.",
        param: "name",
      },
    ],
  ])("%s", (_, route, raw, expected) => {
    expect(refusal(route, raw)).toMatchObject({ status: 400, type: "invalid_request_error", ...expected });
  });
});
