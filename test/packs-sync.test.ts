// Packs and plans kept equal with Stripe, in the sandbox: made, changed, found, and healed after a crash.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import { ensureSamplePacks, followConnections, syncDueOffers, syncNow } from "../src/billing/pack-sync.ts";
import { findOffer } from "../src/billing/pack-sync-rows.ts";
import { connectAccount } from "../src/connections/connection-table.ts";
import type { OfferRef } from "../src/credits/offer.ts";
import { markChanged } from "../src/credits/offer-table.ts";
import { activePacks, insertPack, packOfPrice, type SoldPack } from "../src/credits/pack-table.ts";
import { activePlans } from "../src/credits/plan-table.ts";
import { openOfferScene, type OfferScene } from "./support/offer-scene.ts";
import { BOTH } from "./support/pipe.ts";

describe.each(BOTH)("packs and plans at Stripe, %s", (kind) => {
  let scene: OfferScene;
  beforeAll(async () => {
    scene = await openOfferScene(kind);
  });
  afterAll(async () => scene.close());

  it("a fresh sandbox sells three packs and two plans at once, and a second start makes nothing more", async () => {
    await ensureSamplePacks(scene.syncing);
    const mode = { tenantId: scene.syncing.platformTenant, livemode: false };
    const packs = await activePacks(scene.syncing.database, mode);
    expect(packs.map(({ credits, amount, currency }) => [credits, amount, currency])).toEqual([
      [100, 1_000, "usd"],
      [500, 4_500, "usd"],
      [2_000, 16_000, "usd"],
    ]);
    expect((await activePlans(scene.syncing.database, mode)).map(({ name }) => name)).toEqual(["Starter", "Team"]);
    expect(scene.sandbox.objects("price")).toHaveLength(5);
    for (const pack of packs) {
      const price = await scene.sandbox.stripe.prices.retrieve(pack.priceId);
      expect([price.unit_amount, price.active, price.metadata.credits]).toEqual([
        pack.amount,
        true,
        String(pack.credits),
      ]);
    }
    await ensureSamplePacks(scene.syncing);
    expect(scene.sandbox.objects("price")).toHaveLength(5);
  });

  it("what the sandbox's small world sells becomes the samples", async () => {
    const other = await openOfferScene(kind);
    try {
      other.sandbox.seed();
      await ensureSamplePacks(other.syncing);
      const mode = { tenantId: other.syncing.platformTenant, livemode: false };
      expect((await activePacks(other.syncing.database, mode)).map(({ credits }) => credits)).toEqual([
        100, 500, 2_000,
      ]);
      expect((await activePlans(other.syncing.database, mode)).map(({ name }) => name)).toEqual([
        "Starter",
        "Team",
        "Business",
      ]);
      expect(other.sandbox.objects("price")).toHaveLength(6);
    } finally {
      await other.close();
    }
  });

  it("two nodes that bring one pack to Stripe at once make one product and one price", async () => {
    const ref = await newPack(scene);
    const before = scene.sandbox.objects("price").length;
    const other = { ...scene.syncing, newLease: () => newId("node") };
    await Promise.all([scene.syncing, other, scene.syncing].map((node) => syncNow(node, ref, { patience: "request" })));
    expect(scene.sandbox.objects("price")).toHaveLength(before + 1);
  });

  it("what a call made whose answer was lost is found, not made again", async () => {
    const { syncing, sandbox, pipe } = scene;
    const ref = await newPack(scene);
    scene.trouble.next = ["none", "after"];
    await expect(syncNow(syncing, ref, { patience: "request" })).rejects.toThrow("died");
    await scene.endLeases();
    // Its answer was lost: the next one finds what it made.
    const before = sandbox.objects("price").length;
    await syncNow(syncing, ref, { patience: "request" });
    expect(sandbox.objects("price")).toHaveLength(before);
    const offer = await pipe.database.transaction((tx) => findOffer(tx, ref));
    await syncing.stripe.call({ livemode: false, account: "", idempotencyKey: newId("req") }, (client, options) =>
      client.products.update(offer?.productId ?? "", { active: false }, options),
    );
    expect((await syncNow(syncing, ref, { patience: "request", pendingOnly: false })).done).toEqual([
      `update the product ${ref.id}: active`,
    ]);
  });

  it("a tenant that connects another Stripe account finds its packs there", async () => {
    const { pipe, sandbox, syncing } = scene;
    const tenantId = newId("ten");
    await pipe.database.query({ text: "insert into tenants (id) values ($1)", values: [tenantId] });
    const [first, second] = [await sandbox.stripe.accounts.create({}), await sandbox.stripe.accounts.create({})];
    const connect = (account: string): Promise<void> =>
      pipe.database.transaction((tx) => connectAccount(tx, tenantId, { livemode: false, account }));
    await connect(first.id);
    const ref = await newPack(scene, tenantId);
    await syncNow(syncing, ref, { patience: "request" });
    const sold = (): Promise<SoldPack[]> => activePacks(pipe.database, { tenantId, livemode: false });
    expect(await sold()).toMatchObject([{ id: ref.id, stripeAccount: first.id }]);
    const [old] = await sold();
    await pipe.database.query({
      text: "update connections set status = 'disconnected', disconnected_at = now(), disconnected_reason = 'disconnected' where tenant_id = $1",
      values: [tenantId],
    });
    await connect(second.id);
    expect(await followConnections(syncing)).toBe(1);
    while ((await syncDueOffers(syncing)) !== "none");
    expect(await followConnections(syncing)).toBe(0);
    expect(await sold()).toMatchObject([{ id: ref.id, stripeAccount: second.id, amount: 500 }]);
    // What was begun on the first account is still resolved.
    const where = { tenantId, livemode: false, stripeAccount: first.id, priceId: old?.priceId ?? "" };
    expect(await packOfPrice(pipe.database, where)).toMatchObject({ id: ref.id, credits: 50 });
  });
});

async function newPack({ syncing }: OfferScene, tenantId = syncing.platformTenant): Promise<OfferRef> {
  const ref = { tenantId, livemode: false, id: newId("pack") };
  const plain = { key: null, interval: null, intervalCount: null, features: [], planGroup: null, trialDays: null };
  const pack = { name: "Fifty", credits: 50, amount: 500, currency: "usd", active: true };
  await syncing.database.transaction(async (tx) => {
    await insertPack(tx, { ...ref, ...plain, ...pack, operationId: null });
    await markChanged(tx, ref);
  });
  return ref;
}
