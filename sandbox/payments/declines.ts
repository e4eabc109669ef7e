// How cards and debits are refused: each reason's code and Stripe's sentence for it.
import type { Decline } from "../core/errors.ts";

const DECLINED = "Your card was declined.";

/** Reasons that are codes of their own; every other one is a `card_declined` with the reason as its decline code. */
const OWN_CODES: Readonly<Record<string, Decline>> = {
  expired_card: { code: "expired_card", message: "Your card has expired.", param: "exp_month" },
  incorrect_cvc: {
    code: "incorrect_cvc",
    decline_code: "incorrect_cvc",
    message: "Your card's security code is incorrect.",
    param: "cvc",
  },
  processing_error: {
    code: "processing_error",
    decline_code: "processing_error",
    message: "An error occurred while processing your card. Try again in a little bit.",
  },
  authentication_required: {
    code: "authentication_required",
    decline_code: "authentication_required",
    message: "Your card was declined. This transaction requires authentication.",
  },
};

const SENTENCES: Readonly<Record<string, string>> = {
  insufficient_funds: "Your card has insufficient funds.",
  card_velocity_exceeded:
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
  test_mode_live_card:
    "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.",
};

/** `reason`: what follows the colon of an instrument's behaviour. */
export function declineFor(reason: string): Decline {
  return OWN_CODES[reason] ?? { code: "card_declined", decline_code: reason, message: SENTENCES[reason] ?? DECLINED };
}

const BANK_SENTENCES: Readonly<Record<string, string>> = {
  account_closed: "The customer's bank account has been closed.",
  no_account: "The customer's bank account could not be located.",
  insufficient_funds: "The customer's account has insufficient funds to cover this payment.",
  debit_not_authorized: "The customer has notified their bank that this payment was unauthorized.",
  invalid_currency: "The bank was unable to process this payment because of its currency.",
  charge_exceeds_source_limit: "This payment exceeds the limit of the account.",
  charge_exceeds_weekly_limit: "This payment exceeds the weekly limit of the account.",
};

/** What a failed debit's charge says. */
export function bankFailure(reason: string): { code: string; message: string } {
  return { code: reason, message: BANK_SENTENCES[reason] ?? "The payment was declined by the customer's bank." };
}

/** What the seller is told on a charge's outcome. */
export function outcomeOf(decline: Decline | undefined, elevated: boolean): Record<string, unknown> {
  const rest = { advice_code: null, network_advice_code: null, network_decline_code: null };
  if (decline === undefined) {
    return {
      ...rest,
      network_status: "approved_by_network",
      reason: elevated ? "elevated_risk_level" : null,
      risk_level: elevated ? "elevated" : "normal",
      risk_score: elevated ? 68 : 20,
      seller_message: "Payment complete.",
      type: elevated ? "manual_review" : "authorized",
    };
  }
  const reason = decline.decline_code ?? decline.code;
  if (reason === "fraudulent") {
    return {
      ...rest,
      network_status: "not_sent_to_network",
      reason: "highest_risk_level",
      risk_level: "highest",
      risk_score: 85,
      seller_message: "Stripe blocked this payment as too risky.",
      type: "blocked",
    };
  }
  return {
    ...rest,
    // The codes that networks give for a plain refusal and for one that must not be tried again.
    network_decline_code: /lost|stolen/.test(reason) ? "04" : "01",
    advice_code: /lost|stolen/.test(reason) ? "do_not_try_again" : "try_again_later",
    network_status: "declined_by_network",
    reason,
    risk_level: "normal",
    risk_score: 20,
    seller_message: `The bank returned the decline code \`${reason}\`.`,
    type: "issuer_declined",
  };
}
