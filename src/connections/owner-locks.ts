// Whose a Stripe account is does not change between the moment at which somebody asks and the commit of what is written by it.
import { textArray } from "../db/arrays.ts";
import type { Database, Queryable } from "../db/database.ts";

/**
 * Before asking whose these accounts are, in a transaction that writes it down. It waits for nobody: returned are the accounts
 * of which one may be moving just now, for which nothing may be written.
 */
export async function tryHoldOwners(
  tx: Queryable,
  kind: Database["kind"],
  accounts: readonly { account: string }[],
): Promise<Set<string>> {
  // Embedded there is one transaction at a time.
  if (kind === "embedded" || accounts.length === 0) return new Set();
  const statement = { name: "try_hold_owners", text: TRY_HOLD, values: valuesOf(accounts) };
  const { rows } = await tx.query<{ moving: string[] }>(statement);
  return new Set(rows.flatMap(({ moving }) => moving));
}

/** The same, and waits for who moves one of them. */
export async function holdOwners(
  tx: Queryable,
  kind: Database["kind"],
  accounts: readonly { account: string }[],
): Promise<void> {
  if (kind === "embedded" || accounts.length === 0) return;
  await tx.query({ name: "hold_owners", text: HOLD, values: valuesOf(accounts) });
}

/** First in a transaction that moves an account: it waits for who has asked whose it is, and sees what those have written. */
export async function lockOwner(tx: Queryable, kind: Database["kind"], account: string): Promise<void> {
  if (kind === "embedded") return;
  await tx.query({ text: LOCK, values: valuesOf([{ account }]) });
}

const valuesOf = (accounts: readonly { account: string }[]): Buffer[] => [
  textArray(accounts.map(({ account }) => account)),
];

// Few locks for many accounts, as the server's table of them is of one size; in one order.
const PARTS = `
  select hashtextextended(account, 0) & 63 as part, array_agg(distinct account) as accounts
  from unnest($1::text[]) as wanted (account) group by 1 order by 1`;
const KEY = "hashtextextended('billhook owners ' || part, 0)";
const TRY_HOLD = `
  select accounts as moving from (${PARTS}) as parts where not pg_try_advisory_xact_lock_shared(${KEY})`;
const HOLD = `select pg_advisory_xact_lock_shared(${KEY}) from (${PARTS}) as parts`;
const LOCK = `select pg_advisory_xact_lock(${KEY}) from (${PARTS}) as parts`;
