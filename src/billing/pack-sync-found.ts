// Which packs and plans an account's products and prices are: by our marks, or by `credits` and `plan` in their metadata. Pure.
import { isId } from "../base/ids.ts";
import type { OfferFields, OfferKind } from "../credits/offer.ts";
import {
  GROUP_FIELD,
  KEY_FIELD,
  MARKS,
  type RemotePrice,
  type RemoteProduct,
  termsOf,
  TRIAL_FIELD,
} from "./pack-sync-steps.ts";

/** A pack or a plan as Stripe has it. */
export interface FoundOffer {
  kind: OfferKind;
  /** Ours, where it is marked with one. */
  id: string | undefined;
  product: RemoteProduct;
  /** The one that it is sold at: of the active ones the product's default, else the one that we know, else the newest. */
  price: RemotePrice;
  /** With its terms, and those that it was sold at before. */
  prices: readonly RemotePrice[];
  fields: OfferFields;
  /** No other pack or plan is sold by its product. */
  productOwned: boolean;
}

/** What may stand in our `key`. */
export const KEY = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

const PREFIXES = { credit_pack: "pack", plan: "pln" } as const;

interface Group {
  kind: OfferKind;
  mark: string | undefined;
  product: RemoteProduct;
  prices: RemotePrice[];
}

/** The order of products and prices does not matter. `sold`: the prices that our rows are sold at. */
export function findOffers(
  products: readonly RemoteProduct[],
  prices: readonly RemotePrice[],
  kind: OfferKind,
  sold: ReadonlySet<string>,
): FoundOffer[] {
  const byId = new Map(products.map((product) => [product.id, product]));
  const groups = new Map<string, Group>();
  for (const price of prices) {
    const product = byId.get(price.productId);
    const terms = termsOf(price, product?.metadata);
    if (product === undefined || terms === undefined || (terms.credits === null) !== (kind === "plan")) continue;
    const mark = markOf(kind, price, product);
    if (mark === undefined) continue;
    // Two products with one mark (a copy made in Stripe's dashboard) are two groups: the first of them is taken.
    const name = mark === "" ? price.id : mark;
    const group = groups.get(name) ?? { kind, mark: mark === "" ? undefined : mark, product, prices: [] };
    groups.set(name, group);
    group.prices.push(price);
  }
  const found = [...groups.values()].map((group) => offerOf(group, byId, sold));
  const sellers = new Map<string, number>();
  for (const { product } of found) sellers.set(product.id, (sellers.get(product.id) ?? 0) + 1);
  const offers = found
    .filter((offer) => offer.id !== undefined || offer.fields.active)
    .map((offer) => ({ ...offer, productOwned: sellers.get(offer.product.id) === 1 }));
  return withOwnKeys(offers.sort(inOrder));
}

/** As they were made: those of one second by what they cost. */
function inOrder(a: FoundOffer, b: FoundOffer): number {
  const first = a.product.created - b.product.created || a.fields.amount - b.fields.amount;
  return first || (a.price.id < b.price.id ? -1 : 1);
}

/** The id or key that it is marked with; "": it is one, without a name; undefined: it is none. */
function markOf(kind: OfferKind, price: RemotePrice, product: RemoteProduct): string | undefined {
  const field = MARKS[kind];
  const given = price.metadata[field] ?? product.metadata[field];
  if (given !== undefined && given !== "") return given;
  if (kind === "plan") return price.metadata.plan ?? product.metadata.plan;
  return "";
}

function offerOf(
  { kind, mark, prices }: Group,
  products: ReadonlyMap<string, RemoteProduct>,
  sold: ReadonlySet<string>,
): Omit<FoundOffer, "productOwned"> {
  const isDefault = ({ id, productId }: RemotePrice): boolean => products.get(productId)?.defaultPrice === id;
  const rank = (one: RemotePrice): number =>
    4 * Number(one.active) + 2 * Number(isDefault(one)) + Number(sold.has(one.id));
  const newest = [...prices].sort((a, b) => rank(b) - rank(a) || b.created - a.created || (a.id < b.id ? -1 : 1));
  const [price] = newest;
  const product = products.get(price?.productId ?? "");
  const terms = price === undefined || product === undefined ? undefined : termsOf(price, product.metadata);
  if (price === undefined || product === undefined || terms === undefined) throw new Error("a group has no price");
  const ours = mark !== undefined && isId(mark, PREFIXES[kind]);
  const plan = kind === "plan";
  const trial = Number(product.metadata[TRIAL_FIELD] ?? "");
  return {
    kind,
    id: ours ? mark : undefined,
    product,
    price,
    prices: newest.filter((one) => one.productId === product.id),
    fields: {
      ...terms,
      key: keyIn(ours ? (product.metadata[KEY_FIELD] ?? null) : (mark ?? price.lookupKey)),
      name: product.name,
      active: product.active && price.active,
      features: plan ? product.features : [],
      planGroup: plan ? groupOf(product) : null,
      trialDays: plan && Number.isInteger(trial) && trial > 0 && trial <= 730 ? trial : null,
    },
  };
}

function keyIn(text: string | null): string | null {
  return text !== null && KEY.test(text) ? text : null;
}

/** Of several with one key the first has it. */
function withOwnKeys(offers: readonly FoundOffer[]): FoundOffer[] {
  const taken = new Set<string | null>([null]);
  return offers.map((offer) => {
    const { key } = offer.fields;
    if (taken.has(key)) return { ...offer, fields: { ...offer.fields, key: null } };
    taken.add(key);
    return offer;
  });
}

function groupOf({ metadata }: RemoteProduct): string {
  const group = metadata[GROUP_FIELD] ?? "";
  return KEY.test(group) ? group : "default";
}
