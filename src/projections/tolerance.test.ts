// Whatever an object looks like, its projection reads it without throwing, and into values that its columns can store.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { event, observed } from "../../test/support/stripe-fixtures.ts";
import { everyHandledEvent } from "../../test/support/stripe-fixtures-events.ts";
import { storableText } from "../base/text.ts";
import type { Observation, StripeObject } from "./observation.ts";
import type { ColumnType, Projection } from "./projection.ts";
import { customerOf, emailOf, objectTypeOf, projectionOf, PROJECTIONS } from "./registry.ts";

const RUNS = 2_000;
/** Objects of this size take minutes to shrink: the first counterexample is told as it is. */
const FIRST = { endOnFailure: true } as const;

const FITS: Record<ColumnType, (value: unknown) => boolean> = {
  text: (value) => typeof value === "string",
  bigint: (value) => Number.isSafeInteger(value),
  boolean: (value) => typeof value === "boolean",
  time: (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 253_402_300_800,
  json: (value) => typeof value === "object",
  decimal: (value) => typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value),
};

function misfits(columns: Record<string, ColumnType>, row: Record<string, unknown>): string[] {
  return Object.entries(columns)
    .filter(([name, type]) => row[name] !== null && row[name] !== undefined && !FITS[type](row[name]))
    .map(([name]) => name);
}

function readEverything(projection: Projection, observation: Observation): void {
  const { object } = observation;
  const row = projection.row(object, observation);
  expect(Object.keys(row).sort()).toEqual(Object.keys(projection.columns).sort());
  expect(misfits(projection.columns, row)).toEqual([]);
  for (const child of projection.children ?? []) {
    for (const one of child.rows(object)) expect(misfits(child.columns, one)).toEqual([]);
  }
  for (const one of projection.facts?.(object, observation) ?? []) {
    if (one)
      expect([typeof one.type, typeof one.naturalKey, one.naturalKey.length < 2_000]).toEqual([
        "string",
        "string",
        true,
      ]);
  }
  for (const number of projection.rank?.(object) ?? []) expect(number).not.toBeNaN();
  expect(typeof (projection.terminal?.(object) ?? false)).toBe("boolean");
  expect(customerOf(object)?.length ?? 0).toBeLessThan(256);
  expect(emailOf(object)?.length ?? 0).toBeLessThan(1_025);
  const kind = objectTypeOf(observation.type, object);
  expect(kind.length).toBeLessThan(256);
  for (const text of [customerOf(object) ?? "", emailOf(object) ?? "", kind]) expect(text).toBe(storableText(text));
}

const nasty = fc.oneof(
  fc.constantFrom(
    null,
    "",
    "x",
    "a\0b@example.com",
    "\ud800",
    -1,
    0.5,
    1e300,
    2 ** 53,
    true,
    false,
    [],
    {},
    [null],
    { id: 5 },
    { data: "x" },
    { data: [null, 1, {}] },
  ),
  fc.jsonValue(),
  fc.string({ minLength: 1_000, maxLength: 3_000 }),
);

/** An object with the names that this kind reads, and anything behind them. */
function anyObject(projection: Projection): fc.Arbitrary<StripeObject> {
  const sample = samples.find((one) => projectionOf(one.objectType) === projection)?.object ?? {};
  return fc.dictionary(
    fc.constantFrom(...Object.keys(sample), "customer", "discount", "parent", "lines", "items"),
    nasty,
  );
}

const samples = everyHandledEvent()
  .flatMap((one) => [one.old, one.new])
  .filter((one) => one !== null)
  .map(observed);

/** The same object with one place in it replaced. */
function mutated(value: unknown, path: readonly number[], replacement: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== "object" || value === null) return replacement;
  const names = Object.keys(value);
  const name = names[step % Math.max(names.length, 1)];
  if (name === undefined) return replacement;
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...(value as unknown[])] as unknown as Record<string, unknown>)
    : { ...value };
  copy[name] = mutated(copy[name], rest, replacement);
  return copy;
}

describe("a projection", () => {
  it.each(PROJECTIONS.map((projection) => [projection.table, projection] as const))(
    "of %s reads any JSON object",
    (_table, projection) => {
      const type = fc.constantFrom(...samples.map((one) => one.type), "thing.retrieved", "");
      fc.assert(
        fc.property(anyObject(projection), type, (object, eventType) => {
          readEverything(projection, { ...observed(event(eventType, object)), objectId: "x_1" });
        }),
        { numRuns: RUNS / 10, ...FIRST },
      );
    },
  );

  it("reads real objects with anything in any one place", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.nat(60), { minLength: 1, maxLength: 5 }),
        nasty,
        (sample, path, replacement) => {
          const object = mutated(sample.object, path, replacement) as StripeObject;
          readEverything(projectionOf(sample.objectType), { ...sample, object });
        },
      ),
      { numRuns: RUNS, ...FIRST },
    );
  });

  it("reads lists as long as a body can hold", () => {
    const long = { data: Array.from({ length: 350_000 }, () => ({})) };
    for (const projection of PROJECTIONS) {
      const object = {
        lines: long,
        items: long,
        payments: long,
        discounts: long.data,
        charges: long,
        total_taxes: long.data,
      };
      readEverything(projection, { ...observed(event("x.updated", object)), objectId: "x_1" });
    }
  });

  it("does not take a field of Object.prototype for Stripe's", () => {
    const object = JSON.parse(
      '{"id":"in_1","object":"invoice","__proto__":{"status":"paid"},"constructor":1}',
    ) as StripeObject;
    expect(projectionOf("invoice").row(object, observed(event("invoice.updated", object))).status).toBeUndefined();
  });
});
