// What the page of a checkout session shows: what is bought, who buys, how to pay.
import type Stripe from "stripe";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { present } from "../checkout/present.ts";
import { draftOf, type SessionLine } from "../checkout/session-draft.ts";
import { couponOf } from "../checkout/session.ts";
import { cardFields, testCards, testDebits } from "./card-form.ts";
import { html, type Html, safeAddress } from "./html.ts";
import { choice, field, problem, show } from "./layout.ts";
import { day, interval, money } from "./money.ts";
import type { Page } from "./page.ts";

type Session = Stripe.Checkout.Session;
type Form = Readonly<Record<string, string>>;

/** `form`: what was typed before, shown again after a decline. */
export function checkoutPage(tx: Transaction, session: Session, form: Form = {}, trouble?: string, status = 200): Page {
  const cancel = safeAddress(session.cancel_url);
  return show(
    titleOf(session),
    html`${problem(trouble)} ${summary(tx, session)}
      ${session.allow_promotion_codes === true && promotion(session, form)}
      <form method="post" action="/c/pay/${session.id}">
        <input type="hidden" name="action" value="pay" />
        ${buyerFields(session, form)} ${shippingFields(tx, session, form)} ${customFields(session, form)}
        ${wantsMethod(session) && cardFields(form)} ${consents(session)}
        <button class="main" name="pay" value="pay">${payWords(session)}</button>
        ${cancel !== undefined && html`<a class="button" href="${cancel}">Cancel and go back</a>`}
        ${wantsMethod(session) && html`${savedMethods(tx, session)} ${testCards(shortVerb(session))}`}
        ${wantsMethod(session) && session.payment_method_types.includes("sepa_debit") && testDebits(shortVerb(session))}
      </form>`,
    status,
  );
}

export function wantsMethod(session: Session): boolean {
  if (session.mode === "setup" || (session.amount_total ?? 0) > 0) return true;
  return session.mode === "subscription" && session.payment_method_collection === "always";
}

function titleOf({ mode }: Session): string {
  return mode === "setup" ? "Save a payment method" : mode === "subscription" ? "Subscribe" : "Pay";
}

function shortVerb({ mode, amount_total }: Session): string {
  return mode === "setup" || amount_total === 0 ? "Save" : "Pay with";
}

function payWords(session: Session): string {
  if (session.mode === "setup") return "Save card";
  const total = money(session.amount_total, session.currency);
  if (session.amount_total === 0) return session.mode === "subscription" ? "Start" : "Complete order";
  return session.mode === "subscription" ? `Pay ${total} and subscribe` : `Pay ${total}`;
}

function summary(tx: Transaction, session: Session): Html | false {
  if (session.mode === "setup") return html`<p>Your card is saved for later. Nothing is charged now.</p>`;
  const { currency, total_details: details, discounts } = session;
  const draft = draftOf(tx, session.id);
  const [discount] = discounts ?? [];
  const coupon = discount === undefined ? null : couponOf(tx, discount);
  const row = (words: string, amount: number) =>
    html`<tr>
      <th scope="row" colspan="2">${words}</th>
      <td class="amount">${money(amount, currency)}</td>
    </tr>`;
  const adjustable = draft.lines.some((line) => line.adjustable_quantity?.enabled === true);
  return html`<form method="post" action="/c/pay/${session.id}">
    <table>
      <caption class="soft">
        Your order
      </caption>
      <thead>
        <tr>
          <th scope="col">Item</th>
          <th scope="col">Quantity</th>
          <th scope="col" class="amount">Amount</th>
        </tr>
      </thead>
      <tbody>
        ${draft.lines.map((line) => lineRow(tx, line, session, draft.trial))}
      </tbody>
      <tfoot>
        ${row("Subtotal", session.amount_subtotal ?? 0)}
        ${(details?.amount_discount ?? 0) > 0 && row(`Discount ${coupon?.name ?? ""}`, -(details?.amount_discount ?? 0))}
        ${session.shipping_cost !== null && row("Shipping", session.shipping_cost.amount_total)}
        ${(details?.amount_tax ?? 0) > 0 && row("Tax", details?.amount_tax ?? 0)}
        ${row("Due today", session.amount_total ?? 0)}
      </tfoot>
    </table>
    ${adjustable && html`<button name="action" value="quantities">Update quantities</button>`}
    ${draft.trial && html`<p>Free trial${trialWords(session, draft.given.subscription_data)}. Then billed as above.</p>`}
  </form>`;
}

