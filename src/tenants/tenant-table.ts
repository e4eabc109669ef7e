// Tenants as rows: who pays us, and the platform itself. Table: tenants
import type { Queryable } from "../db/database.ts";

export interface Tenant {
  id: string;
  companyName: string;
  domain: string | null;
  platform: boolean;
  createdAt: Date;
}

/** What the wire says of a tenant. Its Stripe account is not connected yet wherever this is all that is known. */
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
  tenant: { id: string; companyName: string; domain: string; webhookSecretSealed: string },
): Promise<Tenant> {
  const { id, companyName, domain, webhookSecretSealed } = tenant;
  const { rows } = await tx.query<{ createdAt: Date }>({
    text: INSERT,
    values: [id, companyName, domain, webhookSecretSealed],
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

export function viewOfTenant(tenant: Tenant): TenantView {
  return {
    id: tenant.id,
    company_name: tenant.companyName,
    domain: tenant.domain,
    stripe_connect_account_id: null,
    stripe_connect_status: "not_connected",
    created_at: tenant.createdAt.toISOString(),
  };
}

const INSERT = `
  insert into tenants (id, company_name, domain, webhook_secret_sealed) values ($1, $2, $3, $4)
  returning created_at as "createdAt"`;
const INSERT_PLATFORM = `
  insert into tenants (id, platform, company_name) values ($1, true, 'Platform')
  on conflict (platform) where platform do nothing`;
const SELECT = `
  select id, company_name as "companyName", domain, platform, created_at as "createdAt" from tenants`;
