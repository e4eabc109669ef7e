// What belongs to a checkout session and is not on the wire: its lines, what was asked for, who is paying. In `_extra`.
import type Stripe from "stripe";
import type { Transaction } from "../core/transaction.ts";

type Session = Stripe.Checkout.Session;

/** With what older callers still send. */
export type SessionParameters = Stripe.Checkout.SessionCreateParams & {
  payment_method_types?: string[];
};

/** One line as it was priced. Amounts in the session's currency, smallest unit. */
export interface SessionLine {
  id: string;
  price: string;
  quantity: number | null;
  description: string;
  recurring: boolean;
  amount_subtotal: number;
  amount_discount: number;
  amount_tax: number;
  amount_total: number;
  tax_rates: string[];
  adjustable_quantity: { enabled: boolean; maximum: number | null; minimum: number | null } | null;
  metadata: Record<string, string>;
}

/** What the buyer told. */
export interface Buyer {
  email: string | null;
  name: string | null;
  phone: string | null;
  address: Stripe.Address | null;
  shipping: { name: string; address: Stripe.Address } | null;
  tax_id: { type: string; value: string } | null;
  custom_fields: Record<string, string>;
  promotions: boolean;
  terms: boolean;
}

export interface SessionDraft extends Record<string, unknown> {
  id: string;
  object: "_extra";
  created: number;
  given: SessionParameters;
  lines: SessionLine[];
  /** The recurring lines cost nothing yet. */
  trial: boolean;
  /** The discount's id, from when it was applied. */
  discount: string | null;
  /** Made for this session by a first attempt, and used by the next. */
  customer: string | null;
  payment_intent: string | null;
  setup_intent: string | null;
  payment_method: string | null;
  buyer: Buyer | null;
  /** A delayed payment is on its way. */
  waiting: boolean;
  /** When the amounts were worked out: a short first period costs less with every second. Unix seconds. */
  priced_at: number;
}

export function draftOf(tx: Transaction, session: string): SessionDraft {
  return tx.get("_extra", session) as unknown as SessionDraft;
}

export function keepDraft(tx: Transaction, draft: SessionDraft): SessionDraft {
  tx.put("_extra", draft);
  return draft;
}

/** Which session an intent pays for: kept beside it, so that no one has to look through all sessions. */
export function linkIntent(tx: Transaction, intent: string, session: string): void {
  tx.put("_extra", { id: `checkout/${intent}`, object: "_extra", created: tx.now, session });
}

export function sessionOfIntent(tx: Transaction, intent: string): Session | undefined {
  const link = tx.find("_extra", `checkout/${intent}`);
  return typeof link?.session === "string" ? tx.find("checkout.session", link.session) : undefined;
}
