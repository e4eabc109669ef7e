// Bringing one pack or plan to Stripe, step by step, each written down: whoever goes on with it makes nothing twice.
import { backoff } from "../base/backoff.ts";
import { PublicError } from "../base/errors.ts";
import type { Offer, OfferRef } from "../credits/offer.ts";
import {
  finishSync,
  type OfferPrice,
  putOffSync,
  readPrices,
  recordPlace,
  recordPrices,
  renewSync,
  type SyncLease,
} from "../credits/offer-table.ts";
import type { Queryable } from "../db/database.ts";
import { observe } from "../inbox/observe.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import {
  createPrice,
  createProduct,
  type Place,
  readRemote,
  type Told,
  updatePrice,
  updateProduct,
} from "./pack-sync-calls.ts";
import { accountFor, findOffer, OFFER_ROWS } from "./pack-sync-rows.ts";
import { nextStep, type Remote, type Step, stepText, termsOf, type Wanted } from "./pack-sync-steps.ts";
import { type ResumableContext, STEP_LEASE_SECONDS } from "./resumable.ts";

const BACKOFF = { first: 5_000, factor: 3, max: 3_600_000, jitter: 0.2 };
/** A key that is answered out of Stripe's store of failures is given up after so many attempts. */
const ATTEMPTS_PER_KEY = 4;
/** Far more than any sync takes: what needs more does not come to an end. */
const MOST_STEPS = 200;

export interface Synced {
  /** later: it goes on by itself · refused: not before it is changed · lost: somebody else goes on with it */
  outcome: "equal" | "later" | "refused" | "lost";
  /** What Stripe was asked to do, for people. */
  done: string[];
  failure?: PublicError;
}

/** Brings one to Stripe that the caller has claimed. Throws what is no failure of Stripe's. */
export async function syncOffer(
  syncing: ResumableContext,
  ref: OfferRef,
  lease: string,
  patience: Place["patience"],
): Promise<Synced> {
  const started = syncing.clock.monotonic();
  const synced = await new OneSync(syncing, ref, lease, patience).run();
  const { outcome, failure, done } = synced;
  syncing.log.unit("offer.synced", {
    object: "offer",
    object_id: ref.id,
    tenant: ref.tenantId,
    livemode: ref.livemode,
    count: done.length,
    outcome,
    code: failure?.code,
    duration_ms: Math.round(syncing.clock.monotonic() - started),
  });
  return synced;
}

/** What an offer is to be on this account. */
export async function wantedOf(tx: Queryable, offer: Offer, account: string): Promise<Wanted> {
  const here = offer.stripeAccount === account;
  const prices = await readPrices(tx, offer, [offer.id]);
  return {
    offer,
    known: new Set(prices.filter((price) => price.account === account).map(({ priceId }) => priceId)),
    productId: here ? offer.productId : null,
    priceId: here ? offer.priceId : null,
    productOwned: here ? offer.productOwned : true,
  };
}

/** Another one holds the lease now, and goes on. */
class LeaseLost extends Error {}

class OneSync {
  readonly #syncing: ResumableContext;
  readonly #ref: OfferRef;
  readonly #lease: SyncLease;
  readonly #patience: Place["patience"];
  readonly #done: string[] = [];
  #attempts = 1;
  #steps = 0;

  constructor(syncing: ResumableContext, ref: OfferRef, lease: string, patience: Place["patience"]) {
    this.#syncing = syncing;
    this.#ref = ref;
    this.#lease = { name: lease, seconds: STEP_LEASE_SECONDS };
    this.#patience = patience;
  }

