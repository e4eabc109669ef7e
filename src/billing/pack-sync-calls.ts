// What keeping packs and plans equal asks of Stripe: each POST under a key that stands for just this change.
import type { Offer } from "../credits/offer.ts";
import type { FetchedObject } from "../inbox/observe.ts";
import type { StripeAccess, StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import type { StripeClient } from "../stripe/client.ts";
import type { StripeObject } from "../stripe/envelope.ts";
import {
  priceMetadata,
  type ProductChanges,
  type PriceChanges,
  productMetadata,
  type Remote,
  type RemotePrice,
  type RemoteProduct,
} from "./pack-sync-steps.ts";

type StripeProduct = Awaited<ReturnType<StripeClient["products"]["list"]>>["data"][number];
type StripePrice = Awaited<ReturnType<StripeClient["prices"]["list"]>>["data"][number];

/** Whose account, and how long somebody waits. */
export interface Place {
  livemode: boolean;
  /** "" for the platform's own. */
  account: string;
  patience: "request" | "background";
}

/** What an answer says of them, and what the inbox is told. */
export interface Told {
  product?: RemoteProduct;
  price?: RemotePrice;
  observed: FetchedObject[];
}

const FIELDS = {
  name: "name",
  unit_amount: "amount",
  currency: "currency",
  "default_price_data[unit_amount]": "amount",
  "default_price_data[currency]": "currency",
  "default_price_data[recurring][interval]": "billing_interval",
  "default_price_data[recurring][interval_count]": "interval_count",
  "recurring[interval]": "billing_interval",
  "recurring[interval_count]": "interval_count",
};

const PAGE = 100;

/** A product with all of its prices, as they are now. */
export async function readRemote(stripe: StripeAccess, place: Place, productId: string): Promise<Remote> {
  const product = await readProduct(stripe, place, productId);
  if (product === undefined) return { product: undefined, prices: [] };
  return { product, prices: await listPrices(stripe, place, productId) };
}

async function readProduct(stripe: StripeAccess, place: Place, productId: string): Promise<RemoteProduct | undefined> {
  try {
    const { value } = await stripe.call(place, (client, options) => client.products.retrieve(productId, {}, options));
    return productOf(value);
  } catch (error) {
    if (error instanceof StripeCallError && error.stripeStatus === 404) return undefined;
    throw error;
  }
}

/** All prices of a product, or of the account. */
export async function listPrices(stripe: StripeAccess, place: Place, productId?: string): Promise<RemotePrice[]> {
  const found: RemotePrice[] = [];
  let after: string | undefined;
  for (;;) {
    const parameters = {
      limit: PAGE,
      ...(productId === undefined ? {} : { product: productId }),
      ...(after === undefined ? {} : { starting_after: after }),
    };
    const page = await stripe.call(place, (client, options) => client.prices.list(parameters, options));
    found.push(...page.value.data.map(priceOf));
    after = page.value.data.at(-1)?.id;
    if (!page.value.has_more || after === undefined) return found;
  }
}

/** All products of the account. */
export async function listProducts(stripe: StripeAccess, place: Place): Promise<RemoteProduct[]> {
  const found: RemoteProduct[] = [];
  let after: string | undefined;
  for (;;) {
    const parameters = { limit: PAGE, ...(after === undefined ? {} : { starting_after: after }) };
    const page = await stripe.call(place, (client, options) => client.products.list(parameters, options));
    found.push(...page.value.data.map(productOf));
    after = page.value.data.at(-1)?.id;
    if (!page.value.has_more || after === undefined) return found;
  }
}

/**
 * The product with its first price, both or neither. The product's id is our own row's: a second one cannot be made.
 * undefined: it is there by now, made by a call whose answer was lost.
 */
export async function createProduct(
  stripe: StripeAccess,
  place: Place,
  offer: Offer,
  key: string,
): Promise<Told | undefined> {
  const parameters = {
    id: offer.id,
    name: offer.name,
    metadata: given(productMetadata(offer)),
    ...(offer.kind === "plan" ? { marketing_features: offer.features.map((name) => ({ name })) } : {}),
    default_price_data: { ...amountOf(offer), metadata: priceMetadata(offer) },
    expand: ["default_price"],
  };
  try {
    const answer = await stripe.call({ ...place, idempotencyKey: key, fields: FIELDS }, (client, options) =>
      client.products.create(parameters, options),
    );
    const { default_price: price } = answer.value;
    const plain = { ...answer.value, default_price: typeof price === "string" ? price : (price?.id ?? null) };
    const observed = [observationOf(place, { ...answer, value: plain })];
    if (typeof price !== "object" || price === null) return { product: productOf(plain), observed };
    return {
      product: productOf(plain),
      price: priceOf(price),
      observed: [...observed, observationOf(place, { ...answer, value: price })],
    };
  } catch (error) {
    if (error instanceof StripeCallError && error.stripeCode === "resource_already_exists") return undefined;
    throw error;
  }
}

/** @param key the same for the same terms, so that a call whose answer was lost makes no second price */
export async function createPrice(
  stripe: StripeAccess,
  place: Place,
  { offer, productId, key }: { offer: Offer; productId: string; key: string },
): Promise<Told> {
  const parameters = { ...amountOf(offer), product: productId, metadata: priceMetadata(offer) };
  const answer = await stripe.call({ ...place, idempotencyKey: key, fields: FIELDS }, (client, options) =>
    client.prices.create(parameters, options),
  );
  return { price: priceOf(answer.value), observed: [observationOf(place, answer)] };
}

export async function updateProduct(
  stripe: StripeAccess,
  place: Place,
  { productId, changes, key }: { productId: string; changes: ProductChanges; key: string },
): Promise<Told> {
  const { features, defaultPrice, metadata, name, active } = changes;
  const parameters = {
    ...(name === undefined ? {} : { name }),
    ...(active === undefined ? {} : { active }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(defaultPrice === undefined ? {} : { default_price: defaultPrice }),
    ...(features === undefined
      ? {}
      : { marketing_features: emptyable(features.map((feature) => ({ name: feature }))) }),
  };
  const answer = await stripe.call({ ...place, idempotencyKey: key, fields: FIELDS }, (client, options) =>
    client.products.update(productId, parameters, options),
  );
  return { product: productOf(answer.value), observed: [observationOf(place, answer)] };
}

export async function updatePrice(
  stripe: StripeAccess,
  place: Place,
  { priceId, changes, key }: { priceId: string; changes: PriceChanges; key: string },
): Promise<Told> {
  const { active, metadata } = changes;
  const parameters = {
    ...(active === undefined ? {} : { active }),
    ...(metadata === undefined ? {} : { metadata: { ...metadata } }),
  };
  const answer = await stripe.call({ ...place, idempotencyKey: key, fields: FIELDS }, (client, options) =>
    client.prices.update(priceId, parameters, options),
  );
  return { price: priceOf(answer.value), observed: [observationOf(place, answer)] };
}

function amountOf({ amount, currency, interval, intervalCount }: Offer) {
  const recurring = interval === null ? {} : { recurring: { interval, interval_count: intervalCount ?? 1 } };
  return { unit_amount: amount, currency, ...recurring };
}

/** An empty list is taken away by an empty text. */
function emptyable<Item>(list: Item[]): Item[] | "" {
  return list.length === 0 ? "" : list;
}

function given(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== ""));
}

function productOf(product: StripeProduct): RemoteProduct {
  const { id, name, active, metadata, default_price: price, created } = product;
  return {
    ...{ id, name, active, metadata, created },
    features: product.marketing_features.flatMap((feature) => (feature.name === undefined ? [] : [feature.name])),
    defaultPrice: typeof price === "string" ? price : (price?.id ?? null),
  };
}

function priceOf(price: StripePrice): RemotePrice {
  const { id, active, metadata, currency, recurring, created, product } = price;
  const plain = price.billing_scheme === "per_unit" && price.transform_quantity === null;
  return {
    ...{ id, active, metadata, currency, created },
    productId: typeof product === "string" ? product : product.id,
    amount: plain && recurring?.usage_type !== "metered" ? price.unit_amount : null,
    interval: recurring?.interval ?? null,
    intervalCount: recurring?.interval_count ?? null,
    lookupKey: price.lookup_key,
  };
}

/** The answer as an observation: what it says reaches our copies by the same way as Stripe's events. */
function observationOf(
  { livemode, account }: Place,
  { value, asOf, apiVersion }: StripeAnswer<StripeProduct | StripePrice>,
): FetchedObject {
  return { livemode, account, object: value as unknown as StripeObject, asOf, apiVersion };
}
