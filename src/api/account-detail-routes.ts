// Routes of one of a tenant's accounts, for its admin: the account with its subscription, its purchases and its invoices.
import { z } from "zod";

import { type Account, readAccount } from "../accounts/account-table.ts";
import { publicError } from "../base/errors.ts";
import { readOwnInvoices, readOwnSubscription } from "../billing/own-billing.ts";
import { readPurchases } from "../credits/purchase-reads.ts";
import type { Queryable } from "../db/database.ts";
import { AccountAnswer, modeOf, viewOfAccount } from "./account-admin-routes.ts";
import { scopeOf } from "./caller.ts";
import {
  Invoice,
  Purchase,
  STATES,
  Subscription,
  viewOfInvoice,
  viewOfPurchase,
  viewOfSubscription,
} from "./own-billing-routes.ts";
import { idParams, listOf, pageFields } from "./query-fields.ts";
import { type Call, operation } from "./route.ts";

const TAG = "Accounts";

const AccountDetail = z
  .strictObject({ ...AccountAnswer.shape, subscription: Subscription.nullable() })
  .meta({ id: "AccountDetail" });

export const readAccountRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: AccountDetail },
  run: (call) =>
    ofAccount(call, async (tx, account) => {
      const mode = modeOf(call.caller);
      const subscription = await readOwnSubscription(tx, mode, account);
      return {
        ...(await viewOfAccount(tx, mode, account)),
        subscription: subscription === undefined ? null : viewOfSubscription(subscription),
      };
    }),
});

export const listAccountPurchases = operation({
  tag: TAG,
  params: idParams,
  query: z.strictObject({ status: z.enum(STATES).optional(), ...pageFields }),
  answers: { 200: listOf(Purchase) },
  run: (call) =>
    ofAccount(call, async (tx, { id: accountId }) => {
      const { status: state, ...page } = call.query;
      const { items, next_cursor } = await readPurchases(tx, { ...modeOf(call.caller), accountId }, { ...page, state });
      return { data: items.map(viewOfPurchase), has_more: next_cursor !== null, next_cursor };
    }),
});

export const listAccountInvoices = operation({
  tag: TAG,
  params: idParams,
  query: z.strictObject(pageFields),
  answers: { 200: listOf(Invoice) },
  run: (call) =>
    ofAccount(call, async (tx, account) => {
      const { items, next_cursor } = await readOwnInvoices(tx, modeOf(call.caller), account, call.query);
      return { data: items.map(viewOfInvoice), has_more: next_cursor !== null, next_cursor };
    }),
});

function ofAccount<Query, Found>(
  call: Call<{ id: string }, Query, unknown>,
  read: (tx: Queryable, account: Account) => Promise<Found>,
): Promise<Found> {
  return scopeOf(call).transaction(async (tx) => {
    const account = await readAccount(tx, modeOf(call.caller), call.params.id);
    if (account === undefined) throw publicError("not_found");
    return read(tx, account);
  });
}
