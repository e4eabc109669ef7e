// Disputes: opened by test cards, answered with evidence, closed as won or lost, with the money that goes and comes.
import type Stripe from "stripe";

import { blankPart } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { book } from "./balance.ts";
import { fresh, orNull } from "./fresh.ts";

/** What Stripe takes for a dispute in the US, in cents. */
const DISPUTE_FEE = 1500;
/** Answers are due by the end of the eighth day after the one it was opened on. */
const DAYS_TO_ANSWER = 9;
const DAY = 24 * 3600;

const NETWORK_REASONS: Readonly<Record<string, string>> = { fraudulent: "10.4", product_not_received: "13.1" };

/** An inquiry takes no money. Raises charge.dispute.created and, for a chargeback, charge.dispute.funds_withdrawn. */
export function openDispute(
  tx: Transaction,
  chargeId: string,
  kind: "chargeback" | "inquiry",
  reason: string,
): Stripe.Dispute {
  const charge = tx.put("charge", { ...tx.get("charge", chargeId), disputed: true });
  const { amount, currency } = charge;
  const brand = charge.payment_method_details?.card?.brand;
  const isCard = brand !== null && brand !== undefined;
  const code = kind === "inquiry" ? "10" : (NETWORK_REASONS[reason] ?? "13.9");
  const dispute = tx.put(
    "dispute",
    fresh(tx, "dispute", {
      amount,
      charge: charge.id,
      currency,
      enhanced_eligibility_types: [],
      evidence: blankPart("dispute.evidence", { enhanced_evidence: {} }),
      evidence_details: {
        due_by: (Math.floor(tx.now / DAY) + DAYS_TO_ANSWER) * DAY - 1,
        enhanced_eligibility: {},
        has_evidence: false,
        past_due: false,
        submission_count: 0,
        submission_method: "not_submitted",
      },
      is_charge_refundable: kind === "inquiry",
      payment_intent: idOf(charge.payment_intent),
      ...(isCard
        ? {
            network_reason_code: code,
            payment_method_details: {
              type: "card",
              card: { brand, case_type: kind, network: brand, network_reason_code: code },
            },
          }
        : {}),
      reason,
      status: kind === "inquiry" ? "warning_needs_response" : "needs_response",
    }),
  );
  tx.raise("charge.dispute.created", dispute);
  return kind === "inquiry" ? dispute : withdraw(tx, dispute);
}

function withdraw(tx: Transaction, dispute: Stripe.Dispute): Stripe.Dispute {
  const { amount, currency } = dispute;
  const fee = { amount: DISPUTE_FEE, application: null, currency, description: "Dispute fee", type: "stripe_fee" };
  const booked = book(tx, {
    type: "adjustment",
    amount: -amount,
    currency,
    source: dispute.id,
    description: `Chargeback withdrawal for ${idOf(dispute.charge) ?? ""}`,
    fees: [fee],
    reporting: "dispute",
  });
  const after = { ...dispute, balance_transactions: [...dispute.balance_transactions, booked] };
  return tx.change("dispute", after, "charge.dispute.funds_withdrawn");
}

const OPEN = new Set(["needs_response", "warning_needs_response", "under_review", "warning_under_review"]);

/** @throws StripeFailure 400 it is closed */
function requireOpen(dispute: Stripe.Dispute): void {
  if (OPEN.has(dispute.status)) return;
  throw invalidRequest("This dispute is already closed");
}

