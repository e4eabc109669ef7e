// An account's customer at Stripe: made when it is first needed, one on each Stripe account that the tenant sells on.
import { createHash } from "node:crypto";

import { type Account, readAccount, recordCustomer, type TenantMode } from "../accounts/account-table.ts";
import { publicError } from "../base/errors.ts";
import type { Database, Queryable } from "../db/database.ts";
import { refreshAccounts } from "../inbox/account-standing.ts";
import { observe } from "../inbox/observe.ts";
import type { StripeAccess, StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { StripeError } from "../stripe/client.ts";
import type { StripeObject } from "../stripe/envelope.ts";

export interface CustomerContext {
  /** The owner's: what Stripe answered is stored. */
  database: Database;
  stripe: StripeAccess;
  platformTenant: string;
  /** There are observations to be processed. */
  wake: () => void;
}

export interface CustomerOf extends TenantMode {
  accountId: string;
  /** "" for the platform's own. */
  stripeAccount: string;
}

/** In a customer's metadata, for who looks at Stripe's dashboard. Nothing is decided by it. */
export const ACCOUNT_FIELD = "billhook_account";

/**
 * Asks Stripe for something in the name of the account's customer, who is made first where there is none. One that somebody
 * has deleted at Stripe is replaced, and `ask` runs a second time: its idempotency key must name the customer.
 *
 * @throws PublicError `not_found` when there is no such account
 */
export async function askForCustomer<T>(
  context: CustomerContext,
  scope: Queryable,
  of: CustomerOf,
  ask: (customerId: string) => Promise<StripeAnswer<T>>,
): Promise<StripeAnswer<T>> {
  const customerId = await ensureCustomer(context, scope, of);
  try {
    return await ask(customerId);
  } catch (error) {
    if (!isMissingCustomer(error)) throw error;
    return ask(await ensureCustomer(context, scope, of, customerId));
  }
}

/** The account's customer on this Stripe account. `gone`: the one that Stripe does not know any more. */
export async function ensureCustomer(
  context: CustomerContext,
  scope: Queryable,
  of: CustomerOf,
  gone?: string,
): Promise<string> {
  const account = await readAccount(scope, of, of.accountId);
  if (account === undefined) throw publicError("not_found");
  const { stripeCustomerId: known, stripeCustomerAccount } = account;
  if (known !== null && stripeCustomerAccount === of.stripeAccount && known !== gone) return known;
  const answer = await createCustomer(context, of, account);
  const customerId = answer.value.id;
  const now = await context.database.transaction(async (tx) => {
    const { livemode, stripeAccount } = of;
    const { asOf, apiVersion, replayedAt } = answer;
    const object = answer.value as unknown as StripeObject;
    const observed = { livemode, account: stripeAccount, object, asOf, apiVersion, replayedAt };
    await observe(tx, [observed], context.platformTenant);
    const recorded = await recordCustomer(tx, of, of.accountId, { stripeAccount, customerId, instead: known });
    await refreshAccounts(tx, [of]);
    return recorded;
  });
  context.wake();
  // Of two that came at once, the second one's customer stays without a purchase.
  return now ?? customerId;
}

interface StripeCustomer {
  id: string;
}

/** The same key for the same content: asked again after a crash, it is the same customer. */
function createCustomer(
  { stripe }: CustomerContext,
  { tenantId, livemode, accountId, stripeAccount }: CustomerOf,
  { email, name, stripeCustomerId: before }: Account,
): Promise<StripeAnswer<StripeCustomer>> {
  const parameters = {
    ...(email === null ? {} : { email }),
    ...(name === null ? {} : { name }),
    metadata: { [ACCOUNT_FIELD]: accountId, billhook_tenant: tenantId },
  };
  const content = createHash("sha256").update(JSON.stringify(parameters)).digest("base64url").slice(0, 22);
  const idempotencyKey = `${accountId}:customer:${before ?? "first"}:${content}`;
  const target = { livemode, account: stripeAccount, idempotencyKey, fields: { email: "email", name: "name" } };
  return stripe.call<StripeCustomer>(target, (client, options) => client.customers.create(parameters, options));
}

function isMissingCustomer(error: unknown): boolean {
  if (!(error instanceof StripeCallError) || error.stripeCode !== "resource_missing") return false;
  return error.cause instanceof StripeError && error.cause.param === "customer";
}
