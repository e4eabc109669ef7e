// The types of events that POST /_sandbox/trigger can raise, and the work that raises each.
import {
  account,
  checkout,
  coupon,
  customer,
  draft,
  finalized,
  funds,
  gone,
  intent,
  paid,
  payer,
  pays,
  plan,
  price,
  product,
  promotion,
  setup,
  type Step,
  step,
  subscription,
  taxRate,
  touched,
} from "./trigger-steps.ts";

const declined = intent("pm_card_chargeDeclined", {}, { declines: true });
const captured = [
  intent("pm_card_visa", { capture_method: "manual" }),
  step("capture", "POST /v1/payment_intents/$intent/capture"),
];
const refunded = [intent("pm_card_visa"), step("refund", "POST /v1/refunds", { payment_intent: "$intent" })];
const disputed = [intent("pm_card_createDispute"), step("disputes", "GET /v1/disputes", { payment_intent: "$intent" })];
const DISPUTE = "/v1/disputes/$disputes.data.0.id";
const paidSession = [
  checkout(),
  step("completed", "POST /v1/payment_pages/$session/confirm", { payment_method: "pm_card_visa" }),
];
const schedule = [
  ...payer(),
  price,
  step("schedule", "POST /v1/subscription_schedules", {
    customer: "$customer",
    start_date: "now",
    phases: [{ items: [{ price: "$price" }], duration: { interval: "month", interval_count: 1 } }],
  }),
];
const quote = [
  customer,
  price,
  step("quote", "POST /v1/quotes", { customer: "$customer", line_items: [{ price: "$price" }] }),
];
const openQuote = [...quote, step("open", "POST /v1/quotes/$quote/finalize")];
const creditNote = [
  ...paid,
  step("note", "POST /v1/credit_notes", { invoice: "$invoice", amount: 500, refund_amount: 500 }),
];
const transfer = [
  account,
  funds,
  step("transfer", "POST /v1/transfers", { amount: 400, currency: "usd", destination: "$account" }),
];
const clock = step("clock", "POST /v1/test_helpers/test_clocks", { frozen_time: 1_800_000_000 });
const attached = [customer, step("method", "POST /v1/payment_methods/pm_card_visa/attach", { customer: "$customer" })];
const payout = [funds, step("payout", "POST /v1/payouts", { amount: 1000, currency: "usd" })];
const person = step("person", "POST /v1/accounts/$account/persons", { first_name: "Jane", last_name: "Example" });
const card = step("card", "POST /v1/customers/$customer/sources", { source: "tok_visa" });
const failing = "pm_card_chargeCustomerFail";
const trial = { trial_period_days: 2 };

