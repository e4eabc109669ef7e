// Whose event is it: the tenant that owns a Stripe account, in one mode. Reads the table that connection-table.ts owns.
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

export interface AccountInMode {
  livemode: boolean;
  /** acct_…; the platform's own account is not looked up here. */
  account: string;
}

/** Which tenants own these accounts. Accounts that nobody owns are absent from the answer. */
export async function ownersOf(tx: Queryable, accounts: readonly AccountInMode[]): Promise<Map<string, string>> {
  return new Map([...(await ownershipsOf(tx, accounts))].map(([key, { tenantId }]) => [key, tenantId]));
}

export interface Ownership {
  tenantId: string;
  /** Unix seconds: since then it is this tenant's, without another's between. What happened earlier it is not told. */
  toldSince: number;
}

/** The same, with what their tenants are told. */
export async function ownershipsOf(tx: Queryable, accounts: readonly AccountInMode[]): Promise<Map<string, Ownership>> {
  if (accounts.length === 0) return new Map();
  const values = [booleanArray(accounts.map((one) => one.livemode)), textArray(accounts.map((one) => one.account))];
  const { rows } = await tx.query<AccountInMode & Ownership>({ name: "owners_of", text: OWNERS, values });
  return new Map(rows.map(({ tenantId, toldSince, ...key }) => [accountKey(key), { tenantId, toldSince }]));
}

export function accountKey({ livemode, account }: AccountInMode): string {
  return `${livemode ? "live" : "test"}|${account}`;
}

const OWNERS = `
  select connection.livemode, connection.stripe_account as account, connection.tenant_id as "tenantId",
         floor(extract(epoch from coalesce(connection.told_since, connection.connected_at)))::bigint as "toldSince"
  from unnest($1::boolean[], $2::text[]) as wanted (livemode, stripe_account)
  join connections as connection using (livemode, stripe_account)`;
