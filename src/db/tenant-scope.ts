// The only handle that request code gets: transactions in which the database shows one tenant's rows and no others.
import { isId } from "../base/ids.ts";
import type { Database, Queryable } from "./database.ts";

/** Made by migration 0006: owns nothing, has no login, and is bound by row-level security. */
export const TENANT_ROLE = "billhook_tenant";

export interface TenantScope extends Queryable {
  readonly tenantId: string;
  /**
   * Runs `work` in one transaction, as `Database.transaction` does; all of its statements are bound to the tenant.
   * A statement asked of the scope itself is a transaction of its own.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
}

/**
 * Binds a database to one tenant. On a server `database` is the pool of the API's own login (src/db/api-role.ts), which
 * has no rights but this role's; embedded it is the one session that there is.
 *
 * It guards against a forgotten `where`, and against every statement that is bound to the wrong tenant's ids. It cannot
 * guard against SQL that was put together from a caller's text, which could name another tenant itself.
 */
export function tenantScope(database: Database, { tenantId }: { tenantId: string }): TenantScope {
  if (!isId(tenantId, "ten")) throw new Error("a tenant scope needs a tenant's id");
  const transaction = <T>(work: (tx: Queryable) => Promise<T>): Promise<T> =>
    database.transaction(async (tx) => {
      // Nobody waits for it: statements run in the order in which they were asked, and behind one that fails all fail.
      const entered = tx.query({ name: "enter_tenant_scope", text: ENTER, values: [tenantId] });
      const [, result] = await Promise.all([entered, work(tx)]);
      return result;
    });
  return { tenantId, transaction, query: (statement) => transaction((tx) => tx.query(statement)) };
}

// Both end with the transaction, however it ends: the connection's next user finds neither, also behind PgBouncer.
const ENTER = `select set_config('role', '${TENANT_ROLE}', true), set_config('billhook.tenant', $1, true)`;
