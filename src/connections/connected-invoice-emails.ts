// Which of a tenant's connected invoices are for an e-mail address. Read by the owner: see `invoicesForEmail`.
import type { Queryable } from "../db/database.ts";
import type { Wanted } from "./connected-invoice-table.ts";

/**
 * Ids, in no order. `finder` is the owner's handle: no index on lower(customer_email) serves under row-level security, because
 * lower() might tell what it saw. What the ids name is read in the tenant's own scope.
 */
export async function invoicesForEmail(
  finder: Queryable,
  { tenantId, livemode }: Wanted,
  email: string,
): Promise<string[]> {
  const { rows } = await finder.query<{ id: string }>({ text: FOR_EMAIL, values: [tenantId, livemode, email] });
  return rows.map(({ id }) => id);
}

const FOR_EMAIL = `
  select id from connected_invoices where tenant_id = $1 and livemode = $2 and lower(customer_email) = lower($3)`;
