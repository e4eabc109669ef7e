// Where Stripe's products and prices, as our copies know them, are not as our packs and plans say. Ours are right: a sync mends it.
import { isSyncPending, type Offer } from "../credits/offer.ts";
import { textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

interface Copy {
  account: string;
  id: string;
  name: string | null;
  active: boolean | null;
  deleted: boolean;
}

/** For each offer what differs, as sentences for people: none for one that is equal, or whose last change is still on its way. */
export async function driftOf(
  tx: Queryable,
  livemode: boolean,
  offers: readonly Offer[],
): Promise<Map<string, string[]>> {
  const settled = offers.filter((offer) => !isSyncPending(offer));
  const accounts = textArray(settled.map(({ stripeAccount }) => stripeAccount));
  const read = async (text: string, ids: readonly (string | null)[]): Promise<Map<string, Copy>> => {
    const { rows } = await tx.query<Copy>({ text, values: [livemode, accounts, textArray(ids)] });
    return new Map(rows.map((copy) => [`${copy.account}|${copy.id}`, copy]));
  };
  const products = await read(
    PRODUCTS,
    settled.map(({ productId }) => productId),
  );
  const prices = await read(
    PRICES,
    settled.map(({ priceId }) => priceId),
  );
  return new Map(
    settled.map((offer) => {
      const place = offer.stripeAccount ?? "";
      const found = [
        products.get(`${place}|${offer.productId ?? ""}`),
        prices.get(`${place}|${offer.priceId ?? ""}`),
      ] as const;
      return [offer.id, differences(offer, ...found)];
    }),
  );
}

/** What no event has told us of yet is no difference. */
function differences(
  { name, active, productOwned }: Offer,
  product: Copy | undefined,
  price: Copy | undefined,
): string[] {
  const found: string[] = [];
  if (product?.deleted === true) found.push("the product is deleted at Stripe");
  else if (product !== undefined && productOwned) {
    if (product.name !== name) found.push(`the product is called ${product.name ?? "nothing"} at Stripe`);
    if (product.active !== active)
      found.push(`the product is ${product.active === true ? "active" : "inactive"} at Stripe`);
  }
  if (price !== undefined && active && price.active !== true) found.push("the price is archived at Stripe");
  return found;
}

const of = (table: string, name: string): string => `
  select stored.stripe_account as account, stored.id, ${name} as name, stored.active, stored.deleted
  from unnest($2::text[], $3::text[]) as wanted (account, id)
  join ${table} as stored on stored.livemode = $1 and stored.stripe_account = wanted.account and stored.id = wanted.id`;
const PRODUCTS = of("products", "stored.name");
const PRICES = of("prices", "null::text");
