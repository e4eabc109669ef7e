// Whose event is it: the tenant that owns a Stripe account, in one mode. Table: connections
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

export interface AccountInMode {
  livemode: boolean;
  /** acct_…; the platform's own account is not looked up here. */
  account: string;
}

/** Which tenants own these accounts. Accounts that nobody owns are absent from the answer. */
export async function ownersOf(tx: Queryable, accounts: readonly AccountInMode[]): Promise<Map<string, string>> {
  if (accounts.length === 0) return new Map();
  const values = [booleanArray(accounts.map((one) => one.livemode)), textArray(accounts.map((one) => one.account))];
  const { rows } = await tx.query<{ livemode: boolean; stripe_account: string; tenant_id: string }>({
    name: "owners_of",
    text: OWNERS,
    values,
  });
  return new Map(
    rows.map((row) => [accountKey({ livemode: row.livemode, account: row.stripe_account }), row.tenant_id]),
  );
}

export function accountKey({ livemode, account }: AccountInMode): string {
  return `${livemode ? "live" : "test"}|${account}`;
}

/** Makes a tenant the owner of a Stripe account. Throws when another tenant owns it. Its unrouted events are queued by the next sweep. */
export async function connectAccount(
  tx: Queryable,
  tenantId: string,
  { livemode, account }: AccountInMode,
): Promise<void> {
  const { rows } = await tx.query<{ tenant_id: string }>({ text: CONNECT, values: [livemode, account, tenantId] });
  if (rows[0]?.tenant_id !== tenantId) throw new Error(`${account} belongs to another tenant.`);
}

const OWNERS = `
  select connection.livemode, connection.stripe_account, connection.tenant_id
  from unnest($1::boolean[], $2::text[]) as wanted (livemode, stripe_account)
  join connections as connection using (livemode, stripe_account)`;

// The no-op update returns the row that is there.
const CONNECT = `
  insert into connections (livemode, stripe_account, tenant_id) values ($1, $2, $3)
  on conflict (livemode, stripe_account) do update set tenant_id = connections.tenant_id
  returning tenant_id`;
