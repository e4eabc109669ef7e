// The daily look at cards that expire soon: Stripe tells of none but the oldest kind. One fact, and one mail, for each card and month.
import { expiringMonths } from "../accounts/card-expiry.ts";
import type { Database, Queryable } from "../db/database.ts";
import { insertFacts, type StoredFact } from "../outbox/event-table.ts";
import type { ColumnValue } from "../projections/projection.ts";
import { publishedObject } from "../projections/published.ts";
import { projectionOf } from "../projections/registry.ts";
import { type BillingMails, queueCardExpiring } from "./billing-mails.ts";

/** Cards of one transaction. */
const AT_ONCE = 200;

/** Of cards that are attached to an account's customer. Returns how many were told that had not been before. */
export async function tellExpiringCards({
  database,
  mails,
  now,
}: {
  database: Database;
  mails: BillingMails;
  now: Date;
}): Promise<number> {
  const { from, to } = expiringMonths(now);
  let told = 0;
  for (;;) {
    const count = await database.transaction(async (tx) => {
      const facts = await newlyExpiring(tx, { from, to, now });
      await insertFacts(tx, facts);
      await queueCardExpiring(tx, mails, facts);
      return facts.length;
    });
    told += count;
    if (count < AT_ONCE) return told;
  }
}

async function newlyExpiring(
  tx: Queryable,
  { from, to, now }: { from: number; to: number; now: Date },
): Promise<StoredFact[]> {
  if (to < from) return [];
  type Row = Omit<StoredFact, "type" | "occurredAt" | "object"> & { columns: Record<string, ColumnValue> };
  const { rows } = await tx.query<Row>({ text: EXPIRING, values: [from, to, AT_ONCE] });
  return rows.map(({ columns, ...row }) => ({
    ...{ ...row, type: "payment_method.expiring", occurredAt: Math.floor(now.getTime() / 1000) },
    object: publishedObject(projectionOf(row.objectType), row.objectId, columns),
  }));
}

const CARD = (table: string, objectType: string): string => `
  select card.tenant_id, card.livemode, card.stripe_account, '${objectType}' as object_type, card.id, card.head_event_id,
         card.exp_year, card.exp_month, card.customer_id,
         json_build_object('type', card.type, 'customer_id', card.customer_id, 'brand', card.brand, 'last4', card.last4,
           'exp_month', card.exp_month, 'exp_year', card.exp_year, 'funding', card.funding, 'country', card.country,
           'metadata', card.metadata, 'stripe_created', extract(epoch from card.stripe_created)::bigint) as columns
  from ${table} as card
  where not card.deleted and card.customer_id is not null and card.tenant_id is not null
    and card.exp_month between 1 and 12 and card.exp_year * 12 + card.exp_month - 1 between $1 and $2`;

// The key is the one that Stripe's own event of an old card makes the fact with: of both, one is told.
const EXPIRING = `
  select card.tenant_id as "tenantId", card.livemode, card.id || ':' || card.exp_year || ':' || card.exp_month as "naturalKey",
         card.stripe_account as "stripeAccount", card.object_type as "objectType", card.id as "objectId",
         card.head_event_id as "observationId", card.columns
  from (${CARD("payment_methods", "payment_method")} union all ${CARD("sources", "source")}) as card
  join accounts as account
    on account.tenant_id = card.tenant_id and account.livemode = card.livemode
   and account.stripe_customer_id = card.customer_id and account.stripe_customer_account = card.stripe_account
  where not exists (
    select from facts as known
    where known.tenant_id = card.tenant_id and known.livemode = card.livemode and known.type = 'payment_method.expiring'
      and known.natural_key = card.id || ':' || card.exp_year || ':' || card.exp_month)
  order by card.tenant_id, card.livemode, card.id limit $3`;
