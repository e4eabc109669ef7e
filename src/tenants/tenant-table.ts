// Tenants as rows: who pays us, and the platform itself. Table: tenants
import type { Queryable } from "../db/database.ts";

export interface Tenant {
  id: string;
  companyName: string;
  domain: string | null;
  platform: boolean;
  createdAt: Date;
}

/** What the wire says of a tenant, in one mode. */
export interface TenantView {
  id: string;
  company_name: string;
  domain: string | null;
  stripe_connect_account_id: string | null;
  stripe_connect_status: string;
  created_at: string;
}

export async function insertTenant(
  tx: Queryable,
  tenant: { id: string; companyName: string; domain: string },
): Promise<Tenant> {
  const { id, companyName, domain } = tenant;
  const { rows } = await tx.query<{ createdAt: Date }>({
    text: INSERT,
    values: [id, companyName, domain],
  });
  const [row] = rows;
  if (row === undefined) throw new Error("a tenant could not be stored");
  return { id, companyName, domain, platform: false, createdAt: row.createdAt };
}

/** Does nothing where there is a platform already. */
export async function insertPlatform(tx: Queryable, id: string): Promise<void> {
  await tx.query({ text: INSERT_PLATFORM, values: [id] });
}

export async function findPlatform(tx: Queryable): Promise<Tenant | undefined> {
  return (await tx.query<Tenant>(`${SELECT} where platform`)).rows[0];
}

export async function readTenants(tx: Queryable, ids: readonly string[]): Promise<Tenant[]> {
  if (ids.length === 0) return [];
  const { rows } = await tx.query<Tenant>({ text: `${SELECT} where id = any ($1::text[]) order by id`, values: [ids] });
  return rows;
}

export async function readTenant(tx: Queryable, id: string): Promise<Tenant> {
  const [tenant] = await readTenants(tx, [id]);
  if (tenant === undefined) throw new Error(`there is no tenant ${id}`);
  return tenant;
}

/** The platform's share of this tenant's invoices in percent; null: that of the configuration, or there is no such tenant. */
export async function readTenantFee(tx: Queryable, id: string): Promise<number | null> {
  const { rows } = await tx.query<{ percent: number | null }>({ text: SELECT_FEE, values: [id] });
  return rows[0]?.percent ?? null;
}

/** Returns what it was before; undefined: there is no such tenant. */
export async function changeTenantFee(
  tx: Queryable,
  id: string,
  percent: number | null,
): Promise<{ before: number | null } | undefined> {
  const { rows } = await tx.query<{ before: number | null }>({ text: CHANGE_FEE, values: [id, percent] });
  return rows[0];
}

/** Its Stripe account, where one was ever connected. */
export interface TenantAccount {
  account: string;
  status: string;
}

/** `account` is that of the caller's mode; a disconnected one is not named any more. */
export function viewOfTenant(tenant: Tenant, account: TenantAccount | undefined): TenantView {
  const status = account?.status ?? "not_connected";
  return {
    id: tenant.id,
    company_name: tenant.companyName,
    domain: tenant.domain,
    stripe_connect_account_id: status === "disconnected" ? null : (account?.account ?? null),
    stripe_connect_status: status,
    created_at: tenant.createdAt.toISOString(),
  };
}

const INSERT = `
  insert into tenants (id, company_name, domain) values ($1, $2, $3)
  returning created_at as "createdAt"`;
const INSERT_PLATFORM = `
  insert into tenants (id, platform, company_name) values ($1, true, 'Platform')
  on conflict (platform) where platform do nothing`;
const SELECT_FEE = "select application_fee_percent::float8 as percent from tenants where id = $1";
const CHANGE_FEE = `
  with old as (select id, application_fee_percent from tenants where id = $1 for update)
  update tenants set application_fee_percent = $2, updated_at = now() from old where tenants.id = old.id
  returning old.application_fee_percent::float8 as before`;
const SELECT = `
  select id, company_name as "companyName", domain, platform, created_at as "createdAt" from tenants`;
