// From Stripe to our rows: what an account sells becomes packs and plans, or changes those that are known.
import { newId } from "../base/ids.ts";
import {
  changedFields,
  fieldsOf,
  type NewOffer,
  type Offer,
  type OfferKind,
  type OfferRef,
  termsText,
} from "../credits/offer.ts";
import { markImported, type OfferPrice, readPrices, recordPrices } from "../credits/offer-table.ts";
import type { Queryable } from "../db/database.ts";
import { listPrices, listProducts, type Place } from "./pack-sync-calls.ts";
import { findOffers, type FoundOffer } from "./pack-sync-found.ts";
import { OFFER_ROWS, PREFIX } from "./pack-sync-rows.ts";
import { MARKS, termsOf } from "./pack-sync-steps.ts";
import type { ResumableContext } from "./resumable.ts";

export interface ImportTarget {
  tenantId: string;
  livemode: boolean;
  account: string;
}

/** One line of what was done, or would be. */
export interface SyncAction {
  tenantId: string;
  livemode: boolean;
  kind: OfferKind;
  /** null: it would be made. */
  id: string | null;
  key: string | null;
  name: string;
  /** Where the change is. */
  at: "billhook" | "stripe";
  action: string;
}

/** Rows that were found at Stripe, and what was changed in them. Those that changed are to be brought to Stripe: it marks them. */
export interface Imported {
  actions: SyncAction[];
  touched: OfferRef[];
}

/** Asks Stripe for everything that the account sells, and makes the rows equal. `dryRun`: says what it would do. */
export async function importOffers(
  { database, stripe }: Pick<ResumableContext, "database" | "stripe">,
  target: ImportTarget,
  kind: OfferKind,
  { dryRun, patience = "background" }: { dryRun: boolean; patience?: Place["patience"] },
): Promise<Imported> {
  const place: Place = { livemode: target.livemode, account: target.account, patience };
  const [products, prices] = [await listProducts(stripe, place), await listPrices(stripe, place)];
  return database.transaction(async (tx) => {
    await tx.query({ text: ONE_AT_A_TIME, values: [`offers|${target.tenantId}|${String(target.livemode)}|${kind}`] });
    const offers = await OFFER_ROWS[kind].read(tx, target, { lock: true });
    const here = offers.filter(({ stripeAccount }) => stripeAccount === target.account);
    const found = findOffers(products, prices, kind, new Set(here.flatMap(({ priceId }) => priceId ?? [])));
    const knownAs = await knownOffers(tx, target, offers);
    const taken = new Set<string>();
    const actions: SyncAction[] = [];
    const touched: OfferRef[] = [];
    for (const one of found) {
      const { known, keyTaken } = knownAs(one);
      // A copy of it that somebody made at Stripe.
      if (known !== undefined && taken.has(known.id)) continue;
      if (known !== undefined) taken.add(known.id);
      const done = await importOne(tx, target, keyTaken ? withoutKey(one) : one, known, dryRun);
      actions.push(...done.actions);
      touched.push(...done.touched);
    }
    return { actions, touched };
  });
}

/** By the id that it is marked with, by a price that we know, else by the key of one that is not sold there yet. */
async function knownOffers(
  tx: Queryable,
  target: ImportTarget,
  offers: readonly Offer[],
): Promise<(found: FoundOffer) => { known: Offer | undefined; keyTaken: boolean }> {
  const prices = await readPrices(tx, target);
  const byId = new Map(offers.map((offer) => [offer.id, offer]));
  const byKey = new Map(offers.flatMap((offer) => (offer.key === null ? [] : [[offer.key, offer]])));
  const byPrice = new Map(
    prices.filter(({ account }) => account === target.account).map(({ priceId, offerId }) => [priceId, offerId]),
  );
  return ({ id, price, fields }) => {
    const holder = byKey.get(fields.key ?? "");
    const sold = holder?.stripeAccount === target.account && holder.priceId !== null;
    const known = byId.get(id ?? "") ?? byId.get(byPrice.get(price.id) ?? "") ?? (sold ? undefined : holder);
    return { known, keyTaken: holder !== undefined && holder.id !== known?.id };
  };
}

async function importOne(
  tx: Queryable,
  target: ImportTarget,
  found: FoundOffer,
  known: Offer | undefined,
  dryRun: boolean,
): Promise<Imported> {
  const { kind, price, product, productOwned } = found;
  const { tenantId, livemode, account } = target;
  // A product that sells several is called what it is called there: theirs keep the name that they have here.
  const kept = known === undefined ? {} : { key: known.key, ...(productOwned ? {} : { name: known.name }) };
  const fields = { ...found.fields, ...kept };
  const here = known?.stripeAccount === account && known.priceId === price.id && known.productId === product.id;
  const changed = known === undefined ? [] : changedFields(fieldsOf(known), fields);
  if (known !== undefined && here && changed.length === 0) return { actions: [], touched: [] };
  const line = { tenantId, livemode, kind, key: fields.key, name: fields.name, at: "billhook" } as const;
  const action =
    known === undefined
      ? `make the ${kind.replace("_", " ")}: ${termsText(fields)}`
      : changed.length > 0
        ? `change ${changed.join(", ")}: ${termsText(fields)}`
        : `link the price ${price.id}`;
  if (dryRun) return { actions: [{ ...line, id: known?.id ?? found.id ?? null, action }], touched: [] };
  const ref = { tenantId, livemode, id: known?.id ?? found.id ?? newId(PREFIX[kind]) };
  if (known === undefined) await insertFound(tx, kind, { ...ref, ...fields, operationId: null });
  else if (changed.length > 0) await OFFER_ROWS[kind].update(tx, ref, fields);
  await recordPrices(tx, ref, historyOf(found, account, ref.id));
  await OFFER_ROWS[kind].recordPrice(tx, ref, { productId: product.id, priceId: price.id });
  await markImported(tx, ref, { account, productOwned });
  return { actions: [{ ...line, id: ref.id, action }], touched: [ref] };
}

/** Another one has it, which is sold by another price. */
function withoutKey(found: FoundOffer): FoundOffer {
  return { ...found, fields: { ...found.fields, key: null } };
}

async function insertFound(tx: Queryable, kind: OfferKind, offer: NewOffer): Promise<void> {
  const made = await OFFER_ROWS[kind].insert(tx, offer);
  if (!made) throw new Error(`${offer.id} is there already, under the lock that should prevent it`);
}

/** Its price, and the older ones that are marked as its own. */
function historyOf({ kind, price, prices, product }: FoundOffer, account: string, offerId: string): OfferPrice[] {
  return prices.flatMap((one) => {
    const terms = termsOf(one, product.metadata);
    const own = one.id === price.id || one.metadata[MARKS[kind]] !== undefined;
    if (terms === undefined || !own) return [];
    return [{ ...terms, account, offerId, priceId: one.id, productId: one.productId }];
  });
}

const ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
