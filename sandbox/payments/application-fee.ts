// Application fees: what the platform keeps of a payment on a connected account. They stand in the platform's scope.
import type Stripe from "stripe";

import { APPLICATION } from "../connect/connection.ts";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { book } from "./balance.ts";
import { fresh } from "./fresh.ts";

export const PLATFORM_APPLICATION = APPLICATION.id;

/** The fee as the connected account sees it in its balance. */
export function applicationFeeDetail(amount: number, currency: string): Stripe.BalanceTransaction.FeeDetail {
  const application = PLATFORM_APPLICATION;
  return { amount, application, currency, description: "Sandbox platform application fee", type: "application_fee" };
}

interface FeeInput {
  /** The connected account that pays. */
  account: string;
  amount: number;
  currency: string;
  /** The charge on the connected account. */
  charge: string;
  /** The platform's charge, for a destination charge. */
  origin: string | null;
}

/** Keeps the fee for the platform and raises application_fee.created there. */
export function collectFee(
  tx: Transaction,
  { account, amount, currency, charge, origin }: FeeInput,
): Stripe.ApplicationFee {
  const platform = tx.in(tx.world.platform(tx.scope));
  const id = tx.newId("application_fee");
  const booked = book(platform, { type: "application_fee", amount, currency, source: id, available: 1 });
  const fee = platform.put(
    "application_fee",
    fresh(platform, "application_fee", {
      id,
      account,
      amount,
      amount_refunded: 0,
      application: PLATFORM_APPLICATION,
      balance_transaction: booked.id,
      charge,
      currency,
      fee_source: { charge, type: "charge" },
      originating_transaction: origin,
      refunded: false,
      refunds: innerList([], `/v1/application_fees/${id}/refunds`),
    }),
  );
  platform.raise("application_fee.created", fee);
  return fee;
}

/**
 * Gives some of the fee back to the connected account.
 * @throws StripeFailure 400 more than is left, or all was refunded
 */
export function refundFee(tx: Transaction, id: string, amount: number | undefined, metadata = {}): Stripe.FeeRefund {
  const platform = tx.in(tx.world.platform(tx.scope));
  const fee = platform.get("application_fee", id);
  const left = fee.amount - fee.amount_refunded;
  if (left === 0) {
    throw invalidRequest(`Application fee ${id} has already been refunded.`, {
      code: "application_fee_already_refunded",
    });
  }
  const refunded = amount ?? left;
  if (refunded > left) {
    throw invalidRequest(`Refund amount (${refunded}) is greater than unrefunded amount on fee (${left})`, {
      param: "amount",
    });
  }
  const refundId = tx.newId("fee_refund");
  const { currency } = fee;
  const booked = book(platform, { type: "application_fee_refund", amount: -refunded, currency, source: refundId });
  const made = fresh(platform, "fee_refund", {
    id: refundId,
    amount: refunded,
    balance_transaction: booked.id,
    currency,
    fee: id,
    metadata: mergeMetadata({}, metadata),
  });
  const { livemode: _livemode, ...rest } = made as Stripe.FeeRefund & { livemode: boolean };
  const refund = platform.put("fee_refund", rest);
  const total = fee.amount_refunded + refunded;
  const after = { ...fee, amount_refunded: total, refunded: total === fee.amount };
  platform.change("application_fee", { ...after, refunds: refundsOf(platform, id) }, "application_fee.refunded");
  book(tx.in({ ...tx.scope, account: idOf(fee.account) ?? "" }), {
    type: "application_fee_refund",
    amount: refunded,
    currency,
    source: refundId,
    available: true,
  });
  return refund;
}

function refundsOf(tx: Transaction, fee: string): Stripe.ApplicationFee["refunds"] {
  const refunds = tx.where("fee_refund", (refund) => refund.fee === fee).reverse();
  return innerList(refunds, `/v1/application_fees/${fee}/refunds`);
}

export const applicationFeeRoutes: Route[] = [
  route<Stripe.ApplicationFeeListParams>()("GET /v1/application_fees", (tx, p) => {
    const chosen = tx.where("application_fee", ({ charge }) => p.charge === undefined || charge === p.charge);
    return listOf(chosen, "/v1/application_fees", p as ListParameters);
  }),
  route<object>()("GET /v1/application_fees/*", (tx, _p, id) => tx.get("application_fee", id)),
  route<Stripe.ApplicationFeeListRefundsParams>()("GET /v1/application_fees/*/refunds", (tx, p, id) => {
    tx.get("application_fee", id);
    return listOf(
      tx.where("fee_refund", ({ fee }) => fee === id),
      `/v1/application_fees/${id}/refunds`,
      p,
    );
  }),
  route<Stripe.ApplicationFeeCreateRefundParams>()("POST /v1/application_fees/*/refunds", (tx, p, id) =>
    refundFee(tx, id, p.amount, p.metadata),
  ),
  route<object>()("GET /v1/application_fees/*/refunds/*", (tx, _p, _fee, id) => tx.get("fee_refund", id)),
  route<Stripe.ApplicationFeeUpdateRefundParams>()("POST /v1/application_fees/*/refunds/*", (tx, p, fee, id) => {
    const old = tx.get("fee_refund", id);
    const metadata = mergeMetadata(old.metadata, p.metadata);
    const updated = tx.change("fee_refund", { ...old, metadata }, "application_fee.refund.updated");
    tx.put("application_fee", { ...tx.get("application_fee", fee), refunds: refundsOf(tx, fee) });
    return updated;
  }),
];
