// Who is mailed about what: once for each cause, in the commit that learned it, and only while it is new.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { recordCustomer } from "../src/accounts/account-table.ts";
import { expiringMonths } from "../src/accounts/card-expiry.ts";
import { openAccount } from "../src/billing/open-account.ts";
import type { BillingMails } from "../src/inbox/billing-mails.ts";
import { tellExpiringCards } from "../src/inbox/card-expiries.ts";
import { HEAD_CHECKS } from "../src/inbox/mail-checks.ts";
import type { MailReference } from "../src/mail/mail-checks.ts";
import { INVOICE, madeOf, openInvoiceScene } from "./support/connected-invoice-scene.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { eventsOf, makePurchase } from "./support/purchase-lives.ts";
import * as billing from "./support/stripe-fixtures-billing.ts";
import * as payments from "./support/stripe-fixtures-payments.ts";
import { DAY, event, NEW_API, type Overrides } from "./support/stripe-fixtures.ts";

const MAILS: BillingMails = { frontendUrl: "https://app.example", paymentFailed: true };
const NOW = Math.floor(Date.now() / 1000);

describe("cards that expire soon", () => {
  const months = (day: string): { from: number; to: number } => expiringMonths(new Date(`${day}T12:00:00Z`));
  const month = (year: number, number: number): number => year * 12 + number - 1;

  it("are those whose last day is at most 30 days away, and not the ones that have expired", () => {
    expect(months("2026-06-01")).toEqual({ from: month(2026, 6), to: month(2026, 6) });
    expect(months("2026-06-30")).toEqual({ from: month(2026, 6), to: month(2026, 6) });
    expect(months("2026-07-01")).toEqual({ from: month(2026, 7), to: month(2026, 7) });
    expect(months("2026-01-30")).toEqual({ from: month(2026, 1), to: month(2026, 2) });
    expect(months("2026-12-31")).toEqual({ from: month(2026, 12), to: month(2026, 12) });
    // Tomorrow it has 30 days: today it is not told yet.
    expect(months("2026-07-31").to).toBe(month(2026, 7));
    expect(months("2026-08-01").to).toBe(month(2026, 8));
  });
});

