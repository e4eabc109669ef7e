// The page of the buyer's bank: 3-D Secure, passed or failed by a click. For payment and setup intents of any origin.
import type Stripe from "stripe";
import { sessionOfIntent } from "../checkout/session-draft.ts";
import { StripeFailure } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { World } from "../core/world.ts";
import { paymentOfIntent } from "../invoices/invoice-payment.ts";
import { authenticate } from "../payments/payment-intent.ts";
import { onceAcknowledged } from "./acknowledgement.ts";
import { afterSession } from "./checkout-page.ts";
import { html, safeAddress } from "./html.ts";
import { notFound, notice, problem, show } from "./layout.ts";
import { money } from "./money.ts";
import { type Page, type PageRequest, type PageRoute, scopeWith } from "./page.ts";

type Intent = Stripe.PaymentIntent | Stripe.SetupIntent;

export const bankPages: PageRoute[] = [
  {
    pattern: "GET /3ds/*",
    answer: (world, page) => withIntent(world, page, (_tx, intent) => challenge(intent)),
  },
  { pattern: "POST /3ds/*", answer: decideAndGo },
  {
    pattern: "GET /microdeposits/*",
    answer: (world, page) => withIntent(world, page, (_tx, intent) => waiting(intent)),
  },
  {
    pattern: "GET /bank-transfers/*",
    answer: (world, page) => withIntent(world, page, (_tx, intent) => waiting(intent)),
  },
];

function withIntent(
  world: World,
  page: PageRequest,
  answer: (tx: Transaction, intent: Intent, page: PageRequest) => Page,
): Page {
  const [id = ""] = page.ids;
  const kind = id.startsWith("seti_") ? "setup_intent" : "payment_intent";
  const scope = scopeWith(world, kind, id);
  if (scope === undefined) return notFound("payment");
  try {
    return world.run((tx) => answer(tx, tx.get(kind, id), page), scope);
  } catch (error) {
    if (!(error instanceof StripeFailure)) throw error;
    return show("The bank's page", problem(error.body.message), error.status);
  }
}

/** For what a test does through the API: there is no bank to look into. */
function waiting(intent: Intent): Page {
  const path = `/v1/${intent.object}s/${intent.id}/verify_microdeposits`;
  const words =
    intent.next_action?.type === "verify_with_microdeposits"
      ? `Two small deposits are on their way. POST ${path} with descriptor_code SM11AA, or with amounts 32 and 45, verifies the account.`
      : "A bank transfer is awaited. POST /v1/test_helpers/customers/{customer}/fund_cash_balance lets it arrive.";
  return show(
    "Your bank",
    html`${notice(`The ${intent.object} is ${intent.status}.`)}
      <p>${words}</p>`,
  );
}

function decideAndGo(world: World, page: PageRequest): Page | Promise<Page> {
  const [id = ""] = page.ids;
  const scope = scopeWith(world, id.startsWith("seti_") ? "setup_intent" : "payment_intent", id);
  const session = scope === undefined ? undefined : world.run((tx) => sessionOfIntent(tx, id)?.id, scope);
  const answer = withIntent(world, page, decide);
  return session === undefined ? answer : onceAcknowledged(world, session, answer);
}

function challenge(intent: Intent): Page {
  if (intent.status !== "requires_action") {
    return show(
      "The bank's page",
      notice(`Nothing is to be confirmed here: the ${intent.object} is ${intent.status}.`),
    );
  }
  const what =
    intent.object === "payment_intent" ? `a payment of ${money(intent.amount, intent.currency)}` : "saving your card";
  return show(
    "Is it you?",
    html`<p>This page stands for your bank. It asks you to confirm ${what}.</p>
      <form method="post" action="/3ds/${intent.id}">
        <button class="main" name="result" value="complete">Complete authentication</button>
        <button name="result" value="fail">Fail authentication</button>
      </form>
      <p class="soft">${intent.id}</p>`,
  );
}

function decide(tx: Transaction, before: Intent, { form }: PageRequest): Page {
  if (before.status !== "requires_action") return challenge(before);
  const back = safeAddress(before.next_action?.redirect_to_url?.return_url);
  const invoice = before.object === "payment_intent" ? paymentOfIntent(tx, before.id)?.invoice : undefined;
  authenticate(tx, before.id, form.result === "complete");
  const session = sessionOfIntent(tx, before.id);
  if (session !== undefined) return afterSession(tx, session.id);
  const address = idOf(invoice) === null ? undefined : tx.find("invoice", idOf(invoice) ?? "")?.hosted_invoice_url;
  const after: Intent = tx.get(before.object, before.id);
  if (back !== undefined) return { redirect: returnAddress(back, after) };
  return address === null || address === undefined ? challenge(after) : { redirect: address };
}

/** As Stripe sends a buyer back: with the intent, its client secret, and how it went. */
function returnAddress(back: string, intent: Intent): string {
  if (!URL.canParse(back)) return back;
  const url = new URL(back);
  url.searchParams.set(intent.object, intent.id);
  url.searchParams.set(`${intent.object}_client_secret`, intent.client_secret ?? "");
  url.searchParams.set(
    "redirect_status",
    ["succeeded", "processing", "requires_capture"].includes(intent.status) ? "succeeded" : "failed",
  );
  return url.href;
}