function trialWords(
  { created }: Session,
  given: { trial_end?: number; trial_period_days?: number } | undefined,
): string {
  const end =
    given?.trial_end ??
    (given?.trial_period_days === undefined ? undefined : created + given.trial_period_days * 86_400);
  return end === undefined ? "" : ` until ${day(end)}`;
}

function lineRow(tx: Transaction, line: SessionLine, session: Session, trial: boolean): Html {
  const price = tx.find("price", line.price);
  const { recurring = null } = price ?? {};
  const each =
    trial && recurring !== null && typeof price?.unit_amount === "number"
      ? price.unit_amount * (line.quantity ?? 1)
      : null;
  const range = line.adjustable_quantity;
  return html`<tr>
    <td>
      ${line.description}${recurring !== null && html`<br /><span class="soft">billed ${interval(recurring)}</span>`}
      ${each !== null && html`<br /><span class="soft">${money(each, session.currency)} after the trial</span>`}
    </td>
    <td>
      ${
        range?.enabled === true
          ? html`<input
              type="number"
              name="quantity_${line.id}"
              value="${line.quantity}"
              min="${range.minimum ?? 0}"
              max="${range.maximum ?? 99}"
              aria-label="Quantity of ${line.description}"
            />`
          : (line.quantity ?? "by use")
      }
    </td>
    <td class="amount">${money(line.amount_subtotal, session.currency)}</td>
  </tr>`;
}

function promotion(session: Session, form: Form): Html {
  const applied = (session.discounts ?? []).length > 0;
  return html`<form method="post" action="/c/pay/${session.id}">
    <input type="hidden" name="action" value="promotion" />
    ${
      applied
        ? html`<input type="hidden" name="code" value="" /><button>Remove the promotion code</button>`
        : html`${field({ name: "code", label: "Promotion code", value: form.code })}<button>Apply the code</button>`
    }
  </form>`;
}

function buyerFields(session: Session, form: Form): Html {
  const known = session.customer_details?.email ?? null;
  const wantsAddress = session.billing_address_collection === "required";
  return html`<fieldset>
    <legend>You</legend>
    ${
      known === null || session.customer_email === null
        ? field({
            name: "email",
            label: "E-mail",
            type: "email",
            value: form.email ?? known,
            required: true,
            autocomplete: "email",
          })
        : html`<p>E-mail: ${known}</p>`
    }
    ${field({ name: "name", label: "Name on the card", value: form.name ?? session.customer_details?.name, autocomplete: "name" })}
    ${
      session.phone_number_collection?.enabled === true &&
      field({ name: "phone", label: "Phone", type: "tel", value: form.phone, required: true, autocomplete: "tel" })
    }
    ${
      wantsAddress &&
      html`${field({ name: "line1", label: "Address", value: form.line1, required: true, autocomplete: "address-line1" })}
      ${field({ name: "city", label: "City", value: form.city, required: true, autocomplete: "address-level2" })}`
    }
    <div class="pair">
      <div>
        ${field({ name: "country", label: "Country, two letters", value: form.country ?? "US", maxlength: 2, autocomplete: "country" })}
      </div>
      <div>
        ${field({ name: "postal_code", label: "Postal code", value: form.postal_code ?? "94080", autocomplete: "postal-code" })}
      </div>
    </div>
    ${
      session.tax_id_collection?.enabled === true &&
      html`${choice("tax_id_type", "Kind of tax id", TAX_IDS, form.tax_id_type)}
      ${field({ name: "tax_id", label: "Tax id", value: form.tax_id })}`
    }
  </fieldset>`;
}

