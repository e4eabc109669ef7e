// The operator's lists over all tenants: purchases of credits, tenants, people, and the accounts of one e-mail address. Only reads.
import type { Queryable } from "../db/database.ts";
import { type CursorValue, conditions, type Page, pageOf, readCursor } from "../inbox/list-query.ts";

export interface ListFilter {
  /** This row alone. */
  id?: string | undefined;
  tenant?: string | undefined;
  livemode?: boolean | undefined;
  state?: string | undefined;
  /** A whole id or a whole e-mail address; of tenants also a part of the name or domain. */
  text?: string | undefined;
  /** Unix seconds, inclusive. */
  since?: number | undefined;
  /** Exclusive. */
  until?: number | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** Wire names to values; times are Dates. */
export type ListedRow = Record<string, unknown> & { id: string; tenant_id: string };

type Scope = ReturnType<typeof conditions>;

/** Newest first: our ids sort by time. */
async function listed(
  tx: Queryable,
  select: string,
  filter: ListFilter,
  narrow: (where: Scope) => void,
): Promise<Page<ListedRow>> {
  const where = conditions();
  narrow(where);
  if (filter.since !== undefined) where.add("row.created_at >= to_timestamp(?)", filter.since);
  if (filter.until !== undefined) where.add("row.created_at < to_timestamp(?)", filter.until);
  if (filter.cursor !== undefined) {
    const [id, tenant, livemode] = readCursor(filter.cursor, ["string", "string", "boolean"]);
    const at = where.values.length;
    where.values.push(tenant, livemode);
    where.add(`(row.id, row.tenant_id, row.livemode) < (?, $${at + 1}, $${at + 2})`, id);
  }
  const text = `${select}${where.where()} order by row.id desc, row.tenant_id desc, row.livemode desc limit ${filter.limit + 1}`;
  const { rows } = await tx.query<ListedRow>({ text, values: where.values });
  const place = (row: ListedRow): CursorValue[] => [row.id, row.tenant_id, row.livemode === true];
  return pageOf(rows, filter.limit, (row) => row, place);
}

/** The purchases of credits, with their buyer, pack, session and payment. */
export function listPurchases(tx: Queryable, filter: ListFilter): Promise<Page<ListedRow>> {
  return listed(tx, PURCHASES, filter, (where) => {
    addTenant(where, filter);
    if (filter.id !== undefined) where.add(`${KEY} in (${OF_OURS("id")})`, filter.id);
    if (filter.state !== undefined) where.add("row.state = ?", filter.state);
    if (filter.text === undefined) return;
    where.add(filter.text.includes("@") ? OF_BUYER : OF_ID, filter.text);
  });
}

export function listTenants(tx: Queryable, filter: ListFilter): Promise<Page<ListedRow>> {
  return listed(tx, TENANTS, filter, (where) => {
    if (filter.id !== undefined) where.add("row.id = ?", filter.id);
    if (filter.text === undefined) return;
    where.add(filter.text.includes("@") ? `row.id in (${OF_MEMBER})` : TENANT_TEXT, filter.text);
  });
}

export function listPeople(tx: Queryable, filter: ListFilter): Promise<Page<ListedRow>> {
  return listed(tx, PEOPLE, filter, (where) => {
    if (filter.id !== undefined) where.add("row.id = ?", filter.id);
    if (filter.text === undefined) return;
    where.add(filter.text.includes("@") ? "lower(row.email) = lower(?)" : "row.id = ?", filter.text);
  });
}

export interface FoundAccount extends ListedRow {
  livemode: boolean;
}

/** The accounts of an e-mail address, in every tenant and mode: the platform's first. */
export async function accountsOfEmail(
  tx: Queryable,
  { email, tenant, livemode }: { email: string; tenant?: string | undefined; livemode?: boolean | undefined },
): Promise<FoundAccount[]> {
  const values = [email, tenant ?? null, livemode ?? null, MOST_ACCOUNTS];
  return (await tx.query<FoundAccount>({ text: ACCOUNTS, values })).rows;
}

const MOST_ACCOUNTS = 20;

function addTenant(where: Scope, { tenant, livemode }: ListFilter): void {
  if (tenant !== undefined) where.add("row.tenant_id = ?", tenant);
  if (livemode !== undefined) where.add("row.livemode = ?", livemode);
}

const PURCHASES = `
  select row.* from (
    select purchase.id, purchase.tenant_id, purchase.livemode, purchase.account_id, account.email as account_email,
           purchase.pack_id, pack.name as credit_pack, purchase.quantity, purchase.credits, purchase.amount as price,
           purchase.currency, purchase.state, purchase.stripe_session_id, purchase.payment_intent_id, purchase.charge_id,
           nullif(purchase.stripe_account, '') as stripe_account, purchase.created_at, purchase.settled_at
    from credit_purchases as purchase
    left join accounts as account
      on account.tenant_id = purchase.tenant_id and account.livemode = purchase.livemode and account.id = purchase.account_id
    left join credit_packs as pack
      on pack.tenant_id = purchase.tenant_id and pack.livemode = purchase.livemode and pack.id = purchase.pack_id) as row`;

const KEY = "(row.tenant_id, row.livemode, row.id)";

const OF_BUYER = `${KEY} in (
  select purchase.tenant_id, purchase.livemode, purchase.id from accounts as buyer
  join credit_purchases as purchase
    on purchase.tenant_id = buyer.tenant_id and purchase.livemode = buyer.livemode and purchase.account_id = buyer.id
  where lower(buyer.email) = lower(?))`;

/** Keys begin with tenant and mode, those of Stripe's with mode and account: each is looked up, by an index. */
const EACH_MODE = "from tenants as tenant cross join (values (true), (false)) as mode (livemode)";
const OF_OURS = (column: string): string => `
  select purchase.tenant_id, purchase.livemode, purchase.id ${EACH_MODE}
  join credit_purchases as purchase
    on purchase.tenant_id = tenant.id and purchase.livemode = mode.livemode and purchase.${column} = ?`;
const OF_STRIPES = (column: string): string => `
  select purchase.tenant_id, purchase.livemode, purchase.id
  from (values (true), (false)) as mode (livemode)
  cross join (select '' as account union select stripe_account from connections) as seller
  join credit_purchases as purchase
    on purchase.livemode = mode.livemode and purchase.stripe_account = seller.account and purchase.${column} = ?`;

const OF_ID = `${KEY} in (
  ${[...["id", "account_id"].map(OF_OURS), ...["stripe_session_id", "payment_intent_id", "charge_id"].map(OF_STRIPES)].join(" union all ")})`;

const CONNECTED = (livemode: boolean, column: string): string => `(
  select connection.${column} from connections as connection
  where connection.tenant_id = tenant.id and connection.livemode = ${String(livemode)} and connection.disconnected_at is null)`;

const TENANTS = `
  select row.* from (
    select tenant.id, tenant.id as tenant_id, false as livemode, tenant.company_name, tenant.domain, tenant.platform,
           tenant.application_fee_percent::float8 as application_fee_percent, tenant.created_at,
           ${CONNECTED(true, "stripe_account")} as stripe_account_live, ${CONNECTED(true, "status")} as stripe_status_live,
           ${CONNECTED(false, "stripe_account")} as stripe_account_test, ${CONNECTED(false, "status")} as stripe_status_test,
           (select count(*) from memberships as member where member.tenant_id = tenant.id) as members
    from tenants as tenant) as row`;

const OF_MEMBER = `
  select membership.tenant_id from memberships as membership
  join people as person on person.id = membership.person_id where lower(person.email) = lower(?)`;

const TENANT_TEXT = `(
  row.id = ? or row.stripe_account_live = ? or row.stripe_account_test = ?
  or strpos(lower(row.company_name), lower(?)) > 0 or strpos(lower(row.domain), lower(?)) > 0)`;

const PEOPLE = `
  select row.* from (
    select person.id, ''::text as tenant_id, false as livemode, person.email, person.name,
           person.email_verified_at is not null as email_verified, person.created_at,
           coalesce((
             select json_agg(json_build_object('id', membership.tenant_id, 'role', membership.role) order by membership.tenant_id)
             from memberships as membership where membership.person_id = person.id), '[]') as tenants
    from people as person) as row`;

const ACCOUNTS = `
  select account.id, account.tenant_id, tenant.company_name, account.livemode, account.external_id, account.email, account.name,
         account.is_trial_user, account.status, account.period_end, account.stripe_customer_id, account.person_id,
         coalesce(balance.balance, 0) as credit_balance, account.created_at
  from accounts as account
  join tenants as tenant on tenant.id = account.tenant_id
  left join credit_balances as balance
    on balance.tenant_id = account.tenant_id and balance.livemode = account.livemode and balance.account_id = account.id
  where (lower(account.email) = lower($1) or account.person_id = (select id from people where lower(email) = lower($1)))
    and ($2::text is null or account.tenant_id = $2) and ($3::boolean is null or account.livemode = $3)
  order by tenant.platform desc, account.created_at desc, account.id limit $4`;
