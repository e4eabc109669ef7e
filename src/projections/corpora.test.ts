// Recorded Stripe data is read whole. The recordings lie beside the repository and are read in place; without them these cases are skipped.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { event, observed, type StripeEvent } from "../../test/support/stripe-fixtures.ts";
import type { Observation, StripeObject } from "./observation.ts";
import { projectionOf } from "./registry.ts";

const CORPORA = join(import.meta.dirname, "../../../shared/corpora");
const present = existsSync(CORPORA);
if (!present) console.warn(`The recorded Stripe data is not at ${CORPORA}: the tests that read it are skipped.`);

function read(folder: string): unknown[] {
  const files = readdirSync(join(CORPORA, folder)).filter((file) => file.endsWith(".json"));
  return files.map((file): unknown => JSON.parse(readFileSync(join(CORPORA, folder, file), "utf8")));
}

/** An answer's object, or the objects of the list that it is. Errors have no `object`. */
function objectsOf(body: StripeObject): StripeObject[] {
  if (body.object === "list") return (body.data as StripeObject[]).flatMap(objectsOf);
  return typeof body.object === "string" ? [body] : [];
}

function recordedObservations(): Observation[] {
  const answers = (read("objects/pay") as { body: StripeObject; stripe_version: string }[]).flatMap(
    ({ body, stripe_version }) =>
      objectsOf(body).map((object) =>
        event(`${String(object.object)}.updated`, object, { apiVersion: stripe_version }),
      ),
  );
  const events = read("events/stripe-ruby-mock") as StripeEvent[];
  return [...answers, ...events].map(observed);
}

describe.skipIf(!present)("recorded Stripe data", () => {
  it("has no object with a required field that we cannot read", () => {
    const observations = recordedObservations();
    const unread = observations
      .filter(({ object }) => object.deleted !== true)
      .flatMap((observation) => {
        const { row, table, facts, rank, terminal, children = [] } = projectionOf(observation.objectType);
        facts?.(observation.object, observation);
        rank?.(observation.object);
        terminal?.(observation.object);
        const own = Object.entries(row(observation.object, observation));
        const theirs = children.flatMap((child) => [
          ...child.rows(observation.object).flatMap((one) => Object.entries(one)),
          ...(child.unread?.(observation.object) ?? []).map((name) => [name, undefined] as const),
        ]);
        return [...own, ...theirs]
          .filter(([, value]) => value === undefined)
          .map(([name]) => `${table}.${name} of ${observation.type} (${String(observation.apiVersion)})`);
      });
    expect(observations.length).toBeGreaterThan(300);
    expect([...new Set(unread)]).toEqual([]);
  });

  it("has a subscription and a price wherever a subscription made the invoice", () => {
    const invoices = recordedObservations().filter(({ object }) => object.object === "invoice");
    const made = invoices.filter(({ object }) => String(object.billing_reason).startsWith("subscription"));
    const rows = made.map((observation) => projectionOf("invoice").row(observation.object, observation));
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter((row) => typeof row.subscription_id !== "string" || typeof row.price_id !== "string")).toEqual(
      [],
    );
  });
});
