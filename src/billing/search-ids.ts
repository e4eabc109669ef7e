// What an id of ours names, for the search box: one look-up by key for each kind. Only reads; a tenant's scope shows its own.
import { type IdPrefix, isId } from "../base/ids.ts";
import { KNOWN_INVOICE } from "../connections/connected-invoice-table.ts";
import type { Queryable } from "../db/database.ts";

/** One thing that was found, as the API shows it. */
export interface Hit {
  kind: string;
  id: string;
  title: string;
  subtitle: string | null;
  /** null: it belongs to no mode. */
  livemode: boolean | null;
  stripe_account: string | null;
  tenant_id: string | null;
  account_id: string | null;
  object_type: string | null;
}

export const HIT: Omit<Hit, "kind" | "id" | "title"> = {
  ...{ subtitle: null, livemode: null, stripe_account: null, tenant_id: null, account_id: null, object_type: null },
};

/** By prefix: the kind, and a statement that gives its columns. $1 is the id. */
const BY_ID: Readonly<Record<string, { kind: string; sql: string; operatorOnly?: true }>> = {
  ten: {
    kind: "tenant",
    sql: `select id, company_name as title, domain as subtitle, id as tenant_id from tenants where id = $1`,
  },
  usr: { kind: "user", sql: `select id, email as title, name as subtitle from people where id = $1` },
  key: {
    kind: "api_key",
    sql: `select id, prefix || '…' || last4 as title, kind || ' key' as subtitle, livemode, tenant_id
          from api_keys where id = $1`,
  },
  whe: {
    kind: "webhook_endpoint",
    sql: `select id, coalesce(url, 'no url yet') as title, status as subtitle, livemode, tenant_id
          from webhook_endpoints where id = $1`,
  },
  mail: {
    kind: "mail",
    operatorOnly: true,
    sql: `select id, template as title, recipient || ', ' || status as subtitle, tenant_id from mails where id = $1`,
  },
  unm: {
    kind: "unmatched_purchase",
    operatorOnly: true,
    sql: `select id, coalesce(email, name, stripe_session_id) as title, status as subtitle, livemode, tenant_id,
                 nullif(stripe_account, '') as stripe_account
          from unmatched_purchases where id = $1`,
  },
  acc: { kind: "account", sql: ofTenants("accounts", accountColumns("one")) },
  msg: {
    kind: "event",
    sql: ofTenants("events", "one.id, one.type as title, one.object_id as subtitle, one.livemode, one.tenant_id"),
  },
  dlv: {
    kind: "delivery",
    sql: ofTenants("deliveries", "one.id, one.status as title, one.event_id as subtitle, one.livemode, one.tenant_id"),
  },
  cinv: {
    kind: "connected_invoice",
    sql: ofTenants("connected_invoices", invoiceColumns("one"), { and: KNOWN_INVOICE }),
  },
  pack: {
    kind: "credit_pack",
    sql: ofTenants("credit_packs", offerColumns("one")),
  },
  pln: {
    kind: "plan",
    sql: ofTenants("plans", offerColumns("one")),
  },
  pur: {
    kind: "credit_purchase",
    sql: ofTenants("credit_purchases", purchaseColumns("one")),
  },
  // Its key begins with the account: a summary of each few pages tells which ones may have it.
  crd: {
    kind: "credit_entry",
    sql: `select id, kind || ' ' || amount as title, reason as subtitle, livemode, tenant_id, account_id
          from credit_entries where id = $1 limit 1`,
  },
};

/** What this id of ours names. */
export async function findOwn(tx: Queryable, id: string, { operator }: { operator: boolean }): Promise<Hit[]> {
  const found = BY_ID[id.slice(0, id.lastIndexOf("_"))];
  if (found === undefined || (found.operatorOnly === true && !operator)) return [];
  const { rows } = await tx.query<Partial<Hit> & Pick<Hit, "id" | "title">>({ text: found.sql, values: [id] });
  return rows.map((row) => ({ ...HIT, kind: found.kind, ...row }));
}

/** Whose it is, and in which mode; undefined: there is none, or it is of a kind that has no tenant. */
export async function ownerOfId(
  tx: Queryable,
  id: string,
  prefix: IdPrefix,
): Promise<{ tenantId: string; /** null: it belongs to no mode, or to both. */ livemode: boolean | null } | undefined> {
  const [found] = isId(id, prefix) ? await findOwn(tx, id, { operator: true }) : [];
  if (found === undefined || found.tenant_id === null) return undefined;
  return { tenantId: found.tenant_id, livemode: found.livemode };
}

/** An account that its tenant calls so. */
export async function findExternal(tx: Queryable, externalId: string): Promise<Hit[]> {
  const { rows } = await tx.query<Hit>({ text: EXTERNAL, values: [externalId] });
  return rows.map((row) => ({ ...HIT, ...row, kind: "account" }));
}

export function accountColumns(one: string): string {
  return `${one}.id, coalesce(${one}.email, ${one}.name, ${one}.external_id, ${one}.id) as title,
    concat_ws(', ', ${one}.name, ${one}.external_id, ${one}.status) as subtitle, ${one}.livemode, ${one}.tenant_id,
    ${one}.id as account_id, nullif(${one}.stripe_customer_account, '') as stripe_account`;
}

export function invoiceColumns(one: string): string {
  return `${one}.id, coalesce(${one}.number, ${one}.id) as title,
    concat_ws(', ', ${one}.customer_email, ${one}.status) as subtitle, ${one}.livemode, ${one}.tenant_id,
    ${one}.stripe_account`;
}

export function offerColumns(one: string): string {
  return `${one}.id, ${one}.name as title, ${one}.key as subtitle, ${one}.livemode, ${one}.tenant_id`;
}

export function purchaseColumns(one: string): string {
  return `${one}.id, ${one}.credits || ' credits' as title, ${one}.state as subtitle, ${one}.livemode, ${one}.tenant_id,
    ${one}.account_id, nullif(${one}.stripe_account, '') as stripe_account`;
}

/**
 * Keys begin with tenant and mode: each tenant's is looked up, some microseconds each, instead of one more index to write. Our own
 * id is one row's; another condition may find one in each tenant and mode.
 */
function ofTenants(table: string, columns: string, { by, and = "true" }: { by?: string; and?: string } = {}): string {
  return `
    select found.* from tenants as tenant cross join (values (true), (false)) as mode (livemode)
    cross join lateral (
      select ${columns} from ${table} as one
      where one.tenant_id = tenant.id and one.livemode = mode.livemode and ${by ?? "one.id = $1"} and ${and} limit 1) as found
    limit ${by === undefined ? 1 : 20}`;
}

const EXTERNAL = ofTenants("accounts", accountColumns("one"), { by: "one.external_id = $1" });
