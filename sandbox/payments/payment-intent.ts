// Payment intents for the other rooms: everything that happens to one, from creation to its end.
import type Stripe from "stripe";

import type { Transaction } from "../core/transaction.ts";
import { authenticatePayment } from "./payment-attempt.ts";
import { authenticateSetup } from "./setup-intent.ts";

export { cardErrorOf, confirmPaymentIntent, type Confirmation } from "./payment-attempt.ts";
export { cancelPaymentIntent, capturePaymentIntent } from "./payment-capture.ts";
export { createPaymentIntent, updatePaymentIntent, type IntentParams } from "./payment-intent-draft.ts";
export { settle } from "./payment-settlement.ts";

/**
 * The customer has passed or failed 3-D Secure, or comes back from a bank's page: of a payment or a setup intent.
 * @throws StripeFailure 404 there is none, 400 it does not wait for that
 */
export function authenticate(
  tx: Transaction,
  intent: string,
  passed: boolean,
): Stripe.PaymentIntent | Stripe.SetupIntent {
  return intent.startsWith("seti_") ? authenticateSetup(tx, intent, passed) : authenticatePayment(tx, intent, passed);
}
