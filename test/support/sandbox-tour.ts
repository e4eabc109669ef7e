// A tour through every resource of the sandbox with the official SDK: what it answers and raises is judged by the caller.
import type Stripe from "stripe";

import { clockTour, invoiceTour, scheduleTour, subscriptionTour } from "./sandbox-tour-billing.ts";

export const USD = "usd";
export const CARD = "pm_card_visa";

/** Calls every method of the resources that Billhook's users touch. Throws where an answer is an error. */
export async function tour(stripe: Stripe): Promise<void> {
  const catalogue = await catalogueTour(stripe);
  const customer = await customerTour(stripe, catalogue);
  await paymentTour(stripe, customer);
  await disputeTour(stripe);
  await invoiceTour(stripe, customer, catalogue);
  await subscriptionTour(stripe, customer, catalogue);
  await scheduleTour(stripe, customer, catalogue);
  await clockTour(stripe, catalogue);
  await checkoutTour(stripe, customer, catalogue);
  await moneyTour(stripe);
  await connectTour(stripe);
  await eventTour(stripe);
}

export interface Catalogue {
  monthly: string;
  dearer: string;
  once: string;
  coupon: string;
  promotion: string;
  taxRate: string;
}

async function catalogueTour(stripe: Stripe): Promise<Catalogue> {
  const product = await stripe.products.create({ name: "Seats", metadata: { team: "a" }, description: "One seat" });
  await stripe.products.update(product.id, { name: "Seat", metadata: { team: "" } });
  await stripe.products.retrieve(product.id);
  await stripe.products.list({ limit: 1, active: true });
  await stripe.products.search({ query: "name:'Seat'" });
  const recurring = { interval: "month" } as const;
  const monthly = await stripe.prices.create({ product: product.id, currency: USD, unit_amount: 1500, recurring });
  const dearer = await stripe.prices.create({
    product: product.id,
    currency: USD,
    unit_amount: 4500,
    recurring,
    lookup_key: "dearer",
  });
  const once = await stripe.prices.create({ currency: USD, unit_amount: 700, product_data: { name: "Pack" } });
  await stripe.prices.create({
    product: product.id,
    currency: USD,
    recurring,
    billing_scheme: "tiered",
    tiers_mode: "graduated",
    tiers: [
      { up_to: 10, unit_amount: 100 },
      { up_to: "inf", unit_amount: 50 },
    ],
  });
  await stripe.prices.update(once.id, { nickname: "a pack", metadata: { credits: "100" } });
  await stripe.prices.retrieve(once.id, { expand: ["product"] });
  await stripe.prices.list({ lookup_keys: ["dearer"], expand: ["data.product"] });
  const plan = await stripe.plans.create({ currency: USD, interval: "month", amount: 2000, product: { name: "Plan" } });
  await stripe.plans.update(plan.id, { nickname: "old face" });
  await stripe.plans.retrieve(plan.id);
  await stripe.plans.list();
  await stripe.plans.del(plan.id);
  const coupon = await stripe.coupons.create({ percent_off: 25, duration: "repeating", duration_in_months: 3 });
  await stripe.coupons.update(coupon.id, { name: "A quarter" });
  await stripe.coupons.retrieve(coupon.id);
  await stripe.coupons.list();
  const promotion = await stripe.promotionCodes.create({
    promotion: { type: "coupon", coupon: coupon.id },
    code: "QUARTER",
  });
  await stripe.promotionCodes.update(promotion.id, { metadata: { campaign: "spring" } });
  await stripe.promotionCodes.retrieve(promotion.id);
  await stripe.promotionCodes.list({ code: "QUARTER" });
  const gone = await stripe.coupons.create({ amount_off: 100, currency: USD, duration: "once" });
  await stripe.coupons.del(gone.id);
  const taxRate = await stripe.taxRates.create({ display_name: "VAT", percentage: 19, inclusive: false });
  await stripe.taxRates.update(taxRate.id, { description: "German" });
  await stripe.taxRates.retrieve(taxRate.id);
  await stripe.taxRates.list();
  const shipping = await stripe.shippingRates.create({
    display_name: "Post",
    type: "fixed_amount",
    fixed_amount: { amount: 500, currency: USD },
  });
  await stripe.shippingRates.retrieve(shipping.id);
  await stripe.shippingRates.list();
  const link = await stripe.paymentLinks.create({ line_items: [{ price: once.id, quantity: 1 }] });
  await stripe.paymentLinks.retrieve(link.id);
  await stripe.paymentLinks.update(link.id, { active: false });
  await stripe.paymentLinks.listLineItems(link.id);
  return {
    monthly: monthly.id,
    dearer: dearer.id,
    once: once.id,
    coupon: coupon.id,
    promotion: promotion.id,
    taxRate: taxRate.id,
  };
}