function updateDispute(tx: Transaction, id: string, p: Stripe.DisputeUpdateParams): Stripe.Dispute {
  const old = tx.get("dispute", id);
  if (p.evidence !== undefined || p.submit === true) requireOpen(old);
  const given = Object.entries(p.evidence ?? {}).filter(([, value]) => typeof value === "string") as [string, string][];
  const evidence = { ...old.evidence, ...Object.fromEntries(given.map(([field, text]) => [field, orNull(text)])) };
  const submits = (p.evidence !== undefined || p.submit === true) && p.submit !== false;
  const isInquiry = old.status.startsWith("warning_");
  const hasEvidence = given.length > 0 || old.evidence_details.has_evidence;
  const updated = tx.change(
    "dispute",
    {
      ...old,
      evidence,
      evidence_details: {
        ...old.evidence_details,
        has_evidence: hasEvidence,
        submission_count: old.evidence_details.submission_count + (submits ? 1 : 0),
        submission_method: submits ? "manual" : old.evidence_details.submission_method,
      },
      intended_submission_method: p.intended_submission_method ?? old.intended_submission_method,
      metadata: mergeMetadata(old.metadata, p.metadata),
      status: submits ? (isInquiry ? "warning_under_review" : "under_review") : old.status,
    },
    "charge.dispute.updated",
  );
  return submits ? judged(tx, updated) : updated;
}

/** Stripe's words for tests: winning_evidence, losing_evidence, escalate_inquiry_evidence. */
function judged(tx: Transaction, dispute: Stripe.Dispute): Stripe.Dispute {
  const isInquiry = dispute.status.startsWith("warning_");
  switch (dispute.evidence.uncategorized_text) {
    case "winning_evidence":
      return isInquiry ? close(tx, dispute, "warning_closed") : win(tx, dispute);
    case "losing_evidence":
      return close(tx, dispute, isInquiry ? "warning_closed" : "lost");
    case "escalate_inquiry_evidence": {
      if (!isInquiry) return dispute;
      const escalated = { ...dispute, status: "needs_response", is_charge_refundable: false } as const;
      return withdraw(tx, tx.change("dispute", escalated, "charge.dispute.updated"));
    }
    default:
      return dispute;
  }
}

function close(tx: Transaction, dispute: Stripe.Dispute, status: Stripe.Dispute.Status): Stripe.Dispute {
  return tx.change("dispute", { ...dispute, status }, "charge.dispute.closed");
}

/** The money comes back first, then the dispute is closed; what is left of the charge can be refunded again. */
function win(tx: Transaction, dispute: Stripe.Dispute): Stripe.Dispute {
  const { amount, currency } = dispute;
  const booked = book(tx, {
    type: "adjustment",
    amount,
    currency,
    source: dispute.id,
    description: `Chargeback reversal for ${idOf(dispute.charge) ?? ""}`,
    reporting: "dispute_reversal",
    available: true,
  });
  const balance_transactions = [...dispute.balance_transactions, booked];
  const won = { ...dispute, balance_transactions, is_charge_refundable: true, status: "won" } as const;
  tx.put("dispute", won);
  tx.raise("charge.dispute.funds_reinstated", won, { ...dispute, status: "won", is_charge_refundable: true });
  tx.raise("charge.dispute.closed", won, { ...won, status: dispute.status, is_charge_refundable: false });
  return won;
}

export const disputeRoutes: Route[] = [
  route<Stripe.DisputeListParams>()("GET /v1/disputes", (tx, p) => {
    const chosen = tx.where(
      "dispute",
      (each) =>
        (p.charge === undefined || each.charge === p.charge) &&
        (p.payment_intent === undefined || each.payment_intent === p.payment_intent),
    );
    return listOf(chosen, "/v1/disputes", p as ListParameters);
  }),
  route<object>()("GET /v1/disputes/*", (tx, _p, id) => tx.get("dispute", id)),
  route<Stripe.DisputeUpdateParams>()("POST /v1/disputes/*", (tx, p, id) => updateDispute(tx, id, p)),
  // To close it is to give it up.
  route<object>()("POST /v1/disputes/*/close", (tx, _p, id) => {
    const dispute = tx.get("dispute", id);
    requireOpen(dispute);
    return close(tx, dispute, dispute.status.startsWith("warning_") ? "warning_closed" : "lost");
  }),
];
