// A signed-in person's own accounts at a tenant: one in each mode.
import type { Queryable } from "../db/database.ts";

export async function accountIdsOf(
  tx: Queryable,
  { tenantId, personId }: { tenantId: string; personId: string },
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>({ text: OWN, values: [tenantId, personId] });
  return rows.map(({ id }) => id);
}

const OWN = "select id from accounts where tenant_id = $1 and livemode in (true, false) and person_id = $2";
