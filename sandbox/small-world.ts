// What a new sandbox has in it: three plans, three credit packs and a customer, so that there is something to buy.
import type Stripe from "stripe";

import { createPrice } from "./catalogue/price.ts";
import { createProduct } from "./catalogue/product.ts";
import type { Transaction } from "./core/transaction.ts";
import type { World } from "./core/world.ts";
import { createCustomer } from "./customers/customer.ts";

interface Offer {
  id: string;
  name: string;
  description: string;
  /** Cents. */
  unit_amount: number;
  /** Of a credit pack. */
  credits?: number;
}

const PLANS: readonly Offer[] = [
  { id: "starter", name: "Starter", description: "For one person.", unit_amount: 900 },
  { id: "team", name: "Team", description: "For up to ten people.", unit_amount: 2900 },
  { id: "business", name: "Business", description: "For the whole company.", unit_amount: 9900 },
];

const CREDIT_PACKS: readonly Offer[] = [
  { id: "credits_100", name: "100 credits", description: "Enough to try things out.", unit_amount: 1000, credits: 100 },
  { id: "credits_500", name: "500 credits", description: "A tenth cheaper.", unit_amount: 4500, credits: 500 },
  { id: "credits_2000", name: "2,000 credits", description: "A fifth cheaper.", unit_amount: 16_000, credits: 2000 },
];

const CUSTOMER = { email: "jane@example.com", name: "Jane Example", description: "The sandbox's first customer" };
const MARK = { sandbox: "small_world" };

/** Makes the small world where it is not there yet. Returns the ids of the events that made it, the oldest first. */
export function seedSmallWorld(world: World): string[] {
  return world.run((tx) => {
    const seeded = tx.find("_extra", "small_world");
    if (seeded !== undefined) return seeded.events as string[];
    const before = tx.all("event").length;
    for (const plan of PLANS) offer(tx, plan, { recurring: { interval: "month" } });
    for (const pack of CREDIT_PACKS) offer(tx, pack, { metadata: { credits: String(pack.credits ?? 0) } });
    createCustomer(tx, {
      ...CUSTOMER,
      metadata: MARK,
      payment_method: "pm_card_visa",
      invoice_settings: { default_payment_method: "pm_card_visa" },
    });
    const events = tx.all("event").slice(before);
    const ids = events.map(({ id }) => id);
    tx.put("_extra", { id: "small_world", object: "_extra", created: tx.now, events: ids });
    return ids;
  });
}

function offer(
  tx: Transaction,
  { id, name, description, unit_amount, credits }: Offer,
  price: Partial<Stripe.PriceCreateParams>,
): void {
  const metadata = { ...MARK, ...(credits === undefined ? { plan: id } : { credits: String(credits) }) };
  const product = createProduct(tx, { id: `prod_${id}`, name, description, metadata });
  createPrice(tx, { currency: "usd", unit_amount, product: product.id, lookup_key: id, ...price });
}
