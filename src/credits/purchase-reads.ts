// An account's purchases, as it is shown them: newest first. Reads the table that purchase-table.ts owns.
import { publicError } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import type { AccountRef, Credits } from "./lots.ts";

export interface ShownPurchase {
  id: string;
  packId: string | null;
  packName: string | null;
  quantity: number;
  credits: Credits;
  /** What of them was taken back for refunds and disputes. */
  taken: Credits;
  /** Minor units, before discounts and tax. */
  amount: number;
  currency: string;
  priceId: string | null;
  sessionId: string | null;
  intentId: string | null;
  state: "pending" | "paid" | "canceled";
  expiresAt: Date | null;
  createdAt: Date;
}

export interface PurchasePage {
  items: ShownPurchase[];
  next_cursor: string | null;
}

/** Throws `invalid_request` for a cursor that was not given out here. */
export async function readPurchases(
  tx: Queryable,
  { tenantId, livemode, accountId }: AccountRef,
  { limit, cursor, state }: { limit: number; cursor?: string | undefined; state?: string | undefined },
): Promise<PurchasePage> {
  if (cursor !== undefined && !isId(cursor, "pur")) {
    const message = "Send the next_cursor of the page before, unchanged.";
    throw publicError("invalid_request", { message, param: "cursor" });
  }
  const values = [tenantId, livemode, accountId, state ?? null, cursor ?? null, limit + 1];
  const { rows } = await tx.query<ShownPurchase>({ text: PURCHASES, values });
  const items = rows.slice(0, limit);
  return { items, next_cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

const PURCHASES = `
  select purchase.id, purchase.pack_id as "packId", pack.name as "packName", purchase.quantity, purchase.credits,
         coalesce((
           select lot.taken from credit_lots as lot
           where lot.tenant_id = purchase.tenant_id and lot.livemode = purchase.livemode and lot.purchase_id = purchase.id
             and lot.account_id = purchase.account_id limit 1), 0)::bigint as taken,
         purchase.amount, purchase.currency, purchase.stripe_price_id as "priceId",
         purchase.stripe_session_id as "sessionId", purchase.payment_intent_id as "intentId", purchase.state,
         purchase.expires_at as "expiresAt", purchase.created_at as "createdAt"
  from credit_purchases as purchase
  left join credit_packs as pack
    on pack.tenant_id = purchase.tenant_id and pack.livemode = purchase.livemode and pack.id = purchase.pack_id
  where purchase.tenant_id = $1 and purchase.livemode = $2 and purchase.account_id = $3
    and ($4::text is null or purchase.state = $4) and ($5::text is null or purchase.id < $5)
  order by purchase.id desc limit $6`;
