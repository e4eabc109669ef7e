// Whatever is edited, and wherever Stripe or the process fails in between: the next syncs make packs, plans and Stripe equal.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import { syncOffers } from "../src/billing/pack-sync-all.ts";
import { syncNow } from "../src/billing/pack-sync.ts";
import { findOffer, OFFER_ROWS, PREFIX } from "../src/billing/pack-sync-rows.ts";
import type { Interval, Offer, OfferFields, OfferKind, OfferRef } from "../src/credits/offer.ts";
import { markChanged } from "../src/credits/offer-table.ts";
import { openOfferScene, type OfferScene, type Trouble } from "./support/offer-scene.ts";
import { BOTH } from "./support/pipe.ts";

type Act =
  | { act: "edit"; amount: number; name: string; active: boolean; brings: number }
  | { act: "sync" }
  | { act: "from stripe" }
  /** Somebody at Stripe's dashboard. */
  | { act: "rename there"; name: string }
  | { act: "archive there" };

interface Step {
  act: Act;
  troubles: Trouble[];
}

const amount = fc.constantFrom(1_000, 1_500, 2_000);
const name = fc.constantFrom("One", "Two", "Three");
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant("edit" as const),
      amount,
      name,
      active: fc.boolean(),
      brings: fc.constantFrom(1, 2),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ act: "sync" as const }) },
  fc.constant({ act: "from stripe" as const }),
  fc.record({ act: fc.constant("rename there" as const), name }),
  fc.constant({ act: "archive there" as const }),
);
const trouble: fc.Arbitrary<Trouble> = fc.constantFrom("none", "none", "down", "lost", "before", "after");
const steps = fc.array(fc.record({ act, troubles: fc.array(trouble, { maxLength: 6 }) }), {
  minLength: 1,
  maxLength: 8,
});

describe.each(BOTH)("packs and plans converge, %s", (kind) => {
  let scene: OfferScene;
  beforeAll(async () => {
    scene = await openOfferScene(kind);
  });
  afterAll(async () => scene.close());

  it.each<OfferKind>(["credit_pack", "plan"])(
    "any sequence of edits, syncs and failures ends with Stripe equal to the %s",
    async (offerKind) => {
      await fc.assert(
        fc.asyncProperty(steps, async (sequence) => {
          const ref = await begin(scene, offerKind);
          for (const step of sequence) await take(scene, ref, offerKind, step);
          scene.trouble.next = [];
          await scene.endLeases();
          await syncNow(scene.syncing, ref, { patience: "background", pendingOnly: false });
          await expectEqual(scene, ref);
        }),
        { numRuns: 30 },
      );
    },
    240_000,
  );

  it("a second sync says that there is nothing to do", async () => {
    const { platformTenant: tenant } = scene.syncing;
    for (const offerKind of ["credit_pack", "plan"] as const) {
      const request = { kind: offerKind, livemode: false, tenant, fromStripe: false, dryRun: true };
      expect(await syncOffers(scene.syncing, request)).toEqual({ actions: [], failures: [] });
      expect(await syncOffers(scene.syncing, { ...request, fromStripe: true })).toEqual({ actions: [], failures: [] });
    }
  }, 60_000);
});

async function begin({ syncing }: OfferScene, kind: OfferKind): Promise<OfferRef> {
  const ref = { tenantId: syncing.platformTenant, livemode: false, id: newId(PREFIX[kind]) };
  await syncing.database.transaction(async (tx) => {
    await OFFER_ROWS[kind].insert(tx, { ...ref, ...fieldsFor(kind, 1), operationId: null });
    await markChanged(tx, ref);
  });
  return ref;
}

function fieldsFor(kind: OfferKind, brings: number): OfferFields {
  const pack = kind === "credit_pack";
  const interval: Interval = brings === 1 ? "month" : "year";
  return {
    ...{ key: null, name: "One", active: true, amount: 1_000, currency: "usd", credits: pack ? brings * 100 : null },
    ...{
      interval: pack ? null : interval,
      intervalCount: pack ? null : 1,
      features: pack ? [] : [`Brings ${String(brings)}`],
    },
    ...{ planGroup: pack ? null : "default", trialDays: null },
  };
}

async function take(scene: OfferScene, ref: OfferRef, kind: OfferKind, { act: given, troubles }: Step): Promise<void> {
  const { syncing, sandbox, trouble: troubled } = scene;
  const { database } = syncing;
  const offer = await database.transaction((tx) => findOffer(tx, ref));
  if (offer === undefined) throw new Error("the offer is gone");
  switch (given.act) {
    case "edit": {
      const { amount: price, name: called, active, brings } = given;
      const fields = { ...fieldsFor(kind, brings), amount: price, name: called, active };
      await database.transaction(async (tx) => {
        await OFFER_ROWS[kind].update(tx, ref, fields);
        await markChanged(tx, ref);
      });
      return;
    }
    case "rename there":
      if (offer.productId !== null) await sandbox.stripe.products.update(offer.productId, { name: given.name });
      return;
    case "archive there":
      await archive(scene, offer);
      return;
    case "sync":
    case "from stripe": {
      troubled.next = [...troubles];
      await scene.endLeases();
      const sync =
        given.act === "sync" ? syncNow(syncing, ref, { patience: "background", pendingOnly: false }) : undefined;
      const request = { kind, livemode: false, tenant: ref.tenantId, fromStripe: true, dryRun: false };
      await (sync ?? syncOffers(syncing, request)).catch(() => undefined);
      troubled.next = [];
    }
  }
}

async function archive({ sandbox }: OfferScene, { priceId, productId }: Offer): Promise<void> {
  if (priceId === null || productId === null) return;
  // Stripe keeps a default price active.
  const { default_price: kept } = await sandbox.stripe.products.retrieve(productId);
  if (kept !== priceId) await sandbox.stripe.prices.update(priceId, { active: false });
}

async function expectEqual({ syncing, sandbox }: OfferScene, ref: OfferRef): Promise<void> {
  const offer = await syncing.database.transaction((tx) => findOffer(tx, ref));
  if (offer === undefined || offer.priceId === null || offer.productId === null)
    throw new Error("it was not brought to Stripe");
  expect([offer.syncedRevision, offer.errorCode]).toEqual([offer.revision, null]);
  const field = offer.kind === "plan" ? "billhook_plan" : "billhook_credit_pack";
  const products = sandbox.objects("product").filter(({ metadata }) => metadata[field] === ref.id);
  expect(products.map(({ id }) => id)).toEqual([offer.productId]);
  expect(products[0]).toMatchObject({ name: offer.name, active: offer.active });
  expect(products[0]?.marketing_features.map((feature) => feature.name)).toEqual(offer.features);
  const price = await sandbox.stripe.prices.retrieve(offer.priceId);
  expect([price.unit_amount, price.currency, price.product]).toEqual([offer.amount, offer.currency, offer.productId]);
  expect(price.metadata.credits).toBe(offer.credits === null ? undefined : String(offer.credits));
  expect(price.recurring?.interval).toBe(offer.interval ?? undefined);
  const marked = sandbox.objects("price").filter(({ metadata }) => metadata[field] === ref.id);
  // One price for each of the terms that it ever had, and of them only this one sells.
  const terms = marked.map(({ unit_amount, metadata, recurring }) =>
    [unit_amount, metadata.credits, recurring?.interval].join(),
  );
  expect(new Set(terms).size).toBe(terms.length);
  if (offer.active) expect(marked.filter(({ active }) => active).map(({ id }) => id)).toEqual([offer.priceId]);
}