async function customerTour(stripe: Stripe, { once }: Catalogue): Promise<string> {
  const customer = await stripe.customers.create({
    email: "tour@example.com",
    name: "Tour",
    payment_method: CARD,
    address: { line1: "1 Street", city: "Berlin", country: "DE", postal_code: "10115" },
    metadata: { plan: "none" },
  });
  const cards = await stripe.customers.listPaymentMethods(customer.id, { type: "card" });
  const card = cards.data[0]?.id ?? "";
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: card }, phone: "+4930123" });
  await stripe.customers.retrieve(customer.id, {
    expand: ["invoice_settings.default_payment_method", "subscriptions", "sources"],
  });
  await stripe.customers.list({ email: "tour@example.com" });
  await stripe.customers.search({ query: "email:'tour@example.com'" });
  await stripe.customers.retrievePaymentMethod(customer.id, card);
  const source = await stripe.customers.createSource(customer.id, { source: "tok_visa" });
  await stripe.customers.updateSource(customer.id, source.id, { metadata: { kind: "old" } });
  await stripe.customers.retrieveSource(customer.id, source.id);
  await stripe.customers.listSources(customer.id);
  await stripe.customers.deleteSource(customer.id, source.id);
  const credit = await stripe.customers.createBalanceTransaction(customer.id, { amount: -300, currency: USD });
  await stripe.customers.retrieveBalanceTransaction(customer.id, credit.id);
  await stripe.customers.listBalanceTransactions(customer.id);
  const taxId = await stripe.customers.createTaxId(customer.id, { type: "eu_vat", value: "DE123456789" });
  await stripe.customers.listTaxIds(customer.id);
  await stripe.customers.deleteTaxId(customer.id, taxId.id);
  const session = await stripe.billingPortal.sessions.create({
    customer: customer.id,
    return_url: "https://example.com",
  });
  if (session.url === "") throw new Error("a portal session has an address");
  const other = await stripe.customers.create({ description: "to be deleted" });
  await stripe.customers.del(other.id);
  await stripe.invoiceItems.create({ customer: customer.id, pricing: { price: once } });
  return customer.id;
}

