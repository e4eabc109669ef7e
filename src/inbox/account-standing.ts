// How accounts stand after a batch: which of them its rows are about, and what our copies of Stripe's objects say of each.
import {
  type CustomerHead,
  type MethodHead,
  type SetupHead,
  standingOf,
  type SubscriptionHead,
} from "../accounts/account-status.ts";
import {
  type AccountKey,
  endTrials,
  type LockedAccount,
  lockAccounts,
  writeStandings,
} from "../accounts/account-table.ts";
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { FoldedRow } from "../projections/fold.ts";

/**
 * Asked behind the statements that write these rows. Rows of other kinds cost nothing; with them, one look-up by index, and
 * more only where a customer is an account of ours. Returns those accounts.
 *
 * `bought`: accounts whose purchase was paid in this batch. Their trials end here, so that all accounts of a batch are
 * locked together, in their order.
 */
export async function followAccounts(
  tx: Queryable,
  rows: readonly FoldedRow[],
  tenantOf: (row: FoldedRow) => string | null,
  bought: readonly AccountKey[],
): Promise<AccountKey[]> {
  const links = rows.flatMap((row) => linkOf(row, tenantOf(row)) ?? []);
  const accounts = links.length === 0 ? [] : await findAccounts(tx, links);
  if (bought.length > 0) {
    await lockAccounts(tx, [...accounts, ...bought]);
    await endTrials(tx, bought);
  }
  await refreshAccounts(tx, accounts);
  return accounts;
}

/**
 * Brings accounts to what is known of their customers: for whoever has just given one its customer. What it comes to is a
 * function of the heads and of what we were told; each account's lock is taken before they are read, so that of two workers
 * the later one sees the rows of both.
 */
export async function refreshAccounts(tx: Queryable, accounts: readonly AccountKey[]): Promise<void> {
  if (accounts.length === 0) return;
  const locked = await lockAccounts(tx, accounts);
  const heads = await readHeads(tx, locked);
  await writeStandings(
    tx,
    locked.flatMap((account, place) => {
      const found = heads[place];
      if (found === undefined) throw new Error(`what is known of account ${account.accountId} was not read`);
      const { tenantId, livemode, accountId } = account;
      return { tenantId, livemode, accountId, ...standingOf(account, found) };
    }),
  );
}

interface AccountLink {
  tenantId: string;
  livemode: boolean;
  stripeAccount: string;
  customerId: string | null;
  /** A method that may be an account's default: of a detached one nothing says any more whose it was. */
  methodId: string | null;
}

function linkOf({ key, projection, columns }: FoldedRow, tenantId: string | null): AccountLink | null {
  if (tenantId === null) return null;
  const scope = { tenantId, livemode: key.livemode, stripeAccount: key.account };
  const customerId = typeof columns.customer_id === "string" ? columns.customer_id : null;
  switch (projection.table) {
    case "customers":
      return { ...scope, customerId: key.objectId, methodId: null };
    case "subscriptions":
    case "setup_intents":
      return customerId === null ? null : { ...scope, customerId, methodId: null };
    case "payment_methods":
    case "sources":
      return { ...scope, customerId, methodId: key.objectId };
    default:
      return null;
  }
}

async function findAccounts(tx: Queryable, links: readonly AccountLink[]): Promise<AccountKey[]> {
  const { rows } = await tx.query<AccountKey>({
    name: "find_accounts",
    text: FIND,
    values: [
      textArray(links.map((link) => link.tenantId)),
      booleanArray(links.map((link) => link.livemode)),
      textArray(links.map((link) => link.stripeAccount)),
      textArray(links.map((link) => link.customerId)),
      textArray(links.map((link) => link.methodId)),
    ],
  });
  return rows;
}

interface HeadsRow {
  customer: CustomerHead | null;
  subscriptions: SubscriptionHead[];
  setups: SetupHead[];
  methods: MethodHead[];
}