  async run(): Promise<Synced> {
    try {
      await this.#bringToStripe();
      return { outcome: "equal", done: this.#done };
    } catch (error) {
      if (error instanceof LeaseLost) return { outcome: "lost", done: this.#done };
      if (!(error instanceof PublicError)) throw error;
      return this.#putOff(error);
    }
  }

  async #bringToStripe(): Promise<void> {
    const { database, platformTenant, stripe } = this.#syncing;
    const [offer, account, found] = await database.transaction(async (tx) => {
      const read = await findOffer(tx, this.#ref);
      if (read === undefined) throw new LeaseLost();
      this.#attempts = read.attempts;
      const of = await accountFor(tx, this.#ref, platformTenant);
      return [read, of, await wantedOf(tx, read, of)] as const;
    });
    const place: Place = { livemode: offer.livemode, account, patience: this.#patience };
    let wanted = found;
    let remote = await readRemote(stripe, place, wanted.productId ?? offer.id);
    for (let step = nextStep(wanted, remote); step !== undefined; step = nextStep(wanted, remote)) {
      if ((this.#steps += 1) > MOST_STEPS) throw new Error(`the sync of ${offer.id} does not come to an end`);
      [wanted, remote] = await this.#take(step, place, wanted, remote);
    }
    await database.transaction((tx) => finishSync(tx, this.#ref, this.#lease.name, offer.revision));
  }

  async #take(step: Step, place: Place, wanted: Wanted, remote: Remote): Promise<[Wanted, Remote]> {
    const { offer } = wanted;
    if (step.kind === "point") return [await this.#point(step, place, wanted), remote];
    const told = await this.#ask(step, place, offer);
    // Made by a call whose answer was lost.
    if (told === undefined) return [owning(wanted), await readRemote(this.#syncing.stripe, place, offer.id)];
    const text = stepText(offer, step);
    if (text !== undefined) this.#done.push(text);
    await this.#record(told);
    const after = merged(remote, told);
    return [step.kind === "create_product" ? owning(wanted) : wanted, after];
  }

  #ask(step: Exclude<Step, { kind: "point" }>, place: Place, offer: Offer): Promise<Told | undefined> {
    const { stripe } = this.#syncing;
    // Of this claim and step alone: what is repeated under it changes nothing more.
    const key = `${offer.id}:${this.#lease.name}:${String(this.#steps)}`;
    switch (step.kind) {
      case "create_product":
        return createProduct(stripe, place, offer, key);
      case "create_price": {
        const { amount, currency, credits, interval, intervalCount } = offer;
        const terms = [amount, currency, credits ?? "", interval ?? "", intervalCount ?? ""].join("-");
        const round = Math.floor(this.#attempts / ATTEMPTS_PER_KEY);
        const ofTerms = `${offer.id}:price:${step.product.id}:${terms}:${String(round)}`;
        return createPrice(stripe, place, { offer, productId: step.product.id, key: ofTerms });
      }
      case "update_product":
        return updateProduct(stripe, place, { productId: step.product.id, changes: step.changes, key });
      case "update_price":
        return updatePrice(stripe, place, { priceId: step.price.id, changes: step.changes, key });
    }
  }

  /** Sold at this price from now on. */
  async #point(step: Step & { kind: "point" }, { account }: Place, wanted: Wanted): Promise<Wanted> {
    const { offer } = wanted;
    const ids = { productId: step.product.id, priceId: step.price.id };
    const terms = termsOf({
      ...step.price,
      metadata: { ...step.price.metadata, credits: String(offer.credits ?? "") },
    });
    if (terms === undefined) throw new Error(`the price ${step.price.id} has no terms of ours`);
    const price: OfferPrice = { ...terms, ...ids, account, offerId: offer.id };
    await this.#syncing.database.transaction(async (tx) => {
      await this.#renew(tx);
      await recordPrices(tx, this.#ref, [price]);
      await recordPlace(tx, this.#ref, { account, productOwned: wanted.productOwned });
      await OFFER_ROWS[offer.kind].recordPrice(tx, this.#ref, ids);
    });
    return { ...wanted, ...ids };
  }

  async #record({ observed }: Told): Promise<void> {
    const { database, platformTenant, wake } = this.#syncing;
    await database.transaction(async (tx) => {
      await observe(tx, observed, platformTenant);
      await this.#renew(tx);
    });
    wake();
  }

  async #renew(tx: Queryable): Promise<void> {
    if (!(await renewSync(tx, this.#ref, this.#lease))) throw new LeaseLost();
  }

  async #putOff(failure: PublicError): Promise<Synced> {
    const transient = failure instanceof StripeCallError ? failure.transient : true;
    const wait = backoff(Math.max(1, this.#attempts), BACKOFF) / 1000;
    const after = transient ? Math.max(failure.retryAfter ?? 0, wait) : null;
    const { code, message } = failure;
    await this.#syncing.database.transaction((tx) =>
      putOffSync(tx, this.#ref, this.#lease.name, { after, failure: { code, message } }),
    );
    return { outcome: transient ? "later" : "refused", done: this.#done, failure };
  }
}

function owning(wanted: Wanted): Wanted {
  return { ...wanted, productOwned: true };
}

function merged(remote: Remote, { product, price }: Told): Remote {
  const others = remote.prices.filter(({ id }) => id !== price?.id);
  return { product: product ?? remote.product, prices: price === undefined ? remote.prices : [...others, price] };
}