const TAX_IDS = [
  ["eu_vat", "EU VAT number"],
  ["gb_vat", "UK VAT number"],
  ["us_ein", "US EIN"],
] as const;

function shippingFields(tx: Transaction, session: Session, form: Form): Html | false {
  const countries = session.shipping_address_collection?.allowed_countries;
  const options = session.shipping_options.map((option): [string, string] => {
    const id = idOf(option.shipping_rate) ?? "";
    return [
      id,
      `${tx.find("shipping_rate", id)?.display_name ?? "Shipping"}, ${money(option.shipping_amount, session.currency)}`,
    ];
  });
  if (countries === undefined && options.length === 0) return false;
  return html`<fieldset>
    <legend>Shipping</legend>
    ${
      countries !== undefined &&
      html`${field({ name: "shipping_name", label: "Name", value: form.shipping_name, required: true, autocomplete: "shipping name" })}
      ${field({ name: "shipping_line1", label: "Address", value: form.shipping_line1, required: true, autocomplete: "shipping address-line1" })}
      ${field({ name: "shipping_city", label: "City", value: form.shipping_city, autocomplete: "shipping address-level2" })}
      ${field({ name: "shipping_postal_code", label: "Postal code", value: form.shipping_postal_code, autocomplete: "shipping postal-code" })}
      ${choice(
        "shipping_country",
        "Country",
        countries.map((code) => [code, code]),
        form.shipping_country,
      )}`
    }
    ${options.length > 0 && choice("shipping_rate", "Delivery", options, form.shipping_rate ?? idOf(session.shipping_cost?.shipping_rate) ?? undefined)}
    ${options.length > 1 && html`<button name="action" value="shipping" formnovalidate>Update the total</button>`}
  </fieldset>`;
}

function customFields(session: Session, form: Form): Html[] {
  return session.custom_fields.map((each) => {
    const name = `custom_${each.key}`;
    const label = each.label.custom ?? each.key;
    if (each.dropdown !== undefined) {
      const options = each.dropdown.options.map(({ value, label: words }): [string, string] => [value, words]);
      return choice(
        name,
        label,
        each.optional ? [["", "–"], ...options] : options,
        form[name] ?? each.dropdown.default_value ?? undefined,
      );
    }
    const of = each.numeric ?? each.text;
    return field({
      name,
      label,
      value: form[name] ?? of?.default_value,
      required: !each.optional,
      ...(each.numeric === undefined ? {} : { inputmode: "numeric" }),
      ...present({ maxlength: of?.maximum_length }),
    });
  });
}

function consents(session: Session): Html {
  const { terms_of_service, promotions } = session.consent_collection ?? {};
  return html`${
    terms_of_service === "required" &&
    html`<label class="choice"
      ><input type="checkbox" name="terms" value="yes" required /> I accept the terms of service</label
    >`
  }
  ${
    promotions === "auto" &&
    html`<label class="choice"><input type="checkbox" name="promotions" value="yes" /> Send me news and offers</label>`
  }`;
}

function savedMethods(tx: Transaction, session: Session): Html | false {
  const customer = idOf(session.customer);
  const saved = customer === null ? [] : tx.where("payment_method", (method) => idOf(method.customer) === customer);
  const usable = saved.filter(({ type }) => session.payment_method_types.includes(type));
  if (usable.length === 0) return false;
  return html`<section aria-labelledby="saved">
    <h2 id="saved">Saved payment methods</h2>
    ${usable.map((method) => html`<button name="saved" value="${method.id}">Use ${methodWords(method)}</button>`)}
  </section>`;
}

/** "visa ending in 4242" */
export function methodWords(method: Stripe.PaymentMethod): string {
  if (method.card !== undefined) return `${method.card.brand} ending in ${method.card.last4}`;
  if (method.sepa_debit !== undefined) return `SEPA debit ending in ${method.sepa_debit.last4 ?? ""}`;
  return method.type.replaceAll("_", " ");
}
