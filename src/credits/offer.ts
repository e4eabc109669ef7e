// A credit pack or a plan as something that is offered: its terms, and how it stands with Stripe. Pure.

export const OFFER_KINDS = ["credit_pack", "plan"] as const;
export type OfferKind = (typeof OFFER_KINDS)[number];

export const INTERVALS = ["day", "week", "month", "year"] as const;
export type Interval = (typeof INTERVALS)[number];

/** Stripe's: three years. */
export const LONGEST_INTERVAL: Readonly<Record<Interval, number>> = { day: 1095, week: 156, month: 36, year: 3 };

export interface OfferRef {
  tenantId: string;
  livemode: boolean;
  /** pack_… or pln_… */
  id: string;
}

/** What a Stripe price stands for. It never changes: other terms are another price. */
export interface Terms {
  /** Minor units: for one pack, or for one period of one seat. */
  amount: number;
  /** ISO 4217 in small letters. */
  currency: string;
  /** Of a pack; null: a plan. */
  credits: number | null;
  /** Of a plan; null: a pack. */
  interval: Interval | null;
  intervalCount: number | null;
}

/** What the seller says of it. */
export interface OfferFields extends Terms {
  /** The seller's own name for it. */
  key: string | null;
  name: string;
  active: boolean;
  /** Of a plan, as are the next two. */
  features: readonly string[];
  planGroup: string | null;
  trialDays: number | null;
}

export interface Offer extends OfferRef, OfferFields {
  kind: OfferKind;
  /** Where product and price are: "" for the platform's own account; null: nowhere yet. */
  stripeAccount: string | null;
  productId: string | null;
  /** What it is sold at. Its terms may be older than the offer's, until Stripe has been told. */
  priceId: string | null;
  /** The product is for this offer alone. */
  productOwned: boolean;
  revision: number;
  syncedRevision: number;
  attempts: number;
  errorCode: string | null;
  errorMessage: string | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface NewOffer extends OfferRef, OfferFields {
  /** The same for each run of one request. */
  operationId: string | null;
}

export function isSyncPending({ revision, syncedRevision }: Pick<Offer, "revision" | "syncedRevision">): boolean {
  return revision > syncedRevision;
}

export function sameTerms(one: Terms, other: Terms): boolean {
  return (
    one.amount === other.amount &&
    one.currency === other.currency &&
    one.credits === other.credits &&
    one.interval === other.interval &&
    one.intervalCount === other.intervalCount
  );
}

/** `500 credits for 4500 usd`, `900 usd every month`. */
export function termsText({ amount, currency, credits, interval, intervalCount }: Terms): string {
  const price = `${String(amount)} ${currency}`;
  if (interval === null) return `${String(credits ?? 0)} credits for ${price}`;
  return intervalCount === 1 ? `${price} every ${interval}` : `${price} every ${String(intervalCount)} ${interval}s`;
}

const FIELDS: readonly (keyof OfferFields)[] = [
  ...(["key", "name", "active", "amount", "currency", "credits", "interval", "intervalCount"] as const),
  ...(["features", "planGroup", "trialDays"] as const),
];

export function fieldsOf(offer: OfferFields): OfferFields {
  const { key, name, active, amount, currency, credits, interval, intervalCount } = offer;
  const { features, planGroup, trialDays } = offer;
  return { key, name, active, amount, currency, credits, interval, intervalCount, features, planGroup, trialDays };
}

/** The fields that differ. */
export function changedFields(before: OfferFields, after: OfferFields): (keyof OfferFields)[] {
  return FIELDS.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
}
