// A pack or a plan beside its product and prices at Stripe: what is to be asked next so that they are equal. Pure.
import { INTERVALS, type Offer, type OfferKind, sameTerms, type Terms, termsText } from "../credits/offer.ts";

/** In the metadata of products and prices: the id of the pack or plan, or its key where somebody wrote it there by hand. */
export const MARKS = {
  credit_pack: "billhook_credit_pack",
  plan: "billhook_plan",
} as const satisfies Record<OfferKind, string>;

/** What else our metadata says, so that Stripe alone is enough to make the rows again. */
export const CREDITS_FIELD = "credits";
export const KEY_FIELD = "billhook_key";
export const GROUP_FIELD = "billhook_plan_group";
export const TRIAL_FIELD = "billhook_trial_days";

/** A Stripe product, as far as it matters here. */
export interface RemoteProduct {
  id: string;
  name: string;
  active: boolean;
  metadata: Readonly<Record<string, string>>;
  features: readonly string[];
  defaultPrice: string | null;
  /** Unix seconds. */
  created: number;
}

export interface RemotePrice {
  id: string;
  productId: string;
  active: boolean;
  metadata: Readonly<Record<string, string>>;
  /** null: tiers, fractions of a minor unit, or metered use, which no pack or plan has. */
  amount: number | null;
  currency: string;
  interval: string | null;
  intervalCount: number | null;
  lookupKey: string | null;
  created: number;
}

export interface Remote {
  product: RemoteProduct | undefined;
  /** All of the product's. */
  prices: readonly RemotePrice[];
}

/** An offer as it is to be on one account. */
export interface Wanted {
  offer: Offer;
  /** Prices that it is or was sold at there. */
  known: ReadonlySet<string>;
  /** On this account: null where the ids are of another one. */
  productId: string | null;
  priceId: string | null;
  productOwned: boolean;
}

export interface ProductChanges {
  name?: string;
  active?: boolean;
  features?: readonly string[];
  metadata?: Readonly<Record<string, string>>;
  defaultPrice?: string;
}

export interface PriceChanges {
  active?: boolean;
  metadata?: Readonly<Record<string, string>>;
}

export type Step =
  | { kind: "create_product" }
  | { kind: "create_price"; product: RemoteProduct }
  /** Ours to write down: it is sold at this price from now on. */
  | { kind: "point"; product: RemoteProduct; price: RemotePrice }
  | { kind: "update_product"; product: RemoteProduct; changes: ProductChanges }
  | { kind: "update_price"; price: RemotePrice; changes: PriceChanges };

/** What comes next; undefined: they are equal. Each step that is carried out brings the end nearer. */
export function nextStep(wanted: Wanted, { product, prices }: Remote): Step | undefined {
  const { offer } = wanted;
  if (product === undefined) return { kind: "create_product" };
  const linked = prices.filter((price) => isLinked(wanted, price));
  const current = currentOf(wanted, linked);
  if (current === undefined) return { kind: "create_price", product };
  const metadata = missing(current.metadata, priceMetadata(offer));
  if (metadata !== undefined) return { kind: "update_price", price: current, changes: { metadata } };
  const replaced = linked.some(({ id }) => id === product.defaultPrice && id !== current.id);
  // Stripe takes no inactive price as a product's default, and keeps the default active: the old one can go only after it.
  if (!current.active && (offer.active || replaced)) {
    return { kind: "update_price", price: current, changes: { active: true } };
  }
  // Before the old price goes: until then a purchase at the price that we name works.
  if (wanted.priceId !== current.id || wanted.productId !== product.id)
    return { kind: "point", product, price: current };
  const changes = productChanges(wanted, product, replaced ? current.id : undefined);
  if (changes !== undefined) return { kind: "update_product", product, changes };
  const idle = linked.find(
    (price) => price.active && price.id !== product.defaultPrice && (price.id !== current.id || !offer.active),
  );
  return idle === undefined ? undefined : { kind: "update_price", price: idle, changes: { active: false } };
}

function isLinked({ offer, known }: Wanted, { id, metadata }: RemotePrice): boolean {
  return metadata[MARKS[offer.kind]] === offer.id || known.has(id);
}

/** The price with the offer's terms: the one that it has, else one that is active, else the newest. */
function currentOf({ offer, priceId }: Wanted, linked: readonly RemotePrice[]): RemotePrice | undefined {
  const rank = (price: RemotePrice): number => (price.id === priceId ? 2 : price.active ? 1 : 0);
  return linked
    .filter((price) => hasTerms(price, offer))
    .sort((a, b) => rank(b) - rank(a) || b.created - a.created || (a.id < b.id ? -1 : 1))[0];
}

function hasTerms(price: RemotePrice, offer: Terms): boolean {
  // A price that we have found elsewhere may have its credits in the product's metadata: ours, written there, is the same.
  const terms = termsOf(price, { [CREDITS_FIELD]: String(offer.credits) });
  return terms !== undefined && sameTerms(terms, offer);
}

