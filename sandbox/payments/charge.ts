// Charges: one attempt to take money with a payment method, and what its money does.
import type Stripe from "stripe";

import { blankPart } from "../core/blank.ts";
import type { Decline } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { partShape } from "../core/shapes.ts";
import type { Transaction } from "../core/transaction.ts";
import { applicationFeeDetail, collectFee, PLATFORM_APPLICATION } from "./application-fee.ts";
import { book, processingFee } from "./balance.ts";
import { outcomeOf } from "./declines.ts";
import { fresh } from "./fresh.ts";
import { behaviorOf, billing } from "./instrument.ts";
import { schedule } from "./schedule.ts";
import { createTransfer } from "./transfer.ts";

/** Card networks hold money for a week: it is captured until then, or it goes back. */
const HOLD_SECONDS = 7 * 24 * 3600;

export interface ChargeDraft {
  amount: number;
  currency: string;
  customer: string | null;
  method: Stripe.PaymentMethod;
  /** False: the money is only reserved, and captured later. */
  capture: boolean;
  decline?: Decline | undefined;
  /** The bank will say later whether it pays. */
  pending?: boolean;
  authenticated?: boolean;
  mandate?: string | null;
  description?: string | null;
  metadata?: Record<string, string>;
  payment_intent?: string | null;
  application_fee_amount?: number | null;
  transfer_data?: { destination: string; amount?: number | null | undefined } | null;
  on_behalf_of?: string | null;
  transfer_group?: string | null;
  receipt_email?: string | null;
  shipping?: object | null;
  statement_descriptor?: string | null;
  statement_descriptor_suffix?: string | null;
  /** The older source object that was charged. */
  source?: object | null;
}

/** Cards are charged as `ch_…`, everything else as `py_…`. Kept; no event yet. */
export function makeCharge(tx: Transaction, draft: ChargeDraft): Stripe.Charge {
  const { amount, currency, method, decline, capture, pending = false } = draft;
  const isCard = method.type === "card";
  const id = isCard ? tx.newId("charge") : `py_${tx.world.random.text(24)}`;
  const elevated = behaviorOf(tx, method.id) === "elevated_risk";
  const isPaid = decline === undefined && !pending;
  const charge = fresh(tx, "charge", {
    id,
    amount,
    amount_captured: isPaid && capture ? amount : 0,
    application: tx.scope.account === tx.world.platform(tx.scope).account ? null : PLATFORM_APPLICATION,
    application_fee_amount: draft.application_fee_amount ?? null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: isCard ? (draft.statement_descriptor ?? "SANDBOX").toUpperCase() : null,
    captured: decline === undefined && capture && !pending,
    currency,
    customer: draft.customer,
    description: draft.description ?? null,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    fraud_details: {},
    metadata: draft.metadata ?? {},
    on_behalf_of: draft.on_behalf_of ?? null,
    outcome: pending
      ? { ...outcomeOf(undefined, false), network_status: "approved_by_network" }
      : outcomeOf(decline, elevated),
    paid: isPaid || pending,
    payment_intent: draft.payment_intent ?? null,
    payment_method: method.id,
    payment_method_details: detailsOf(tx, draft),
    radar_options: isCard ? {} : undefined,
    receipt_email: draft.receipt_email ?? null,
    receipt_url: decline === undefined && !pending ? `${tx.world.origin}/receipts/${id}` : null,
    shipping: draft.shipping ?? null,
    source: draft.source ?? null,
    statement_descriptor: draft.statement_descriptor ?? null,
    statement_descriptor_suffix: draft.statement_descriptor_suffix ?? null,
    status: decline !== undefined ? "failed" : pending ? "pending" : "succeeded",
    transfer_data: transferData(draft),
    transfer_group: draft.transfer_group ?? (draft.transfer_data ? `group_${draft.payment_intent ?? id}` : null),
  });
  if (isPaid && !capture) schedule(tx, "hold_expires", id, HOLD_SECONDS);
  return tx.put("charge", charge);
}

function transferData({ transfer_data: data }: ChargeDraft): { amount: number | null; destination: string } | null {
  return data ? { amount: data.amount ?? null, destination: data.destination } : null;
}