async function readHeads(tx: Queryable, accounts: readonly LockedAccount[]): Promise<HeadsRow[]> {
  const { rows } = await tx.query<HeadsRow>({
    name: "account_standing_heads",
    text: HEADS,
    values: [
      textArray(accounts.map((one) => one.tenantId)),
      booleanArray(accounts.map((one) => one.livemode)),
      textArray(accounts.map((one) => one.stripeAccount)),
      textArray(accounts.map((one) => one.customerId)),
    ],
  });
  return rows;
}

// `limit 1` and `offset 0` make each a look-up by index, whatever the plan's age.
const FIND = `
  with wanted as materialized (
    select distinct * from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[])
      as wanted (tenant_id, livemode, stripe_account, customer_id, method_id)),
  found as (
    select stored.tenant_id, stored.livemode, stored.id
    from wanted cross join lateral (
      select * from accounts as stored
      where stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode
        and stored.stripe_customer_id = wanted.customer_id and stored.stripe_customer_account = wanted.stripe_account
      limit 1) as stored
    where wanted.customer_id is not null
    union
    select stored.tenant_id, stored.livemode, stored.id
    from wanted cross join lateral (
      select * from accounts as stored
      where stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode
        and stored.default_payment_method_id = wanted.method_id and stored.stripe_customer_account = wanted.stripe_account
      offset 0) as stored
    where wanted.method_id is not null)
  select tenant_id as "tenantId", livemode, id as "accountId" from found order by tenant_id, livemode, id`;

const seconds = (column: string): string => `extract(epoch from stored.${column})::float8`;

const list = (select: string): string => `(select coalesce(json_agg(found), '[]') from (${select}) as found)`;

/** Of the account's tenant only: another tenant's objects are never its. */
const OWN = `stored.livemode = wanted.livemode and stored.stripe_account = wanted.stripe_account and stored.tenant_id = wanted.tenant_id`;

const METHODS = `
  select stored.id, stored.type, stored.brand, stored.last4, stored.exp_month as "expMonth", stored.exp_year as "expYear",
         stored.customer_id as "customerId", stored.deleted
  from named cross join lateral`;

const HEADS = `
  select case when customer.id is not null then json_build_object('email', customer.email, 'name', customer.name,
           'paymentMethodId', customer.default_payment_method_id, 'sourceId', customer.default_source_id) end as customer,
         subscriptions.list as subscriptions, setups.list as setups,
         ${list(`
           with named (id) as (
             select customer.default_payment_method_id union select customer.default_source_id
             union select value->>'paymentMethodId' from json_array_elements(subscriptions.list) as value
             union select value->>'sourceId' from json_array_elements(subscriptions.list) as value
             union select value->>'paymentMethodId' from json_array_elements(setups.list) as value)
           ${METHODS} (select * from payment_methods as stored where ${OWN} and stored.id = named.id limit 1) as stored
           union all
           ${METHODS} (select * from sources as stored where ${OWN} and stored.id = named.id limit 1) as stored`)} as methods
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[]) with ordinality
    as wanted (tenant_id, livemode, stripe_account, customer_id, place)
  left join lateral (
    select * from customers as stored
    where ${OWN} and stored.id = wanted.customer_id and not stored.deleted limit 1) as customer on true
  cross join lateral (select ${list(`
    select stored.id, stored.status, coalesce(${seconds("stripe_created")}, 0) as created,
           ${seconds("current_period_end")} as "periodEnd", ${seconds("trial_end")} as "trialEnd",
           ${seconds("ended_at")} as "endedAt", stored.default_payment_method_id as "paymentMethodId",
           stored.default_source_id as "sourceId"
    from subscriptions as stored where ${OWN} and stored.customer_id = wanted.customer_id`)} as list) as subscriptions
  cross join lateral (select ${list(`
    select stored.id, coalesce(${seconds("stripe_created")}, 0) as created, stored.payment_method_id as "paymentMethodId"
    from setup_intents as stored
    where ${OWN} and stored.customer_id = wanted.customer_id and stored.status = 'succeeded'
      and stored.payment_method_id is not null
    order by stored.stripe_created desc, stored.id desc limit 20`)} as list) as setups
  order by wanted.place`;
