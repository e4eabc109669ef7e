// Credit packs and plans kept equal with Stripe's products and prices: at once, in the background, and the sandbox's samples.
import { setTimeout as sleep } from "node:timers/promises";

import { newId } from "../base/ids.ts";
import { isSyncPending, type Offer, type OfferFields, type OfferKind, type OfferRef } from "../credits/offer.ts";
import { claimDueSyncs, claimSync, markChanged, requeueMoved } from "../credits/offer-table.ts";
import type { Found } from "../work/claim-loop.ts";
import type { Place } from "./pack-sync-calls.ts";
import { importOffers } from "./pack-sync-import.ts";
import { syncOffer, type Synced } from "./pack-sync-one.ts";
import { findOffer, OFFER_ROWS, PREFIX } from "./pack-sync-rows.ts";
import { type ResumableContext, STEP_LEASE_SECONDS } from "./resumable.ts";

const AT_ONCE = 4;
/** How often, and how long, somebody who has the lease is waited for. */
const LOOK_MS = 50;
const WAIT_MS = 10_000;

/**
 * Brings one pack or plan to Stripe now; another one who does so is waited for. `pendingOnly`: only if Stripe is still to be
 * told something of it.
 */
export async function syncNow(
  syncing: ResumableContext,
  ref: OfferRef,
  { patience, pendingOnly = true }: { patience: Place["patience"]; pendingOnly?: boolean },
): Promise<Synced> {
  const lease = { name: syncing.newLease(), seconds: STEP_LEASE_SECONDS };
  const until = syncing.clock.monotonic() + WAIT_MS;
  for (;;) {
    const claimed = await syncing.database.transaction((tx) => claimSync(tx, ref, lease, { pendingOnly }));
    if (claimed) return syncOffer(syncing, ref, lease.name, patience);
    const offer = await syncing.database.transaction((tx) => findOffer(tx, ref));
    if (offer === undefined || (pendingOnly && !isSyncPending(offer))) return { outcome: "equal", done: [] };
    if (syncing.clock.monotonic() > until) return { outcome: "later", done: [] };
    await sleep(LOOK_MS);
  }
}

/** Goes on with what is due, a few at a time, in the modes that there is a key for. */
export async function syncDueOffers(syncing: ResumableContext): Promise<Found> {
  const modes = [true, false].filter((livemode) => syncing.stripe.has(livemode));
  const lease = { name: syncing.newLease(), seconds: STEP_LEASE_SECONDS };
  const due = await syncing.database.transaction((tx) => claimDueSyncs(tx, { modes, limit: AT_ONCE }, lease));
  const results = await Promise.allSettled(due.map((ref) => syncOffer(syncing, ref, lease.name, "background")));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return due.length === 0 ? "none" : due.length < AT_ONCE ? "some" : "full";
}

/** What belongs to a tenant whose Stripe account is another one now has to be made there. */
export async function followConnections({ database }: Pick<ResumableContext, "database">): Promise<number> {
  return database.transaction((tx) => requeueMoved(tx));
}

const PACK = { interval: null, intervalCount: null, features: [], planGroup: null, trialDays: null, active: true };
const PLAN = { credits: null, interval: "month", intervalCount: 1, planGroup: "default", active: true } as const;
const USD = "usd";

/** What a fresh sandbox sells, so that a stranger can buy at once. */
export const SAMPLES: Record<OfferKind, readonly OfferFields[]> = {
  credit_pack: [
    { ...PACK, key: "credits_100", name: "100 credits", credits: 100, amount: 1_000, currency: USD },
    { ...PACK, key: "credits_500", name: "500 credits", credits: 500, amount: 4_500, currency: USD },
    { ...PACK, key: "credits_2000", name: "2,000 credits", credits: 2_000, amount: 16_000, currency: USD },
  ],
  plan: [
    { ...PLAN, key: "starter", name: "Starter", amount: 900, currency: USD, features: ["One person"], trialDays: null },
    { ...PLAN, key: "team", name: "Team", amount: 2_900, currency: USD, features: ["Ten people"], trialDays: 14 },
  ],
};

/**
 * Packs and plans of the platform in test mode, where it has none: those that Stripe sells already, else three packs and two
 * plans, made there too. Only for the sandbox. Run again, it goes on where it stopped, and changes nothing that is there.
 */
export async function ensureSamplePacks(syncing: ResumableContext): Promise<void> {
  const { database, platformTenant: tenantId } = syncing;
  const mode = { tenantId, livemode: false };
  for (const kind of ["credit_pack", "plan"] as const) {
    const read = (): Promise<Offer[]> => database.transaction((tx) => OFFER_ROWS[kind].read(tx, mode));
    if ((await read()).length === 0) await importOffers(syncing, { ...mode, account: "" }, kind, { dryRun: false });
    if ((await read()).length === 0) await insertSamples(syncing, mode, kind);
    for (const offer of await read()) {
      if (isSyncPending(offer)) await syncNow(syncing, offer, { patience: "background" });
    }
  }
}

async function insertSamples(
  { database }: Pick<ResumableContext, "database">,
  mode: Omit<OfferRef, "id">,
  kind: OfferKind,
): Promise<void> {
  await database.transaction(async (tx) => {
    for (const sample of SAMPLES[kind]) {
      const ref = { ...mode, id: newId(PREFIX[kind]) };
      // Another node may have made it a moment ago.
      const made = await OFFER_ROWS[kind].insert(tx, { ...ref, ...sample, operationId: null });
      if (made) await markChanged(tx, ref);
    }
  });
}
