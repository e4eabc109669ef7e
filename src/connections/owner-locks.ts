// Whose a Stripe account is does not change between the moment at which somebody asks and the commit of what is written by it.
import { textArray } from "../db/arrays.ts";
import type { Database, Queryable } from "../db/database.ts";

/** Before asking whose these accounts are, in a transaction that writes it down: it waits for who moves one of them. */
export async function holdOwners(
  tx: Queryable,
  kind: Database["kind"],
  accounts: readonly { account: string }[],
): Promise<void> {
  // Embedded there is one transaction at a time.
  if (kind === "embedded" || accounts.length === 0) return;
  const values = [textArray(accounts.map(({ account }) => account))];
  await tx.query({ name: "hold_owners", text: HOLD, values });
}

/** First in a transaction that moves an account: it waits for who has asked whose it is, and sees what those have written. */
export async function lockOwner(tx: Queryable, kind: Database["kind"], account: string): Promise<void> {
  if (kind === "embedded") return;
  await tx.query({ text: LOCK, values: [textArray([account])] });
}

// Few locks for many accounts, as the server's table of them is of one size; in one order.
const lockSql = (lock: string): string => `
  select ${lock}(hashtextextended('billhook owners ' || part, 0))
  from (
    select distinct hashtextextended(account, 0) & 63 as part from unnest($1::text[]) as wanted (account) order by 1
  ) as parts`;
const HOLD = lockSql("pg_advisory_xact_lock_shared");
const LOCK = lockSql("pg_advisory_xact_lock");
