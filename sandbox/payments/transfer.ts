// Transfers to connected accounts, the payments that they become there, and their reversals.
import type Stripe from "stripe";

import { connectedAccount } from "../connect/connection.ts";
import { invalidRequest, noSuch, parameterMissing } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { applicationFeeDetail } from "./application-fee.ts";
import { book, requireAvailable } from "./balance.ts";
import { billing } from "./instrument.ts";
import { fresh, orNull } from "./fresh.ts";

const TOO_LITTLE =
  "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance";

interface TransferInput {
  amount: number;
  currency: string;
  destination: string;
  description?: string | undefined;
  metadata?: Stripe.TransferCreateParams["metadata"];
  source_transaction?: string | undefined;
  source_type?: string | undefined;
  transfer_group?: string | null | undefined;
  /** The platform's fee, which the connected account pays out of what it receives. */
  fee?: number;
}

/** @throws StripeFailure 400 there is no such connected account */
export function refuseUnknownDestination(tx: Transaction, account: string, param: string): void {
  if (connectedAccount(tx, account) === undefined) throw noSuch("destination", account, param);
}

/** Moves money to a connected account: transfer.created here, a payment there. */
export function createTransfer(tx: Transaction, input: TransferInput): Stripe.Transfer {
  refuseUnknownDestination(tx, input.destination, "destination");
  const { amount, currency, destination } = input;
  const id = tx.newId("transfer");
  const booked = book(tx, {
    type: "transfer",
    amount: -amount,
    currency,
    source: id,
    description: input.description ?? null,
  });
  const source =
    input.source_transaction === undefined
      ? undefined
      : tx.get("charge", input.source_transaction, "source_transaction");
  const group =
    input.transfer_group ??
    source?.transfer_group ??
    (source === undefined ? null : `group_${idOf(source.payment_intent) ?? source.id}`);
  const payment = receive(tx, id, input);
  const transfer = tx.put(
    "transfer",
    fresh(tx, "transfer", {
      id,
      amount,
      amount_reversed: 0,
      balance_transaction: booked.id,
      currency,
      description: orNull(input.description),
      destination,
      destination_payment: payment.id,
      metadata: mergeMetadata({}, input.metadata),
      reversals: innerList([], `/v1/transfers/${id}/reversals`),
      reversed: false,
      source_transaction: source?.id ?? null,
      source_type: input.source_type ?? "card",
      transfer_group: group,
    }),
  );
  tx.raise("transfer.created", transfer);
  return transfer;
}

/** The payment on the connected account: a charge named `py_…` that the platform's money pays. */
function receive(
  tx: Transaction,
  id: string,
  { amount, currency, destination, fee = 0 }: TransferInput,
): Stripe.Charge {
  const there = tx.in({ ...tx.scope, account: destination });
  const payment = `py_${tx.world.random.text(24)}`;
  const fees = fee === 0 ? [] : [applicationFeeDetail(fee, currency)];
  const booked = book(there, {
    type: "payment",
    amount,
    currency,
    source: payment,
    reporting: "transfer",
    fees,
    available: true,
  });
  return there.put(
    "charge",
    fresh(there, "charge", {
      id: payment,
      amount,
      amount_captured: amount,
      balance_transaction: booked.id,
      billing_details: billing(undefined),
      captured: true,
      currency,
      fraud_details: {},
      paid: true,
      payment_method_details: { type: "stripe_account", stripe_account: {} },
      source_transfer: id,
      status: "succeeded",
    }),
  );
}

/**
 * Takes some of a transfer back.
 * @throws StripeFailure 400 all was reversed, or more than is left
 */
export function reverseTransfer(
  tx: Transaction,
  id: string,
  given: {
    amount?: number | undefined;
    metadata?: Stripe.TransferCreateReversalParams["metadata"];
    source_refund?: string;
  },
): Stripe.TransferReversal {
  const transfer = tx.get("transfer", id);
  const left = transfer.amount - transfer.amount_reversed;
  if (left === 0)
    throw invalidRequest(`Transfer ${id} is already fully reversed.`, { code: "transfer_already_reversed" });
  const amount = given.amount ?? left;
  if (amount > left) {
    throw invalidRequest(`Reversal amount (${amount}) is greater than unreversed amount on transfer (${left})`, {
      param: "amount",
    });
  }
  const reversalId = tx.newId("transfer_reversal");
  const { currency } = transfer;
  const booked = book(tx, { type: "transfer_refund", amount, currency, source: reversalId, available: true });
  const made = fresh(tx, "transfer_reversal", {
    id: reversalId,
    amount,
    balance_transaction: booked.id,
    currency,
    destination_payment_refund: giveBack(tx, transfer, amount),
    metadata: mergeMetadata({}, given.metadata),
    source_refund: given.source_refund ?? null,
    transfer: id,
  });
  const { livemode: _livemode, ...rest } = made as Stripe.TransferReversal & { livemode: boolean };
  const reversal = tx.put("transfer_reversal", rest);
  const total = transfer.amount_reversed + amount;
  const after = { ...transfer, amount_reversed: total, reversed: total === transfer.amount };
  tx.change("transfer", { ...after, reversals: reversalsOf(tx, id) }, "transfer.reversed");
  return reversal;
}

