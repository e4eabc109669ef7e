// Accounts that Stripe is asked to make for a tenant: whoever asks again before the answer is recorded asks with the same key. Table: account_creations
import { randomBytes } from "node:crypto";

import type { Queryable } from "../db/database.ts";

export interface AccountCreation {
  /** Stands for this one account towards Stripe. */
  key: string;
  country: string | null;
}

/** Stripe keeps idempotency keys for 24 hours: a key that is older could make a second account unseen, and is given up. */
const HOURS = 23;

/** The creation that is on its way for this tenant and mode, else a new one. Another country is another account. */
export async function beginCreation(
  tx: Queryable,
  { tenantId, livemode, country }: { tenantId: string; livemode: boolean; country: string | null },
): Promise<AccountCreation> {
  const values = [tenantId, livemode, randomBytes(16).toString("hex"), country, HOURS];
  const { rows } = await tx.query<AccountCreation>({ text: BEGIN, values });
  const [creation] = rows;
  if (creation === undefined) throw new Error("the creation of an account could not be stored");
  return creation;
}

/** The account is recorded: the next one is another. */
export async function endCreation(tx: Queryable, tenantId: string, key: string): Promise<void> {
  await tx.query({ text: "delete from account_creations where tenant_id = $1 and key = $2", values: [tenantId, key] });
}

const STANDS =
  "(known.country is not distinct from excluded.country and known.started_at > now() - make_interval(hours => $5))";
const BEGIN = `
  insert into account_creations as known (tenant_id, livemode, key, country) values ($1, $2, $3, $4)
  on conflict (tenant_id, livemode) do update
  set key = case when ${STANDS} then known.key else excluded.key end,
      started_at = case when ${STANDS} then known.started_at else now() end,
      country = excluded.country
  returning key, country`;