/** What the charge says of the card or account; a card's part is longer than its payment method's. */
function detailsOf(tx: Transaction, draft: ChargeDraft): Record<string, unknown> {
  const { method, amount, mandate = null } = draft;
  const path = `charge.payment_method_details.${method.type}`;
  const part = (method as unknown as Record<string, Record<string, unknown> | undefined>)[method.type] ?? {};
  const { fields } = partShape(path);
  const shared = Object.fromEntries(Object.entries(part).filter(([field]) => field in fields));
  if (method.type !== "card") {
    const known = "mandate" in fields ? { ...shared, mandate: mandate ?? undefined } : shared;
    return { type: method.type, [method.type]: blankPart(path, known) };
  }
  const { random } = tx.world;
  const card = blankPart(path, {
    ...shared,
    amount_authorized: draft.decline === undefined ? amount : null,
    authorization_code: draft.decline === undefined ? String(100_000 + random.integer(900_000)) : null,
    capture_before: draft.capture || draft.decline !== undefined ? undefined : tx.now + HOLD_SECONDS,
    extended_authorization: { status: "disabled" },
    incremental_authorization: { status: "unavailable" },
    mandate,
    multicapture: { status: "unavailable" },
    network: part.brand ?? null,
    network_token: { used: false },
    network_transaction_id: String(100_000_000 + random.integer(900_000_000)),
    overcapture: { maximum_amount_capturable: amount, status: "unavailable" },
    three_d_secure: draft.authenticated === true ? authenticated(tx) : null,
  });
  return { type: "card", card };
}

export function authenticated(tx: Transaction): Record<string, unknown> {
  return {
    authentication_flow: "challenge",
    electronic_commerce_indicator: "05",
    exemption_indicator: null,
    result: "authenticated",
    result_reason: null,
    transaction_id: tx.world.random.text(36).toLowerCase(),
    version: "2.2.0",
  };
}

/**
 * Books a captured charge: Stripe's fee, the platform's fee, the transfer to a connected account. Returns the charge
 * with what that made; kept, no event.
 */
export function moveMoney(tx: Transaction, charge: Stripe.Charge): Stripe.Charge {
  const behavior = behaviorOf(tx, charge.payment_method ?? "");
  const amount = charge.amount_captured;
  const bypasses = behavior === "bypasses_pending";
  const feeAmount = charge.application_fee_amount ?? 0;
  const platform = tx.world.platform(tx.scope);
  const isDirect = tx.scope.account !== platform.account;
  const isCard = charge.payment_method_details?.type === "card";
  // No fee: the whole of such a payment can be sent on at once, as the Stripe CLI's transfers do.
  const fees = bypasses ? [] : [processingFee(amount, charge.currency, isCard)];
  if (isDirect && feeAmount > 0) fees.unshift(applicationFeeDetail(feeAmount, charge.currency));
  const booked = book(tx, {
    type: isCard ? "charge" : "payment",
    amount,
    currency: charge.currency,
    source: charge.id,
    description: charge.description,
    fees,
    reporting: "charge",
    available: bypasses,
  });
  const destination = idOf(charge.transfer_data?.destination);
  const transfer =
    destination === null
      ? undefined
      : createTransfer(tx, {
          amount: charge.transfer_data?.amount ?? amount,
          currency: charge.currency,
          destination,
          source_transaction: charge.id,
          transfer_group: charge.transfer_group,
          fee: feeAmount,
        });
  const payer = isDirect ? tx.scope.account : destination;
  const fee =
    feeAmount === 0 || payer === null
      ? undefined
      : collectFee(tx, {
          account: payer,
          amount: feeAmount,
          currency: charge.currency,
          charge: isDirect ? charge.id : (idOf(transfer?.destination_payment) ?? charge.id),
          origin: isDirect ? null : charge.id,
        });
  return tx.put("charge", {
    ...tx.get("charge", charge.id),
    balance_transaction: booked.id,
    application_fee: fee?.id ?? null,
    ...(transfer === undefined ? {} : { transfer: transfer.id }),
  });
}

/** A charge of money that was sent by bank transfer or held in a balance has no details of a person. */
export const NO_BILLING = billing(undefined);