/** The refund of the connected account's payment. */
function giveBack(tx: Transaction, transfer: Stripe.Transfer, amount: number): string {
  const there = tx.in({ ...tx.scope, account: idOf(transfer.destination) ?? "" });
  const id = `pyr_${tx.world.random.text(24)}`;
  const { currency } = transfer;
  const charge = idOf(transfer.destination_payment) ?? "";
  const booked = book(there, {
    type: "payment_refund",
    amount: -amount,
    currency,
    source: id,
    reporting: "transfer_reversal",
  });
  const refund = fresh(there, "refund", {
    id,
    amount,
    balance_transaction: booked.id,
    charge,
    currency,
    metadata: {},
    status: "succeeded",
  });
  const { livemode: _livemode, ...rest } = refund as Stripe.Refund & { livemode: boolean };
  there.put("refund", rest);
  const payment = there.find("charge", charge);
  if (payment !== undefined) {
    const total = payment.amount_refunded + amount;
    there.put("charge", { ...payment, amount_refunded: total, refunded: total === payment.amount });
  }
  return id;
}

/** All that is sent on of one charge is at most what was charged. */
function refuseMoreThanCharged(tx: Transaction, source: Stripe.Charge, amount: number): void {
  const sent = tx
    .where("transfer", (transfer) => idOf(transfer.source_transaction) === source.id)
    .reduce((sum, transfer) => sum + transfer.amount - transfer.amount_reversed, 0);
  if (sent + amount <= source.amount) return;
  throw invalidRequest(
    `The transfer amount (${amount}) is greater than what is left (${source.amount - sent}) of the source transaction ${source.id}.`,
    { param: "amount" },
  );
}

function reversalsOf(tx: Transaction, transfer: string): Stripe.Transfer["reversals"] {
  const reversals = tx.where("transfer_reversal", (reversal) => reversal.transfer === transfer).reverse();
  return innerList(reversals, `/v1/transfers/${transfer}/reversals`);
}

export const transferRoutes: Route[] = [
  route<Stripe.TransferCreateParams>()("POST /v1/transfers", (tx, p) => {
    if (p.amount === undefined && p.source_transaction === undefined) throw parameterMissing("amount");
    const source =
      p.source_transaction === undefined ? undefined : tx.get("charge", p.source_transaction, "source_transaction");
    const amount = p.amount ?? source?.amount ?? 0;
    if (amount < 1)
      throw invalidRequest("Invalid positive integer", { param: "amount", code: "parameter_invalid_integer" });
    refuseUnknownDestination(tx, p.destination, "destination");
    const currency = p.currency.toLowerCase();
    if (source === undefined) requireAvailable(tx, amount, currency, TOO_LITTLE);
    else refuseMoreThanCharged(tx, source, amount);
    return createTransfer(tx, { ...p, amount, currency });
  }),
  route<Stripe.TransferListParams>()("GET /v1/transfers", (tx, p) => {
    const chosen = tx.where(
      "transfer",
      (each) =>
        (p.destination === undefined || each.destination === p.destination) &&
        (p.transfer_group === undefined || each.transfer_group === p.transfer_group),
    );
    return listOf(chosen, "/v1/transfers", p as ListParameters);
  }),
  route<object>()("GET /v1/transfers/*", (tx, _p, id) => tx.get("transfer", id)),
  route<Stripe.TransferUpdateParams>()("POST /v1/transfers/*", (tx, p, id) => {
    const old = tx.get("transfer", id);
    const description = p.description === undefined ? old.description : orNull(p.description);
    const metadata = mergeMetadata(old.metadata, p.metadata);
    return tx.change("transfer", { ...old, description, metadata }, "transfer.updated");
  }),
  route<Stripe.TransferListReversalsParams>()("GET /v1/transfers/*/reversals", (tx, p, id) => {
    tx.get("transfer", id);
    return listOf(
      tx.where("transfer_reversal", ({ transfer }) => transfer === id),
      `/v1/transfers/${id}/reversals`,
      p,
    );
  }),
  route<Stripe.TransferCreateReversalParams>()("POST /v1/transfers/*/reversals", (tx, p, id) =>
    reverseTransfer(tx, id, p),
  ),
  route<object>()("GET /v1/transfers/*/reversals/*", (tx, _p, _transfer, id) => tx.get("transfer_reversal", id)),
  route<Stripe.TransferUpdateReversalParams>()("POST /v1/transfers/*/reversals/*", (tx, p, transfer, id) => {
    const old = tx.get("transfer_reversal", id);
    const reversal = tx.put("transfer_reversal", { ...old, metadata: mergeMetadata(old.metadata, p.metadata) });
    tx.change(
      "transfer",
      { ...tx.get("transfer", transfer), reversals: reversalsOf(tx, transfer) },
      "transfer.updated",
    );
    return reversal;
  }),
];