async function paymentTour(stripe: Stripe, customer: string): Promise<void> {
  const method = await stripe.paymentMethods.create({ type: "card", card: { token: "tok_mastercard" } });
  await stripe.paymentMethods.attach(method.id, { customer });
  await stripe.paymentMethods.update(method.id, { billing_details: { name: "Tour" } });
  await stripe.paymentMethods.retrieve(method.id);
  await stripe.paymentMethods.list({ customer, type: "card" });
  const draft = await stripe.paymentIntents.create({ amount: 1000, currency: USD, customer, metadata: { order: "1" } });
  await stripe.paymentIntents.update(draft.id, { amount: 1200, description: "An order" });
  const paid = await stripe.paymentIntents.confirm(draft.id, {
    payment_method: method.id,
    return_url: "https://example.com/back",
  });
  await stripe.paymentIntents.retrieve(paid.id, {
    expand: ["latest_charge.balance_transaction", "customer", "payment_method"],
  });
  await stripe.paymentIntents.list({ customer });
  const charge = typeof paid.latest_charge === "string" ? paid.latest_charge : "";
  await stripe.charges.update(charge, { description: "Paid" });
  await stripe.charges.retrieve(charge, { expand: ["refunds", "payment_intent"] });
  await stripe.charges.list({ payment_intent: paid.id });
  const refund = await stripe.refunds.create({ payment_intent: paid.id, amount: 300, reason: "requested_by_customer" });
  await stripe.refunds.update(refund.id, { metadata: { why: "late" } });
  await stripe.refunds.retrieve(refund.id);
  await stripe.refunds.list({ payment_intent: paid.id });
  const held = await stripe.paymentIntents.create({ ...plainCard(800), capture_method: "manual", confirm: true });
  await stripe.paymentIntents.capture(held.id, { amount_to_capture: 500 });
  const unpaid = await stripe.paymentIntents.create({ amount: 400, currency: USD });
  await stripe.paymentIntents.cancel(unpaid.id, { cancellation_reason: "abandoned" });
  await stripe.paymentIntents.create({
    ...plainCard(900, "pm_card_threeDSecure2Required"),
    confirm: true,
    return_url: "https://example.com",
  });
  await declined(stripe.paymentIntents.create({ ...plainCard(900, "pm_card_chargeDeclined"), confirm: true }));
  await stripe.paymentMethods.detach(method.id);
  const setup = await stripe.setupIntents.create({ customer, usage: "off_session" });
  await stripe.setupIntents.update(setup.id, { description: "For later" });
  await stripe.setupIntents.confirm(setup.id, { payment_method: CARD, return_url: "https://example.com" });
  await stripe.setupIntents.retrieve(setup.id, { expand: ["latest_attempt"] });
  await stripe.setupIntents.list({ customer });
  await stripe.setupAttempts.list({ setup_intent: setup.id });
  const dropped = await stripe.setupIntents.create({});
  await stripe.setupIntents.cancel(dropped.id);
  await declined(
    stripe.setupIntents.create({
      confirm: true,
      payment_method: "pm_card_chargeDeclined",
      return_url: "https://example.com",
    }),
  );
  const token = await stripe.tokens.create({
    card: { number: "4242424242424242", exp_month: "12", exp_year: "2034", cvc: "123" },
  });
  await stripe.tokens.retrieve(token.id);
  await stripe.charges.create({ amount: 600, currency: USD, source: token.id });
}

async function disputeTour(stripe: Stripe): Promise<void> {
  for (const evidence of ["winning_evidence", "losing_evidence"]) {
    const paid = await stripe.paymentIntents.create({ ...plainCard(2500, "pm_card_createDispute"), confirm: true });
    const disputes = await stripe.disputes.list({ payment_intent: paid.id });
    const dispute = disputes.data[0]?.id ?? "";
    await stripe.disputes.retrieve(dispute);
    await stripe.disputes.update(dispute, { evidence: { uncategorized_text: evidence } });
  }
  const paid = await stripe.paymentIntents.create({
    ...plainCard(2500, "pm_card_createDisputeInquiry"),
    confirm: true,
  });
  const disputes = await stripe.disputes.list({ payment_intent: paid.id });
  await stripe.disputes.close(disputes.data[0]?.id ?? "");
}

async function checkoutTour(stripe: Stripe, customer: string, { once, monthly }: Catalogue): Promise<void> {
  const addresses = {
    success_url: "https://example.com/ok?id={CHECKOUT_SESSION_ID}",
    cancel_url: "https://example.com/no",
  };
  const payment = await stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [{ price: once, quantity: 2 }],
    client_reference_id: "buyer_1",
    metadata: { pack: "1" },
    ...addresses,
  });
  await stripe.checkout.sessions.update(payment.id, { metadata: { pack: "2" } });
  await stripe.checkout.sessions.retrieve(payment.id, { expand: ["line_items", "customer"] });
  await stripe.checkout.sessions.listLineItems(payment.id);
  await stripe.checkout.sessions.expire(payment.id);
  await stripe.checkout.sessions.create({
    mode: "subscription",
    customer,
    line_items: [{ price: monthly, quantity: 1 }],
    ...addresses,
  });
  await stripe.checkout.sessions.create({ mode: "setup", customer, currency: USD, ...addresses });
  await stripe.checkout.sessions.list({ customer });
  const configuration = await stripe.billingPortal.configurations.create({
    features: { invoice_history: { enabled: true } },
  });
  await stripe.billingPortal.configurations.update(configuration.id, { metadata: { look: "plain" } });
  await stripe.billingPortal.configurations.retrieve(configuration.id);
  await stripe.billingPortal.configurations.list();
}

