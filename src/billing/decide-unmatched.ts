// A person's decision on a paid session whose buyer nobody knew: whose it is, or that it is nobody's here.
import { readAccount } from "../accounts/account-table.ts";
import {
  lockUnmatched,
  resolveUnmatched,
  type Sale,
  type UnmatchedPurchase,
} from "../accounts/unmatched-purchase-table.ts";
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { findSessionPurchase } from "../credits/purchase-table.ts";
import type { Database, Queryable } from "../db/database.ts";
import type { Act } from "../tenants/people-context.ts";
import { sell, type SettlingContext } from "./buyers.ts";

/**
 * Gives the credits to an account of the same tenant and mode, once. Throws `not_found` when there is no such payment or
 * account, `purchase_decided`.
 */
export async function assignUnmatched(
  context: SettlingContext,
  { id, accountId }: { id: string; accountId: string },
  act: Act,
): Promise<void> {
  await context.database.transaction(async (tx) => {
    const unmatched = await lockOpen(tx, id);
    const account = await readAccount(tx, unmatched, accountId);
    if (account === undefined) {
      const message = "There is no account with this id in the payment's tenant and mode: check it.";
      throw publicError("not_found", { message, param: "account_id" });
    }
    const known = await findSessionPurchase(tx, unmatched);
    if (known !== undefined) throw publicError("purchase_decided");
    const purchase = await sell(context, tx, unmatched, saleIn(unmatched), account.id);
    await resolveUnmatched(tx, id, { status: "assigned", purchase });
    await auditDecision(tx, unmatched, act, {
      status: "assigned",
      account_id: account.id,
      purchase_id: purchase.id,
      credits: unmatched.credits,
    });
  });
}

/** It brings no credits. Throws `not_found`, `purchase_decided`. */
export async function dismissUnmatched(database: Database, id: string, act: Act): Promise<void> {
  await database.transaction(async (tx) => {
    const unmatched = await lockOpen(tx, id);
    await resolveUnmatched(tx, id, { status: "dismissed" });
    await auditDecision(tx, unmatched, act, { status: "dismissed" });
  });
}

async function lockOpen(tx: Queryable, id: string): Promise<UnmatchedPurchase> {
  const unmatched = await lockUnmatched(tx, id);
  if (unmatched === undefined) throw publicError("not_found");
  if (unmatched.status !== "open") throw publicError("purchase_decided");
  return unmatched;
}

/** What was stored of the sale. Its amount is the session's own: what refunds are measured against is what was paid. */
function saleIn({
  credits,
  packId,
  quantity,
  lines,
  amountSubtotal,
  currency,
}: UnmatchedPurchase): Omit<Sale, "lines"> {
  if (credits === null || credits <= 0) {
    throw publicError("purchase_decided", {
      message: "What was bought is not known any more: grant the credits by hand, and dismiss this payment.",
    });
  }
  const [only, ...others] = (lines ?? []).filter((line) => line.pack_id !== null);
  const priceId = others.length === 0 ? (only?.price_id ?? null) : null;
  return { packId, quantity: quantity ?? 1, credits, amount: amountSubtotal ?? 0, currency: currency ?? "", priceId };
}

async function auditDecision(tx: Queryable, unmatched: UnmatchedPurchase, act: Act, after: object): Promise<void> {
  const { tenantId, id: target, reason } = unmatched;
  const action = "unmatched_purchase.decided";
  await audit(tx, { tenantId, ...act, action, target, before: { status: "open", reason }, after });
}
