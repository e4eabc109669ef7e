// How much of a purchase is to be taken back, from what Stripe's objects say of its payment. Pure.
import type { Credits } from "./lots.ts";

/** In the payment's currency. */
type MinorUnits = number;
type UnixSeconds = number;

/** The newest that is known of each object of a payment; null or absent: not known (yet). */
export interface PurchaseHeads {
  session: { status: string | null; paymentStatus: string | null; amountTotal: MinorUnits | null } | null;
  intent: { id: string; status: string | null; amountReceived: MinorUnits | null } | null;
  charges: readonly ChargeHead[];
  refunds: readonly RefundHead[];
  disputes: readonly DisputeHead[];
  /** The payment intent that the session or the purchase names, also when it is not known itself. */
  intentId: string | null;
}

export interface ChargeHead {
  id: string;
  status: string | null;
  /** Captured. */
  amount: MinorUnits;
  amountRefunded: MinorUnits;
  /** Of the observation that said so. */
  created: UnixSeconds;
}

export interface RefundHead {
  chargeId: string | null;
  status: string | null;
  amount: MinorUnits;
  created: UnixSeconds;
}

export interface DisputeHead {
  chargeId: string | null;
  status: string | null;
  amount: MinorUnits;
}

/** Fulfil if and only if the session's payment is not `unpaid`; without a session, when the payment intent has succeeded. */
export function isPaid({ session, intent }: PurchaseHeads): boolean {
  if (session === null) return intent?.status === "succeeded";
  const { status, paymentStatus } = session;
  return status === "complete" && (paymentStatus === "paid" || paymentStatus === "no_payment_required");
}

/** Nobody can pay it any more, or its delayed payment came to nothing: should Stripe get money for it all the same, it is granted. */
export function isOver(heads: PurchaseHeads): boolean {
  const { session, intent } = heads;
  return session === null ? intent?.status === "canceled" : session.status === "expired" || hasFailed(heads);
}

/** Its buyer is through with Checkout, and it is not paid: the bank is asked, or asked again. */
export function isUnderWay(heads: PurchaseHeads): boolean {
  return heads.session?.status === "complete" && !isPaid(heads) && !isOver(heads);
}

function hasFailed({ session, intent, charges }: PurchaseHeads): boolean {
  if (session?.status !== "complete" || session.paymentStatus !== "unpaid") return false;
  if (intent?.status === "canceled") return true;
  const declined = charges.length > 0 && charges.every(({ status }) => status === "failed");
  return intent?.status === "requires_payment_method" && declined;
}

export interface SettledPurchase {
  credits: Credits;
  /** What of its lot has expired. */
  expired: Credits;
  /** What had been taken back when it did. */
  takenAtExpiry: Credits;
}

/**
 * What must have been taken back: ⌊credits · min(paid, refunded + disputed) / paid⌋, less what has expired of the lot,
 * which is gone already. The ledger posts the difference to what it has taken.
 *
 * What had been taken when the lot expired stays taken: it would have expired too. Given back, it would be there until the
 * next look, or pay the debt of another purchase.
 */
export function settlement({ credits, expired, takenAtExpiry }: SettledPurchase, heads: PurchaseHeads): Credits {
  return Math.max(justifiedBy(credits, heads) - expired, takenAtExpiry);
}

function justifiedBy(credits: Credits, heads: PurchaseHeads): Credits {
  const paid = paidOf(heads);
  if (paid <= 0) return 0;
  const back = Math.min(paid, refundedOf(heads) + disputedOf(heads));
  return Number((BigInt(credits) * BigInt(back)) / BigInt(paid));
}

/** Refunds are measured against what was captured. */
function paidOf({ session, intent, charges }: PurchaseHeads): MinorUnits {
  const captured = sum(charges.filter(({ status }) => status === "succeeded").map(({ amount }) => amount));
  if (captured > 0) return captured;
  return intent?.amountReceived ?? session?.amountTotal ?? 0;
}

/** Of each charge whichever is more: what it says itself, or its refunds that have not failed. One may be known later. */
function refundedOf({ charges, refunds }: PurchaseHeads): MinorUnits {
  const said = new Map<string | null, MinorUnits>(charges.map(({ id, amountRefunded }) => [id, amountRefunded]));
  for (const chargeId of new Set(refunds.map((refund) => refund.chargeId))) {
    said.set(chargeId, Math.max(said.get(chargeId) ?? 0, standingRefunds(refunds, chargeId)));
  }
  return sum([...said.values()]);
}

function standingRefunds(refunds: readonly RefundHead[], chargeId: string | null): MinorUnits {
  return sum(refunds.filter((refund) => refund.chargeId === chargeId && !isFailed(refund)).map(({ amount }) => amount));
}

function isFailed({ status }: RefundHead): boolean {
  return status === "failed" || status === "canceled";
}

/**
 * Won and prevented disputes left the money where it was; warnings (inquiries) never moved it; and `charge_refunded`, of older
 * versions of Stripe's API, is one that a refund has ended: that counts as a refund.
 */
const NOT_TAKEN: ReadonlySet<string | null> = new Set(["won", "prevented", "charge_refunded"]);

function disputedOf({ disputes }: PurchaseHeads): MinorUnits {
  const standing = disputes.filter(({ status }) => !NOT_TAKEN.has(status) && status?.startsWith("warning_") !== true);
  return sum(standing.map(({ amount }) => amount));
}

/**
 * Charges that must be fetched: a refund of theirs has failed, and nothing as new as that says what is refunded now. Stripe
 * lowers `amount_refunded`, but sends no event of the charge for it.
 */
export function chargesToFetch({ charges, refunds }: PurchaseHeads): { id: string; since: UnixSeconds }[] {
  return charges.flatMap(({ id, amountRefunded, created }) => {
    const failed = refunds.filter((refund) => refund.chargeId === id && isFailed(refund) && refund.created >= created);
    if (failed.length === 0 || amountRefunded <= standingRefunds(refunds, id)) return [];
    return [{ id, since: Math.max(...failed.map((refund) => refund.created)) }];
  });
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
