// What a customer must do before a payment or a setup goes on, as `next_action` says it.
import type Stripe from "stripe";

import type { Transaction } from "../core/transaction.ts";

/** The page of the sandbox where 3-D Secure, or a bank's own page, is passed or failed. */
export function authenticationUrl(tx: Transaction, intent: string): string {
  return `${tx.world.origin}/3ds/${intent}`;
}

/** With a return address the browser is sent away and comes back; without, Stripe's own script does it. */
export function authenticationAction(tx: Transaction, intent: string, returnUrl: string | undefined): object {
  const url = authenticationUrl(tx, intent);
  if (returnUrl !== undefined) return { type: "redirect_to_url", redirect_to_url: { return_url: returnUrl, url } };
  return {
    type: "use_stripe_sdk",
    use_stripe_sdk: {
      type: "three_d_secure_redirect",
      stripe_js: url,
      source: `src_${tx.world.random.text(24)}`,
    },
  };
}

export function microdepositAction(tx: Transaction, intent: string): object {
  return {
    type: "verify_with_microdeposits",
    verify_with_microdeposits: {
      arrival_date: tx.now + 24 * 3600,
      hosted_verification_url: `${tx.world.origin}/microdeposits/${intent}`,
      microdeposit_type: "descriptor_code",
    },
  };
}

const TRANSFER_TYPES: Readonly<Record<string, string>> = {
  usd: "us_bank_transfer",
  eur: "eu_bank_transfer",
  gbp: "gb_bank_transfer",
  jpy: "jp_bank_transfer",
  mxn: "mx_bank_transfer",
};

/** Where the customer's bank transfer must go. */
export function bankTransferAction(tx: Transaction, intent: Stripe.PaymentIntent): object {
  const type = TRANSFER_TYPES[intent.currency] ?? "us_bank_transfer";
  return {
    type: "display_bank_transfer_instructions",
    display_bank_transfer_instructions: {
      amount_remaining: intent.amount,
      currency: intent.currency,
      financial_addresses: [],
      hosted_instructions_url: `${tx.world.origin}/bank-transfers/${intent.id}`,
      reference: tx.world.random.text(12).toUpperCase(),
      type,
    },
  };
}
