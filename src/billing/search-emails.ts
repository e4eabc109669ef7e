// Whose e-mail address begins so, for the search box. Only reads.
import { KNOWN_INVOICE } from "../connections/connected-invoice-table.ts";
import type { Queryable } from "../db/database.ts";
import { accountColumns, type Hit, HIT, invoiceColumns } from "./search-ids.ts";

/** Of each kind. */
const MOST = 8;
/** Of Stripe customers with such an address, so many of all tenants are looked at for one tenant's. */
const LOOKED_AT = 2000;

/** Greater than all that begins with what stands before it. */
const END = "\u{10FFFF}";

/** Everybody's. */
export async function findByEmail(database: Queryable, beginning: string): Promise<Hit[]> {
  const values = [beginning, beginning + END];
  const found = await Promise.all(
    [
      ["user", PEOPLE],
      ["account", ACCOUNTS],
      ["customer", CUSTOMERS],
    ].map(async ([kind = "", text = ""]) => ({ kind, rows: (await database.query<Hit>({ text, values })).rows })),
  );
  return found.flatMap(({ kind, rows }) => rows.map((row) => ({ ...HIT, ...row, kind })));
}

export interface TenantInMode {
  tenantId: string;
  livemode: boolean;
}

export interface EmailKey {
  kind: string;
  id: string;
  /** Of a customer: on which Stripe account. */
  account: string;
}

/**
 * Keys of one tenant's, in one mode. `finder` is the owner's handle: no index on lower(email) serves under row-level security,
 * because lower() might tell what it saw. What the keys name is read in the tenant's own scope.
 */
export async function tenantsEmailKeys(
  finder: Queryable,
  { tenantId, livemode }: TenantInMode,
  beginning: string,
): Promise<EmailKey[]> {
  const values = [beginning, beginning + END, tenantId, livemode];
  return (await finder.query<EmailKey>({ text: KEYS, values })).rows;
}

/** The tenant's members whose address begins so, and what the keys name. */
export async function findTenantsEmail(
  tx: Queryable,
  { tenantId, livemode }: TenantInMode,
  beginning: string,
  keys: readonly EmailKey[],
): Promise<Hit[]> {
  const read = async (kind: string, text: string, more: unknown[] = []): Promise<Hit[]> => {
    const ids = keys.filter((key) => key.kind === kind).map(({ id }) => id);
    if (ids.length === 0) return [];
    const { rows } = await tx.query<Hit>({ text, values: [tenantId, livemode, ids, ...more] });
    return rows.map((row) => ({ ...HIT, ...row, kind }));
  };
  const accounts = keys.filter(({ kind }) => kind === "customer").map(({ account }) => account);
  const { rows: members } = await tx.query<Hit>({ text: MEMBERS, values: [beginning, tenantId] });
  return [
    ...members.map((row) => ({ ...HIT, ...row, kind: "user" })),
    ...(await read("account", OWN_ACCOUNTS)),
    ...(await read("customer", OWN_CUSTOMERS, [accounts])),
    ...(await read("connected_invoice", OWN_INVOICES)),
  ];
}

const BEGINS = (column: string): string => `lower(${column}) ~>=~ lower($1) and lower(${column}) ~<~ lower($2)`;

const PEOPLE = `
  select id, email as title, name as subtitle from people where ${BEGINS("email")}
  order by lower(email) using ~<~ limit ${MOST}`;

const ACCOUNTS = `
  select ${accountColumns("one")} from accounts as one where one.email is not null and ${BEGINS("one.email")}
  order by lower(one.email) using ~<~ limit ${MOST}`;

const CUSTOMER = `
  one.id, coalesce(one.email, one.name, one.id) as title, one.name as subtitle, one.livemode, one.tenant_id,
  nullif(one.stripe_account, '') as stripe_account, 'customer' as object_type`;

const CUSTOMERS = `
  select ${CUSTOMER} from customers as one where one.email is not null and ${BEGINS("one.email")}
  order by lower(one.email) using ~<~ limit ${MOST}`;

const KEYS = `
  (select 'account' as kind, id, '' as account from accounts
   where tenant_id = $3 and livemode = $4 and email is not null and ${BEGINS("email")}
   order by lower(email) using ~<~ limit ${MOST})
  union all
  (select 'connected_invoice', id, stripe_account from connected_invoices
   where tenant_id = $3 and livemode = $4 and ${KNOWN_INVOICE} and ${BEGINS("customer_email")}
   order by lower(customer_email) using ~<~ limit ${MOST})
  union all
  (select 'customer', id, stripe_account from (
     select id, stripe_account, tenant_id, livemode from customers
     where email is not null and ${BEGINS("email")} order by lower(email) using ~<~ limit ${LOOKED_AT}) as looked_at
   where tenant_id = $3 and livemode = $4 limit ${MOST})`;

const OWN_ACCOUNTS = `
  select ${accountColumns("one")} from accounts as one
  where one.tenant_id = $1 and one.livemode = $2 and one.id = any ($3::text[]) order by one.email, one.id`;

const OWN_CUSTOMERS = `
  select ${CUSTOMER} from unnest($3::text[], $4::text[]) as wanted (id, account)
  join customers as one on one.livemode = $2 and one.stripe_account = wanted.account and one.id = wanted.id
  where one.tenant_id = $1 order by one.email, one.id`;

const OWN_INVOICES = `
  select ${invoiceColumns("one")} from connected_invoices as one
  where one.tenant_id = $1 and one.livemode = $2 and one.id = any ($3::text[]) order by one.id desc`;

const MEMBERS = `
  select person.id, person.email as title, membership.role as subtitle, membership.tenant_id
  from memberships as membership join people as person on person.id = membership.person_id
  where membership.tenant_id = $2 and starts_with(lower(person.email), lower($1)) order by person.email limit ${MOST}`;
