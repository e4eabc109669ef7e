// The hosted page of an invoice: what is due, paying it by card, and the invoice as a sheet to keep.
import type Stripe from "stripe";
import { StripeFailure } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { World } from "../core/world.ts";
import { payInvoice, paymentIntentOf } from "../invoices/invoice.ts";
import { attachPaymentMethod } from "../payments/instrument.ts";
import { cardFields, methodOfForm, testCards } from "./card-form.ts";
import { html, type Html, type Piece } from "./html.ts";
import { field, layout, notFound, notice, problem, show } from "./layout.ts";
import { day, money } from "./money.ts";
import { type Page, type PageRequest, type PageRoute, scopeWith } from "./page.ts";

type Invoice = Stripe.Invoice;

export const invoicePages: PageRoute[] = [
  {
    pattern: "GET /i/*/*",
    answer: (world, page) => withInvoice(world, page, (tx, invoice) => invoicePage(tx, invoice)),
  },
  { pattern: "POST /i/*/*", answer: (world, page) => withInvoice(world, page, pay) },
  { pattern: "GET /i/*/*/pdf", answer: (world, page) => withInvoice(world, page, (tx, invoice) => sheet(tx, invoice)) },
];

type Answer = (tx: Transaction, invoice: Invoice, page: PageRequest) => Page;

function withInvoice(world: World, page: PageRequest, answer: Answer): Page {
  const [, id = ""] = page.ids;
  const scope = scopeWith(world, "invoice", id);
  if (scope === undefined) return notFound("invoice");
  try {
    return world.run((tx) => answer(tx, tx.get("invoice", id), page), scope);
  } catch (error) {
    if (!(error instanceof StripeFailure)) throw error;
    return world.run(
      (tx) => invoicePage(tx, tx.get("invoice", id), error.body.message, error.status, page.form),
      scope,
    );
  }
}

const STATES: Readonly<Record<string, string>> = {
  draft: "This invoice is a draft: it is not to be paid yet.",
  paid: "This invoice is paid. Thank you.",
  void: "This invoice was voided: nothing is to be paid.",
  uncollectible: "This invoice was written off. It can still be paid.",
};

function invoicePage(
  tx: Transaction,
  invoice: Invoice,
  trouble?: string,
  status = 200,
  form: PageRequest["form"] = {},
): Page {
  const payable = (invoice.status === "open" || invoice.status === "uncollectible") && invoice.amount_remaining > 0;
  const base = `/i/${tx.scope.account}/${invoice.id}`;
  return show(
    `Invoice ${invoice.number ?? "draft"}`,
    html`${problem(trouble ?? (payable ? lastProblem(tx, invoice.id) : undefined))}
      ${notice(STATES[invoice.status ?? ""])} ${details(invoice)}
      <p><a href="${base}/pdf">Invoice as a sheet to keep</a></p>
      ${
        payable &&
        html`<form method="post" action="${base}">
          ${field({ name: "name", label: "Name on the card", value: form.name ?? invoice.customer_name, autocomplete: "name" })}
          ${cardFields(form)}
          <button class="main">Pay ${money(invoice.amount_remaining, invoice.currency)}</button>
          ${testCards("Pay with")}
        </form>`
      }`,
    status,
  );
}

function lastProblem(tx: Transaction, invoice: string): string | undefined {
  const id = paymentIntentOf(tx, invoice);
  return (id === null ? undefined : tx.find("payment_intent", id))?.last_payment_error?.message;
}

function details(invoice: Invoice): Html {
  const row = (words: string, amount: number, show = true): Piece =>
    show &&
    html`<tr>
      <th scope="row" colspan="2">${words}</th>
      <td class="amount">${money(amount, invoice.currency)}</td>
    </tr>`;
  const discount = (invoice.total_discount_amounts ?? []).reduce((sum, { amount }) => sum + amount, 0);
  const tax = (invoice.total_taxes ?? []).reduce((sum, { amount }) => sum + amount, 0);
  return html`<p>
      From ${invoice.account_name ?? "Sandbox"} to
      ${invoice.customer_name ?? invoice.customer_email ?? idOf(invoice.customer)}<br />
      Issued
      ${day(invoice.status_transitions.finalized_at ?? invoice.created)}${invoice.due_date !== null && html`, due ${day(invoice.due_date)}`}
    </p>
    ${invoice.description !== null && html`<p>${invoice.description}</p>`}
    <table>
      <caption class="soft">
        What is billed
      </caption>
      <thead>
        <tr>
          <th scope="col">Item</th>
          <th scope="col">Quantity</th>
          <th scope="col" class="amount">Amount</th>
        </tr>
      </thead>
      <tbody>
        ${invoice.lines.data.map(
          (line) =>
            html`<tr>
              <td>
                ${line.description}${
                  line.period.start !== line.period.end &&
                  html`<br /><span class="soft">${day(line.period.start)} – ${day(line.period.end)}</span>`
                }
              </td>
              <td>${line.quantity}</td>
              <td class="amount">${money(line.amount, invoice.currency)}</td>
            </tr>`,
        )}
      </tbody>
      <tfoot>
        ${row("Subtotal", invoice.subtotal)} ${row("Discount", -discount, discount > 0)} ${row("Tax", tax, tax > 0)}
        ${row("Total", invoice.total)} ${row("Paid", invoice.amount_paid, invoice.amount_paid > 0)}
        ${row("Due", invoice.status === "void" ? 0 : invoice.amount_remaining)}
      </tfoot>
    </table>
    ${invoice.footer !== null && html`<p class="soft">${invoice.footer}</p>`}`;
}

/** In the place of Stripe's PDF. */
function sheet(_tx: Transaction, invoice: Invoice): Page {
  return {
    status: 200,
    html: layout(
      `Invoice ${invoice.number ?? "draft"}`,
      html`<p>Status: ${invoice.status}</p>
        ${details(invoice)}
        <p class="soft">${invoice.id}</p>`,
    ),
  };
}

function pay(tx: Transaction, invoice: Invoice, { form }: PageRequest): Page {
  const method = methodOfForm(tx, form, invoice.customer_email);
  const customer = idOf(invoice.customer);
  if (customer !== null) attachPaymentMethod(tx, method.id, customer);
  const paid = payInvoice(tx, invoice.id, { payment_method: method.id, off_session: false });
  if (paid.status === "paid") return { redirect: `/i/${tx.scope.account}/${invoice.id}` };
  const intent = paymentIntentOf(tx, invoice.id);
  const now = intent === null ? undefined : tx.find("payment_intent", intent);
  if (now?.status === "requires_action") return { redirect: `/3ds/${now.id}` };
  return invoicePage(tx, paid, now?.last_payment_error?.message ?? "The payment did not go through.", 402, form);
}