export const TRIGGERS: Readonly<Record<string, readonly Step[]>> = {
  "account.updated": [account, touched("account", "/v1/accounts")],
  "balance.available": [funds],
  "billing_portal.configuration.created": [
    step("portal", "POST /v1/billing_portal/configurations", { features: { invoice_history: { enabled: true } } }),
  ],
  "billing_portal.session.created": [
    customer,
    step("portal", "POST /v1/billing_portal/sessions", { customer: "$customer", return_url: "https://example.com" }),
  ],
  "capability.updated": [account],
  "charge.captured": captured,
  "charge.dispute.closed": [...disputed, step("closed", `POST ${DISPUTE}/close`)],
  "charge.dispute.created": disputed,
  "charge.dispute.funds_withdrawn": disputed,
  "charge.dispute.updated": [...disputed, step("later", `POST ${DISPUTE}`, { evidence: { customer_name: "Jane" } })],
  "charge.failed": [declined],
  "charge.refunded": refunded,
  "charge.succeeded": [intent("pm_card_visa")],
  "checkout.session.completed": paidSession,
  "checkout.session.expired": [checkout(), step("expired", "POST /v1/checkout/sessions/$session/expire")],
  "coupon.created": [coupon],
  "coupon.deleted": [coupon, gone("coupon", "/v1/coupons")],
  "coupon.updated": [coupon, touched("coupon", "/v1/coupons")],
  "credit_note.created": creditNote,
  "customer.created": [customer],
  "customer.deleted": [customer, gone("customer", "/v1/customers")],
  "customer.discount.created": [...promotion, ...subscription({ discounts: [{ coupon: "$coupon" }] })],
  "customer.source.created": [customer, card],
  "customer.source.deleted": [customer, card, step("away", "DELETE /v1/customers/$customer/sources/$card")],
  "customer.subscription.created": subscription(),
  "customer.subscription.deleted": [...subscription(), gone("subscription", "/v1/subscriptions")],
  "customer.subscription.trial_will_end": subscription(trial),
  "customer.subscription.updated": [...subscription(), touched("subscription", "/v1/subscriptions")],
  "customer.updated": [customer, touched("customer", "/v1/customers")],
  "invoice.created": draft(),
  "invoice.deleted": [...draft(), gone("invoice", "/v1/invoices")],
  "invoice.finalized": finalized(),
  "invoice.marked_uncollectible": [...finalized(), step("bad", "POST /v1/invoices/$invoice/mark_uncollectible")],
  "invoice.paid": paid,
  "invoice.payment_action_required": [...finalized("pm_card_authenticationRequired"), pays({ declines: true })],
  "invoice.payment_failed": [...finalized(failing), pays({ declines: true })],
  "invoice.payment_succeeded": paid,
  "invoice.sent": [
    ...draft(undefined, { collection_method: "send_invoice", days_until_due: 30 }),
    step("sent", "POST /v1/invoices/$invoice/send"),
  ],
  "invoice.updated": [...draft(), touched("invoice", "/v1/invoices")],
  "invoice.voided": [...finalized(), step("void", "POST /v1/invoices/$invoice/void")],
  "invoice_payment.paid": paid,
  "invoiceitem.created": draft(),
  "invoiceitem.deleted": [...draft(), gone("item", "/v1/invoiceitems")],
  "payment_intent.amount_capturable_updated": captured,
  "payment_intent.canceled": [
    intent("pm_card_visa", { confirm: false }),
    step("cancel", "POST /v1/payment_intents/$intent/cancel"),
  ],
  "payment_intent.created": [intent("pm_card_visa", { confirm: false })],
  "payment_intent.payment_failed": [declined],
  "payment_intent.requires_action": [intent("pm_card_authenticationRequired")],
  "payment_intent.succeeded": [intent("pm_card_visa")],
  "payment_link.created": [
    price,
    step("link", "POST /v1/payment_links", { line_items: [{ price: "$price", quantity: 1 }] }),
  ],
  "payment_method.attached": attached,
  "payment_method.detached": [...attached, step("away", "POST /v1/payment_methods/$method/detach")],
  "payment_method.updated": [
    ...attached,
    step("later", "POST /v1/payment_methods/$method", { billing_details: { name: "Jane Example" } }),
  ],
  "payout.canceled": [...payout, step("cancel", "POST /v1/payouts/$payout/cancel")],
  "payout.created": payout,
  "payout.updated": [...payout, touched("payout", "/v1/payouts")],
  "person.created": [account, person],
  "plan.created": [plan],
  "plan.deleted": [plan, gone("plan", "/v1/plans")],
  "plan.updated": [plan, touched("plan", "/v1/plans")],
  "price.created": [price],
  "price.updated": [price, touched("price", "/v1/prices")],
  "product.created": [product],
  "product.deleted": [product, gone("product", "/v1/products")],
  "product.updated": [product, touched("product", "/v1/products")],
  "promotion_code.created": promotion,
  "promotion_code.updated": [...promotion, touched("promotion", "/v1/promotion_codes")],
  "quote.accepted": [...openQuote, step("accepted", "POST /v1/quotes/$quote/accept")],
  "quote.canceled": [...quote, step("cancel", "POST /v1/quotes/$quote/cancel")],
  "quote.created": quote,
  "quote.finalized": openQuote,
  "refund.created": refunded,
  "setup_intent.canceled": [
    step("setup", "POST /v1/setup_intents"),
    step("cancel", "POST /v1/setup_intents/$setup/cancel"),
  ],
  "setup_intent.created": [step("setup", "POST /v1/setup_intents")],
  "setup_intent.requires_action": [setup("pm_card_authenticationRequired")],
  "setup_intent.setup_failed": [setup("pm_card_chargeDeclined", { declines: true })],
  "setup_intent.succeeded": [setup("pm_card_visa")],
  "subscription_schedule.canceled": [...schedule, step("cancel", "POST /v1/subscription_schedules/$schedule/cancel")],
  "subscription_schedule.created": schedule,
  "subscription_schedule.released": [...schedule, step("release", "POST /v1/subscription_schedules/$schedule/release")],
  "tax_rate.created": [taxRate],
  "tax_rate.updated": [taxRate, touched("rate", "/v1/tax_rates")],
  "test_helpers.test_clock.created": [clock],
  "test_helpers.test_clock.deleted": [clock, gone("clock", "/v1/test_helpers/test_clocks")],
  "transfer.created": transfer,
  "transfer.reversed": [...transfer, step("back", "POST /v1/transfers/$transfer/reversals")],
  "transfer.updated": [...transfer, touched("transfer", "/v1/transfers")],
};
