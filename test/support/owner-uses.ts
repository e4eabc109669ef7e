// Which code may use the owner's database while a tenant's route runs; and a handle that notes who does. Others take scopeOf(call).
import { AsyncLocalStorage } from "node:async_hooks";

import type { Route, Who } from "../../src/api/route.ts";
import type { Database } from "../../src/db/database.ts";

/** Source file → why what it asks is not the tenant's own rows. */
export const OWNER_USES: Record<string, string> = {
  "src/tenants/rate-limits.ts": "tries are counted per mail address and source, of all tenants together",
  "src/connect/record-connection.ts": "what Stripe says is connected may have been another tenant's until now",
  "src/connect/disconnect.ts": "connections are written by who acts on Stripe's word alone",
  "src/billing/make-connected-invoice.ts": "what Stripe answered is written by who makes the invoice, asked for or not",
  "src/billing/connected-invoices.ts": "what Stripe answered enters the inbox in the commit of its audit entry",
  "src/billing/pack-sync.ts":
    "what is brought to Stripe is claimed, and what Stripe answered written, by the owner alone",
  "src/billing/pack-sync-one.ts": "what Stripe answered is written by who brings it there, asked for or not",
  "src/billing/plans-and-packs.ts": "what Stripe refused is taken back, which the tenant's own role may not do",
  "src/billing/subscription-start.ts": "what Stripe answered is written with what it means for the request",
  "src/billing/subscription-release.ts": "a place is given free on Stripe's word alone",
  "src/billing/payment-method.ts": "what Stripe answered enters the inbox in the commit that records its id",
  "src/billing/refunds.ts": "what Stripe answered enters the inbox in the commit that records its id",
  "src/inbox/event-tables.ts": "what was fetched from Stripe enters the inbox, which has no tenant yet",
  "src/billing/search-emails.ts":
    "no index on lower(email) serves under row-level security: keys of the tenant's own, read again in its scope",
  "src/connections/connected-invoice-emails.ts":
    "no index on lower(customer_email) serves under row-level security: ids of the tenant's own, read in its scope",
  "src/tenants/people.ts": "a person's own address and name, for the platform's account of theirs",
  "src/billing/stripe-customer.ts":
    "what Stripe answered enters the inbox in the commit that makes its customer the account's",
  "src/billing/credit-checkout.ts": "what Stripe answered enters the inbox in the commit that settles its purchase",
  "src/credits/purchase-table.ts": "a purchase that Stripe has refused is written as what follows from its answer",
  "src/tenants/kept-answers.ts": "the answer that an Idempotency-Key keeps is its caller's, who may be no tenant",
};

const TENANT_ROUTES: ReadonlySet<Who> = new Set<Who>([
  ...(["account user", "secret key", "member", "admin", "admin person", "owner"] as const),
]);

export const isTenantRoute = ({ who }: Route): boolean => TENANT_ROUTES.has(who);

export interface OwnerWatch {
  /** The owner's handle, for the routes. */
  database: Database;
  /** Runs `work` as this route's. */
  during<T>(route: Route | undefined, work: () => T): T;
  /** Throws when a tenant's route used the owner's handle from a file that OWNER_USES does not list. */
  check(): void;
}

export function watchOwner(database: Database): OwnerWatch {
  const running = new AsyncLocalStorage<string>();
  const unlisted = new Set<string>();
  const note = (): void => {
    const route = running.getStore();
    const file = callerOf(new Error().stack ?? "");
    if (route !== undefined && OWNER_USES[file] === undefined) unlisted.add(`${route}: ${file}`);
  };
  return {
    database: {
      ...database,
      query: (statement) => {
        note();
        return database.query(statement);
      },
      transaction: (work, options) => {
        note();
        return database.transaction(work, options);
      },
    },
    during: (route, work) =>
      route !== undefined && isTenantRoute(route) ? running.run(`${route.method} ${route.path}`, work) : work(),
    check: () => {
      if (unlisted.size === 0) return;
      throw new Error(
        `Routes of tenants used the owner's database, which sees every tenant. Take scopeOf(call), or list the file with its reason in test/support/owner-uses.ts:\n${[...unlisted].join("\n")}`,
      );
    },
  };
}

/** The file that asked: the first that is not this one. */
function callerOf(stack: string): string {
  const files = [...stack.matchAll(/\/((?:src|test)\/[\w/.-]+\.ts):/g)].map(([, file]) => file);
  return files.find((file) => file !== "test/support/owner-uses.ts") ?? "unknown";
}