async function moneyTour(stripe: Stripe): Promise<void> {
  await stripe.paymentIntents.create({ ...plainCard(50_000, "pm_card_bypassPending"), confirm: true });
  await stripe.balance.retrieve();
  const transactions = await stripe.balanceTransactions.list({ limit: 3 });
  await stripe.balanceTransactions.retrieve(transactions.data[0]?.id ?? "");
  const payout = await stripe.payouts.create({ amount: 1000, currency: USD });
  await stripe.payouts.update(payout.id, { metadata: { week: "7" } });
  await stripe.payouts.retrieve(payout.id);
  await stripe.payouts.cancel(payout.id);
  await stripe.payouts.list();
  const topup = await stripe.topups.create({ amount: 2000, currency: USD });
  await stripe.topups.retrieve(topup.id);
  await stripe.topups.list();
}

async function connectTour(stripe: Stripe): Promise<void> {
  const account = await stripe.accounts.create({
    type: "express",
    country: "US",
    email: "tenant@example.com",
    capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
  });
  await stripe.accounts.update(account.id, { metadata: { tenant: "1" } });
  await stripe.accounts.retrieve(account.id);
  await stripe.accounts.retrieveCurrent();
  await stripe.accounts.list({ limit: 3 });
  await stripe.accounts.listCapabilities(account.id);
  await stripe.accounts.retrieveCapability(account.id, "transfers");
  const addresses = { refresh_url: "https://example.com/again", return_url: "https://example.com/done" };
  await stripe.accountLinks.create({ account: account.id, type: "account_onboarding", ...addresses });
  await stripe.accountSessions.create({ account: account.id, components: { payments: { enabled: true } } });
  const transfer = await stripe.transfers.create({ amount: 700, currency: USD, destination: account.id });
  await stripe.transfers.update(transfer.id, { metadata: { part: "1" } });
  await stripe.transfers.retrieve(transfer.id);
  await stripe.transfers.createReversal(transfer.id, { amount: 200 });
  await stripe.transfers.listReversals(transfer.id);
  await stripe.transfers.list({ destination: account.id });
  const there = { stripeAccount: account.id };
  const customer = await stripe.customers.create({ email: "theirs@example.com" }, there);
  await stripe.invoiceItems.create({ customer: customer.id, amount: 5000, currency: USD }, there);
  const invoice = await stripe.invoices.create(
    { customer: customer.id, application_fee_amount: 250, pending_invoice_items_behavior: "include" },
    there,
  );
  await stripe.invoices.finalizeInvoice(invoice.id, {}, there);
  await stripe.paymentIntents.create({ ...plainCard(4000), application_fee_amount: 400, confirm: true }, there);
  const fees = await stripe.applicationFees.list();
  const fee = fees.data[0]?.id ?? "";
  await stripe.applicationFees.retrieve(fee);
  await stripe.applicationFees.createRefund(fee, { amount: 100 });
  await stripe.applicationFees.listRefunds(fee);
  const gone = await stripe.accounts.create({ type: "standard" });
  await stripe.accounts.del(gone.id);
}

async function eventTour(stripe: Stripe): Promise<void> {
  const endpoint = await stripe.webhookEndpoints.create({
    url: "https://example.com/hook",
    enabled_events: ["invoice.paid"],
  });
  await stripe.webhookEndpoints.update(endpoint.id, { enabled_events: ["*"], disabled: true });
  await stripe.webhookEndpoints.retrieve(endpoint.id);
  await stripe.webhookEndpoints.list();
  await stripe.webhookEndpoints.del(endpoint.id);
  const events = await stripe.events.list({ types: ["customer.created", "invoice.paid"], limit: 5 });
  await stripe.events.retrieve(events.data[0]?.id ?? "");
}

function plainCard(amount: number, payment_method = CARD): Stripe.PaymentIntentCreateParams {
  // Not a parameter of the newest types, and still taken: without it a redirect's address would be needed.
  return { amount, currency: USD, payment_method, ...({ payment_method_types: ["card"] } as object) };
}

async function declined(call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown as { type?: string },
  );
  if (error?.type !== "StripeCardError") throw new Error(`a card error was expected, not ${JSON.stringify(error)}`);
}
