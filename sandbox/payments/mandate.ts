// Mandates: the customer's word that a bank account may be debited.
import type Stripe from "stripe";

import { blankPart } from "../core/blank.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { DEBITS } from "./bank-part.ts";
import { fresh } from "./fresh.ts";

interface AcceptanceInput {
  customer_acceptance?: { type?: string; accepted_at?: number; online?: { ip_address?: string; user_agent?: string } };
}

/** The mandate of a debit, made when there is none; null for what needs none. */
export function mandateFor(
  tx: Transaction,
  method: Stripe.PaymentMethod,
  given: AcceptanceInput | "" | undefined,
  singleUse: { amount: number; currency: string } | undefined,
): Stripe.Mandate | null {
  if (!DEBITS.has(method.type)) return null;
  const isOf = (mandate: Stripe.Mandate) => mandate.payment_method === method.id && mandate.status === "active";
  const known = tx.where("mandate", (mandate) => isOf(mandate) && mandate.type === "multi_use")[0];
  if (known !== undefined) return known;
  const acceptance = given === "" || given === undefined ? undefined : given.customer_acceptance;
  const isOffline = acceptance?.type === "offline";
  const online = {
    ip_address: acceptance?.online?.ip_address ?? null,
    user_agent: acceptance?.online?.user_agent ?? null,
  };
  const mandate = fresh(tx, "mandate", {
    customer_acceptance: {
      accepted_at: acceptance?.accepted_at ?? tx.now,
      type: isOffline ? "offline" : "online",
      ...(isOffline ? { offline: {} } : { online }),
    },
    payment_method: method.id,
    payment_method_details: { type: method.type, [method.type]: detailsOf(tx, method.type) },
    status: "active",
    type: singleUse === undefined ? "multi_use" : "single_use",
    ...(singleUse === undefined ? { multi_use: {} } : { single_use: singleUse }),
  });
  const { created: _created, ...rest } = mandate as Stripe.Mandate & { created: number };
  return tx.put("mandate", rest);
}

function detailsOf(tx: Transaction, type: string): Record<string, unknown> {
  const reference = tx.world.random.text(16).toUpperCase();
  const url = `${tx.world.origin}/mandates/${reference}`;
  if (type === "sepa_debit") return { reference, url };
  if (type === "us_bank_account") return {};
  if (type === "bacs_debit") {
    return blankPart("mandate.payment_method_details.bacs_debit", { network_status: "accepted", reference, url });
  }
  if (type === "au_becs_debit") return { url };
  if (type === "acss_debit") return { payment_schedule: "sporadic", transaction_type: "personal" };
  return {};
}

export const mandateRoutes: Route[] = [route<object>()("GET /v1/mandates/*", (tx, _p, id) => tx.get("mandate", id))];
