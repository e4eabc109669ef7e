// The card form that several pages share, and the payment method that comes of it.
import type Stripe from "stripe";
import { invalidRequest } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";
import { createPaymentMethod } from "../payments/instrument.ts";
import { html, type Html } from "./html.ts";
import { field } from "./layout.ts";
import { inFours, TEST_CARDS, TEST_IBANS } from "./test-cards.ts";

type Form = Readonly<Record<string, string>>;

/** Prefilled with the card that succeeds: one click pays. */
export function cardFields(form: Form): Html {
  return html`<fieldset>
    <legend>Card</legend>
    ${field({
      name: "number",
      label: "Card number",
      value: form.number ?? "4242 4242 4242 4242",
      required: true,
      autocomplete: "cc-number",
      inputmode: "numeric",
    })}
    <div class="pair">
      <div>
        ${field({ name: "expiry", label: "Expiry (MM / YY)", value: form.expiry ?? "12 / 34", required: true, autocomplete: "cc-exp" })}
      </div>
      <div>
        ${field({ name: "cvc", label: "Security code", value: form.cvc ?? "123", required: true, autocomplete: "cc-csc", inputmode: "numeric" })}
      </div>
    </div>
  </fieldset>`;
}

/** One button for each: it submits the form around it with that card. `verb`: "Pay with". */
export function testCards(verb: string): Html {
  return html`<section aria-labelledby="test-cards">
    <h2 id="test-cards">Test cards</h2>
    <p class="soft">Each button submits this form at once with that card in place of the one above.</p>
    <ul class="cards">
      ${TEST_CARDS.map(
        ({ number, does }) =>
          html`<li>
            <button name="test_card" value="${number}">${verb} <code>${inFours(number)}</code> – ${does}</button>
          </li>`,
      )}
    </ul>
  </section>`;
}

export function testDebits(verb: string): Html {
  return html`<section aria-labelledby="test-debits">
    <h2 id="test-debits">SEPA direct debit</h2>
    <p class="soft">The debit is accepted now, and succeeds or fails a few seconds later.</p>
    <button name="debit" value="succeeds">${verb} SEPA debit – succeeds later</button>
    <button name="debit" value="fails">${verb} SEPA debit – fails later</button>
  </section>`;
}

/** What the form was sent with: a saved method, a test card, a debit, or the card in its fields. */
export function methodOfForm(tx: Transaction, form: Form, email: string | null): Stripe.PaymentMethod {
  if (form.saved !== undefined && form.saved !== "") return tx.get("payment_method", form.saved, "payment_method");
  const name = form.name?.trim() ?? "";
  const country = form.country?.trim() ?? "";
  const postal_code = form.postal_code?.trim() ?? "";
  const address = {
    ...(country === "" ? {} : { country }),
    ...(postal_code === "" ? {} : { postal_code }),
    ...(form.line1 === undefined || form.line1 === "" ? {} : { line1: form.line1 }),
    ...(form.city === undefined || form.city === "" ? {} : { city: form.city }),
  };
  const billing_details = {
    ...(email === null ? {} : { email }),
    ...(name === "" ? {} : { name }),
    ...(Object.keys(address).length === 0 ? {} : { address }),
  };
  if (form.debit === "succeeds" || form.debit === "fails") {
    const details = { email: email ?? "buyer@example.com", name: name === "" ? "Sandbox Buyer" : name };
    return createPaymentMethod(tx, {
      type: "sepa_debit",
      sepa_debit: { iban: TEST_IBANS[form.debit] },
      billing_details: { ...billing_details, ...details },
    });
  }
  return createPaymentMethod(tx, { type: "card", card: cardOf(form), billing_details });
}

function cardOf(form: Form): { number: string; exp_month: number; exp_year: number; cvc: string } {
  if (form.test_card !== undefined) return { number: form.test_card, exp_month: 12, exp_year: 2034, cvc: "123" };
  const [, month, year] = /^\s*(\d{1,2})\s*\/\s*(\d{2}|\d{4})\s*$/.exec(form.expiry ?? "") ?? [];
  if (month === undefined || year === undefined) {
    throw invalidRequest("Write the expiry as month and year, such as 12 / 34.", { param: "exp_month" });
  }
  return {
    number: (form.number ?? "").replaceAll(/\s/g, ""),
    exp_month: Number(month),
    exp_year: Number(year.length === 2 ? `20${year}` : year),
    cvc: (form.cvc ?? "").trim(),
  };
}