describe.each(BOTH)("billing mails, %s database", (kind) => {
  let pipe: Pipe;
  let lives = 0;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const mode = () => ({ tenantId: pipe.platformTenant, livemode: false });

  interface Life {
    id: string;
    accountId: string;
    email: string;
    customer: string;
  }

  /** An account with its customer; undefined as an address: none. */
  const live = async (): Promise<Life> => {
    lives += 1;
    const id = `m${String(lives)}`;
    const email = `${id}@people.example`;
    const profile = { externalId: null, email, name: "Ada", metadata: {}, lowThreshold: null };
    const { id: accountId } = await pipe.database.transaction((tx) => openAccount(tx, mode(), profile, 0));
    const customerId = `cus_${id}`;
    await recordCustomer(pipe.database, mode(), accountId, { stripeAccount: "", customerId, instead: null });
    return { id, accountId, email, customer: customerId };
  };
  const tell = (type: string, object: Overrides, created = NOW): Arrival => ({
    event: { ...event(type, object, { created, apiVersion: NEW_API }) },
  });
  const take = async (arrivals: readonly Arrival[], mails: BillingMails | undefined = MAILS): Promise<void> => {
    await pipe.arrive(arrivals);
    const { context } = pipe.processOptions();
    await pipe.drain({ context: { ...context, mails } });
  };
  const mailsTo = async (email: string) =>
    (
      await pipe.database.query<{
        template: string;
        fields: Record<string, unknown>;
        check: string | null;
        ref: MailReference;
      }>({
        text: `select template, fields, check_name as check, check_reference as ref from mails where recipient = $1 order by id`,
        values: [email],
      })
    ).rows;

  it("tells of credits once, however often the payment is told of", async () => {
    const { accountId, email } = await live();
    const { id, sessionId } = await makePurchase(pipe.database, { tenantId: pipe.platformTenant, accountId });
    const events = eventsOf({ purchaseId: id, sessionId, slow: false, old: false, turns: [] });
    await take([...events].reverse());
    await take(events);
    expect(await mailsTo(email)).toEqual([
      {
        template: "credits_added",
        fields: {
          ...{ link: "https://app.example/dashboard/credits", name: "Ada", credits: 100, balance: 100 },
          amount: { amount: 1000, currency: "usd" },
        },
        ...{ check: null, ref: null },
      },
    ]);
  });

  const trial = ({ id, customer }: Life, ends: number) =>
    billing.newSubscription({ id: `sub_${id}`, customer, status: "trialing", trial_start: NOW - DAY, trial_end: ends });

  it("tells of a trial's end once for each end, and drops it when the subscription is canceled before", async () => {
    const life = await live();
    const ends = NOW + 2 * DAY;
    await take([
      tell("customer.subscription.trial_will_end", trial(life, ends)),
      tell("customer.subscription.updated", trial(life, ends)),
    ]);
    await take([tell("customer.subscription.trial_will_end", trial(life, ends), NOW - 5)]);
    const found = await mailsTo(life.email);
    expect(found).toMatchObject([{ template: "trial_ending", check: "trial_ends", fields: { ends } }]);
    expect(await HEAD_CHECKS.trial_ends?.(pipe.database, found[0]?.ref ?? {})).toBe(true);
    const gone = { ...trial(life, ends), status: "canceled", ended_at: NOW + 5 };
    await take([tell("customer.subscription.deleted", gone, NOW + 5)]);
    expect(await HEAD_CHECKS.trial_ends?.(pipe.database, found[0]?.ref ?? {})).toBe(false);
  });

  it("does the same for a thin event: the subscription that is fetched moves the account and its mail", async () => {
    const life = await live();
    const ends = NOW + DAY;
    const thin = {
      ...{ id: `evt_thin_${life.id}`, object: "v2.core.event", type: "v1.customer.subscription.trial_will_end" },
      ...{ created: new Date(NOW * 1000).toISOString(), livemode: false, context: null, reason: null },
      related_object: { id: `sub_${life.id}`, type: "subscription", url: `/v1/subscriptions/sub_${life.id}` },
    };
    await take([{ event: thin }]);
    const waiting = await pipe.database.query({
      text: "select reason from stripe_fetches where object_id = $1",
      values: [`sub_${life.id}`],
    });
    expect(waiting.rows).toEqual([{ reason: "thin_event" }]);
    expect(await mailsTo(life.email)).toEqual([]);
    const object = trial(life, ends);
    await take([{ fetched: { livemode: false, account: "", object, asOf: NOW + 3, apiVersion: NEW_API } }]);
    expect(await mailsTo(life.email)).toMatchObject([{ template: "trial_ending", fields: { ends } }]);
    const { rows } = await pipe.database.query({
      text: "select status, subscription_id from accounts where id = $1",
      values: [life.accountId],
    });
    expect(rows).toEqual([{ status: "trial", subscription_id: `sub_${life.id}` }]);
  });

  it("tells of a failed payment only where that is asked for, once for each attempt", async () => {
    const failed = ({ id, customer }: Life, attempt: number) => {
      const url = "https://pay.stripe.example/in";
      const invoice = { id: `in_${id}`, customer, status: "open", amount_due: 2000, attempt_count: attempt };
      return tell("invoice.payment_failed", billing.newInvoice({ ...invoice, hosted_invoice_url: url }), NOW + attempt);
    };
    const [quiet, loud] = [await live(), await live()];
    await take([failed(quiet, 1)], { ...MAILS, paymentFailed: false });
    expect(await mailsTo(quiet.email)).toEqual([]);
    await take([failed(loud, 1), failed(loud, 1)]);
    await take([failed(loud, 2)]);
    const found = await mailsTo(loud.email);
    expect(found.map(({ template, check }) => [template, check])).toEqual([
      ["payment_failed", "invoice_unpaid"],
      ["payment_failed", "invoice_unpaid"],
    ]);
    expect(found[0]?.fields).toMatchObject({ link: "https://pay.stripe.example/in", amount: { amount: 2000 } });
  });

  it("says why a payment failed, in the shapes whose invoice does not name its payment too", async () => {
    const reasonOf = async (name: (life: Life) => Arrival[]): Promise<unknown> => {
      const life = await live();
      const invoice = {
        id: `in_${life.id}`,
        customer: life.customer,
        status: "open",
        amount_due: 2000,
        attempt_count: 1,
      };
      await take(name(life));
      await take([tell("invoice.payment_failed", billing.newInvoice(invoice), NOW + 2)]);
      const [mail] = await mailsTo(life.email);
      return (mail?.fields as { reason?: string } | undefined)?.reason;
    };
    const intent = ({ id, customer }: Life, also: Overrides): Arrival => {
      const error = { last_payment_error: { code: "card_declined", message: "Your card was declined." } };
      const object = payments.newPaymentIntent({
        id: `pi_${id}`,
        customer,
        status: "requires_payment_method",
        ...error,
        ...also,
      });
      return tell("payment_intent.payment_failed", object, NOW + 1);
    };
    const ordered = (invoice: string): Overrides => ({
      payment_details: { customer_reference: null, order_reference: invoice },
    });
    expect(await reasonOf((life) => [intent(life, ordered(`in_${life.id}`))])).toBe("Your card was declined.");
    expect(await reasonOf((life) => [intent(life, ordered("in_other"))])).toBeUndefined();
    expect(
      await reasonOf((life) => [intent({ ...life, customer: "cus_other" }, ordered(`in_${life.id}`))]),
    ).toBeUndefined();
    const listed = ({ id }: Life): Arrival =>
      tell(
        "invoice_payment.paid",
        billing.invoicePayment({
          id: `inpay_${id}`,
          invoice: `in_${id}`,
          payment: { type: "payment_intent", payment_intent: `pi_${id}` },
        }),
        NOW,
      );
    expect(await reasonOf((life) => [intent(life, {}), listed(life)])).toBe("Your card was declined.");
  });

  it("tells nobody of what is older than a day: a replay mails nothing", async () => {
    const life = await live();
    const ends = NOW + 2 * DAY;
    await take([tell("customer.subscription.trial_will_end", trial(life, ends), NOW - 2 * DAY)]);
    expect(await mailsTo(life.email)).toEqual([]);
  });

  it("tells of an expiring card once, by the daily look or by Stripe's own event of an old one", async () => {
    const today = new Date(NOW * 1000);
    const [month, year] = [today.getUTCMonth() + 1, today.getUTCFullYear()];
    // The look is made on the month's last day but one, whichever day it is today.
    const now = new Date(Date.UTC(year, month, -1));
    const [modern, old, renewed] = [await live(), await live(), await live()];
    const card = { brand: "visa", last4: "4242", exp_month: month, exp_year: year, country: "US", funding: "credit" };
    const method = (life: Life, with_: Overrides) =>
      tell(
        "payment_method.attached",
        payments.newPaymentMethod({ id: `pm_${life.id}`, customer: life.customer, card: with_ }),
      );
    const settings = { custom_fields: null, footer: null };
    const customer = (life: Life) =>
      tell(
        "customer.updated",
        billing.newCustomer({
          ...{ id: life.customer, email: life.email, name: "Ada" },
          invoice_settings: { ...settings, default_payment_method: `pm_${life.id}` },
        }),
      );
    const source = payments.newCard({ id: `card_${old.id}`, customer: old.customer, exp_month: month, exp_year: year });
    const legacy = billing.newCustomer({
      ...{ id: old.customer, email: old.email, default_source: `card_${old.id}` },
      invoice_settings: { ...settings, default_payment_method: null },
    });
    await take([method(modern, card), customer(modern), tell("customer.updated", legacy)]);
    await take([tell("customer.source.expiring", source)]);
    await take([method(renewed, { ...card, exp_year: year + 3 }), customer(renewed)]);
    expect(await tellExpiringCards({ database: pipe.database, mails: MAILS, now })).toBe(1);
    expect(await tellExpiringCards({ database: pipe.database, mails: MAILS, now })).toBe(0);
    const expires = `${String(month).padStart(2, "0")}/${String(year)}`;
    for (const { email } of [modern, old]) {
      const found = await mailsTo(email);
      expect(found).toMatchObject([
        { template: "card_expiring", check: "card_expires", fields: { brand: "Visa", last4: "4242", expires } },
      ]);
      expect(await HEAD_CHECKS.card_expires?.(pipe.database, found[0]?.ref ?? {})).toBe(true);
    }
    expect(await mailsTo(renewed.email)).toEqual([]);
    const { rows } = await pipe.database.query({
      text: "select natural_key from facts where type = 'payment_method.expiring' and object_id = $1",
      values: [`pm_${modern.id}`],
    });
    expect(rows).toEqual([{ natural_key: `pm_${modern.id}:${String(year)}:${String(month)}` }]);
  });
});

describe.each(BOTH)("mails of connected invoices, %s database", (kind) => {
  it("tell the tenant's owner once that an invoice was paid, and its customer nothing", async () => {
    const scene = await openInvoiceScene(kind);
    try {
      const { stripe_invoice_id: invoice } = madeOf(await scene.ask("POST", "", INVOICE));
      await scene.stripe.invoices.pay(invoice, { paid_out_of_band: true });
      await scene.sandbox.idle();
      const { context } = scene.door.pipe.processOptions();
      await scene.door.pipe.drain({ context: { ...context, mails: MAILS } });
      const { rows } = await scene.door.pipe.database.query({
        text: "select recipient, fields->>'customer' as customer, fields->'amount' as amount from mails where template = $1",
        values: ["connected_invoice_paid"],
      });
      const amount = { amount: 25_001, currency: "usd" };
      expect(rows).toEqual([{ recipient: scene.tenant.email, customer: "Ada Buyer", amount }]);
    } finally {
      await scene.sandbox.close();
      await scene.door.close();
    }
  });
});
