// An example of every mail, for previews and for tests. Pure.
import type { MailFields } from "./mail-fields.ts";

const LINK = "https://app.example.com/open?token=abc&x=1";

export const MAIL_EXAMPLES: MailFields = {
  invite: { link: LINK, company_name: "Acme", role: "admin", invited_by: "Ada", valid_for: "7 days" },
  verify_address: { link: LINK, name: "Ada", valid_for: "48 hours", product: "Notes" },
  reset_password: { link: LINK, name: "Ada", valid_for: "1 hour", product: "Notes" },
  welcome: { link: LINK, name: "Ada", valid_for: "48 hours", product: "Notes" },
  credits_added: {
    ...{ link: LINK, name: "Ada", product: "Notes" },
    ...{ credits: 1500, balance: 1720, amount: { amount: 2900, currency: "eur" }, pack: "Large pack" },
  },
  payment_failed: {
    ...{ link: LINK, name: "Ada", product: "Notes", amount: { amount: 1250, currency: "jpy" } },
    ...{ reason: "Your card has insufficient funds.", next_attempt: 1_796_083_200 },
  },
  trial_ending: {
    ...{ link: LINK, name: "Ada", product: "Notes", plan: "Business" },
    ...{ ends: 1_796_083_200, amount: { amount: 9900, currency: "usd" } },
  },
  card_expiring: { link: LINK, name: "Ada", product: "Notes", brand: "Visa", last4: "4242", expires: "12/2026" },
  connected_invoice_paid: {
    ...{ link: LINK, product: "Notes", customer: "Bolt GmbH", number: "BOLT-0007" },
    ...{ amount: { amount: 12_500, currency: "kwd" }, fee: { amount: 1875, currency: "kwd" } },
  },
  endpoint_disabled: { link: LINK, product: "Notes", host: "hooks.example.com", since: 1_796_083_200 },
};
