// What a mail about a Stripe object is checked against when it is sent: the object's head.
import type { MailCheck, MailReference, WantedCheck } from "../mail/mail-checks.ts";

interface ObjectReference {
  livemode: boolean;
  /** Empty: the platform's own. */
  account: string;
  id: string;
}

const referenceOf = ({ livemode, account, id }: ObjectReference): MailReference => ({ livemode, account, id });

/** A mail that says that an invoice could not be paid: false when it is paid, void or deleted meanwhile. */
export const invoiceUnpaid = (invoice: ObjectReference): WantedCheck => ({
  name: "invoice_unpaid",
  reference: referenceOf(invoice),
});

/** That a trial ends then (Unix seconds): false when it was moved, ended or canceled. */
export const trialEnds = (subscription: ObjectReference & { ends: number }): WantedCheck => ({
  name: "trial_ends",
  reference: { ...referenceOf(subscription), ends: subscription.ends },
});

/** That a card expires in that month: false when it was renewed or detached, or belongs to nobody any more. */
export const cardExpires = (card: ObjectReference & { month: number; year: number }): WantedCheck => ({
  name: "card_expires",
  reference: { ...referenceOf(card), month: card.month, year: card.year },
});

function check(text: string, more: readonly string[] = []): MailCheck {
  return async (database, reference) => {
    const values = ["livemode", "account", "id", ...more].map((name) => reference[name]);
    return (await database.query({ text, values })).rowCount > 0;
  };
}

const KEY = "livemode = $1 and stripe_account = $2 and id = $3 and not deleted";

/** By the names above. */
export const HEAD_CHECKS: Readonly<Record<string, MailCheck>> = {
  invoice_unpaid: check(`select 1 from invoices where ${KEY} and status in ('open', 'uncollectible')`),
  trial_ends: check(
    `select 1 from subscriptions where ${KEY} and status = 'trialing' and cancel_scheduled is not true
     and extract(epoch from trial_end) = $4::bigint`,
    ["ends"],
  ),
  card_expires: check(
    `select 1 from payment_methods where ${KEY} and customer_id is not null and exp_month = $4 and exp_year = $5
     union all
     select 1 from sources where ${KEY} and customer_id is not null and exp_month = $4 and exp_year = $5`,
    ["month", "year"],
  ),
};