/** The terms of a price; undefined: nothing of ours can be sold at it. `inherited`: the metadata of its product. */
export function termsOf(price: RemotePrice, inherited: Readonly<Record<string, string>> = {}): Terms | undefined {
  const { amount, currency, intervalCount } = price;
  const interval = INTERVALS.find((one) => one === price.interval) ?? null;
  if (amount === null || interval !== price.interval) return undefined;
  if (interval !== null) return { amount, currency, credits: null, interval, intervalCount: intervalCount ?? 1 };
  const credits = creditsIn(price.metadata) ?? creditsIn(inherited);
  return credits === undefined ? undefined : { amount, currency, credits, interval, intervalCount: null };
}

const MOST_CREDITS = 1_000_000_000_000;

function creditsIn(metadata: Readonly<Record<string, string>>): number | undefined {
  const text = metadata[CREDITS_FIELD] ?? "";
  const credits = /^[1-9]\d{0,12}$/.test(text) ? Number(text) : undefined;
  return credits === undefined || credits > MOST_CREDITS ? undefined : credits;
}

export function priceMetadata({ kind, id, credits }: Offer): Record<string, string> {
  return { [MARKS[kind]]: id, ...(credits === null ? {} : { [CREDITS_FIELD]: String(credits) }) };
}

/** Stripe takes an empty value as: without the field. */
export function productMetadata(offer: Offer): Record<string, string> {
  const { kind, key, planGroup, trialDays } = offer;
  const common = { ...priceMetadata(offer), [KEY_FIELD]: key ?? "" };
  if (kind === "credit_pack") return common;
  return { ...common, [GROUP_FIELD]: planGroup ?? "", [TRIAL_FIELD]: trialDays === null ? "" : String(trialDays) };
}

function productChanges(
  { offer, productOwned }: Wanted,
  product: RemoteProduct,
  defaultPrice: string | undefined,
): ProductChanges | undefined {
  const changes: ProductChanges = defaultPrice === undefined ? {} : { defaultPrice };
  if (productOwned) {
    const metadata = missing(product.metadata, productMetadata(offer));
    if (metadata !== undefined) changes.metadata = metadata;
    if (product.name !== offer.name) changes.name = offer.name;
    if (product.active !== offer.active) changes.active = offer.active;
    if (offer.kind === "plan" && product.features.join("\n") !== offer.features.join("\n")) {
      changes.features = offer.features;
    }
  }
  return Object.keys(changes).length === 0 ? undefined : changes;
}

/** What must be set; undefined: nothing. */
function missing(
  found: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  const entries = Object.entries(wanted).filter(([name, value]) => (found[name] ?? "") !== value);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** The product's and the price's state after a step, as it would be: for a dry run. */
export function simulate(wanted: Wanted, remote: Remote, step: Step): { wanted: Wanted; remote: Remote } {
  const { offer } = wanted;
  switch (step.kind) {
    case "create_product": {
      const product: RemoteProduct = {
        ...{ id: offer.id, name: offer.name, active: true, features: offer.features, created: 0 },
        ...{ metadata: productMetadata(offer), defaultPrice: NEW_PRICE },
      };
      return {
        wanted: { ...wanted, productOwned: true },
        remote: { product, prices: [newPrice(offer, product.id)] },
      };
    }
    case "create_price":
      return { wanted, remote: { ...remote, prices: [...remote.prices, newPrice(offer, step.product.id)] } };
    case "point":
      return { wanted: { ...wanted, productId: step.product.id, priceId: step.price.id }, remote };
    case "update_product": {
      const metadata = { ...step.product.metadata, ...step.changes.metadata };
      return { wanted, remote: { ...remote, product: { ...step.product, ...step.changes, metadata } } };
    }
    case "update_price": {
      const metadata = { ...step.price.metadata, ...step.changes.metadata };
      const changed = { ...step.price, ...step.changes, metadata };
      return {
        wanted,
        remote: { ...remote, prices: remote.prices.map((one) => (one.id === changed.id ? changed : one)) },
      };
    }
  }
}

const NEW_PRICE = "(new)";

function newPrice(offer: Offer, productId: string): RemotePrice {
  const { amount, currency, interval, intervalCount } = offer;
  return {
    ...{ id: NEW_PRICE, productId, active: true, metadata: priceMetadata(offer), lookupKey: null, created: 0 },
    ...{ amount, currency, interval, intervalCount },
  };
}

/** For people: `create the price 900 usd every month`. undefined: nothing that Stripe is asked. */
export function stepText(offer: Offer, step: Step): string | undefined {
  switch (step.kind) {
    case "create_product":
      return `create the product with the price ${termsText(offer)}`;
    case "create_price":
      return `create the price ${termsText(offer)}`;
    case "point":
      return undefined;
    case "update_product":
      return `update the product ${step.product.id}: ${Object.keys(step.changes).map(fieldText).join(", ")}`;
    case "update_price":
      if (step.changes.active === undefined) return `mark the price ${step.price.id}`;
      return `${step.changes.active ? "activate" : "archive"} the price ${step.price.id}`;
  }
}

function fieldText(field: string): string {
  return field === "defaultPrice" ? "default price" : field;
}
