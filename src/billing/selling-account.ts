// On which Stripe account a tenant sells: the platform on its own, every other tenant on the one that it has connected.
import { publicError } from "../base/errors.ts";
import { feeOf } from "../connections/connected-invoice.ts";
import { findConnection, isConnected } from "../connections/connection-table.ts";
import type { Queryable } from "../db/database.ts";
import { readTenantFee } from "../tenants/tenant-table.ts";

export interface Seller {
  tenantId: string;
  livemode: boolean;
}

/**
 * "" for the platform's own account, else acct_…: never the platform's for another tenant. Throws `stripe_not_connected`
 * or `stripe_account_restricted`, with what must be done first.
 */
export async function sellingAccountOf(tx: Queryable, seller: Seller, platformTenant: string): Promise<string> {
  return seller.tenantId === platformTenant ? "" : chargingAccountOf(tx, seller);
}

/** The tenant's connected account, if it may charge. */
export async function chargingAccountOf(tx: Queryable, { tenantId, livemode }: Seller): Promise<string> {
  const mode = livemode ? "live" : "test";
  const connection = await findConnection(tx, { tenantId, livemode });
  if (connection === undefined || connection.end !== undefined) {
    throw publicError("stripe_not_connected", {
      message: `No Stripe account is connected in ${mode} mode: connect one, and send this again.`,
    });
  }
  if (connection.status !== "active") {
    throw publicError("stripe_account_restricted", {
      message: `The connected Stripe account may not charge in ${mode} mode yet (it is ${connection.status}): complete its onboarding, and send this again.`,
    });
  }
  return connection.account;
}

/**
 * Before a tenant acts on what it once made on an account: "" is the platform's own. Throws `stripe_not_connected` when the
 * account is not the tenant's any more, whoever has it now.
 */
export async function mustBeConnected(tx: Queryable, seller: Seller, account: string): Promise<void> {
  if (account === "" || (await isConnected(tx, { ...seller, account }))) return;
  throw publicError("stripe_not_connected", {
    message:
      "The Stripe account that this was made on is not connected any more: connect it again, and send this again.",
  });
}

export interface FeeTerms {
  platformTenant: string;
  /** Of tenants that have no percentage of their own. */
  platformFeePercent: number;
}

/** The platform's share of what a tenant sells, in percent; null: the platform sells itself. */
export async function feePercentOf(tx: Queryable, tenantId: string, terms: FeeTerms): Promise<number | null> {
  if (tenantId === terms.platformTenant) return null;
  return (await readTenantFee(tx, tenantId)) ?? terms.platformFeePercent;
}

/** In minor units; null: there is none. */
export function feeAmountOf(total: number, percent: number | null): number | null {
  return percent === null ? null : feeOf(total, percent);
}
