// What the customer portal shows: subscriptions, payment methods, the customer's own words, invoices.
import type Stripe from "stripe";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { cardFields } from "./card-form.ts";
import { methodWords } from "./checkout-view.ts";
import { html, type Html, type Piece, safeAddress } from "./html.ts";
import { field, notice, problem, show } from "./layout.ts";
import { day, money } from "./money.ts";
import type { Page } from "./page.ts";
import { subscriptions } from "./portal-subscription.ts";

type PortalSession = Stripe.BillingPortal.Session;
type Features = Stripe.BillingPortal.Configuration["features"];

/** What the last action came to. */
export interface PortalNews {
  trouble?: string;
  done?: string;
}

export function portalPage(tx: Transaction, session: PortalSession, news: PortalNews = {}, status = 200): Page {
  const customer = tx.get("customer", session.customer);
  const configuration = tx.get("billing_portal.configuration", idOf(session.configuration) ?? "");
  const { features, business_profile: profile } = configuration;
  return show(
    profile.headline ?? "Your billing",
    html`${problem(news.trouble)} ${notice(news.done)}
      <p>${customer.name ?? customer.email ?? customer.id}${wayBack(session)}</p>
      ${subscriptions(tx, session, features)} ${methods(tx, session, features)}
      ${features.customer_update.enabled && ownWords(session, customer, features.customer_update.allowed_updates)}
      ${features.invoice_history.enabled && invoices(tx, customer.id)} ${terms(profile)}`,
    status,
  );
}

export function wayBack(session: PortalSession): Html | false {
  const back = safeAddress(session.return_url);
  return back !== undefined && html` · <a href="${back}">Return to the shop</a>`;
}

function terms(profile: Stripe.BillingPortal.Configuration["business_profile"]): Html {
  const link = (address: string | null, words: string): Piece =>
    address !== null && html`<a href="${safeAddress(address) ?? "#"}">${words}</a> `;
  return html`<p class="soft">
    ${link(profile.terms_of_service_url, "Terms of service")}${link(profile.privacy_policy_url, "Privacy")}
  </p>`;
}

export function methods(tx: Transaction, session: PortalSession, features: Features): Html {
  const preferred = idOf(tx.get("customer", session.customer).invoice_settings.default_payment_method);
  const saved = tx.where("payment_method", (method) => idOf(method.customer) === session.customer);
  const may = features.payment_method_update.enabled;
  return html`<h2>Payment methods</h2>
    ${saved.length === 0 && html`<p>None is saved.</p>`}
    <ul>
      ${saved.map(
        (method) =>
          html`<li>
            ${methodWords(method)}${method.id === preferred && " (default)"}
            ${
              may &&
              html`<form class="inline" method="post" action="/p/session/${session.id}">
                <input type="hidden" name="method" value="${method.id}" />
                ${
                  method.id !== preferred &&
                  html`<button name="action" value="prefer" aria-label="Make ${methodWords(method)} the default">
                    Make default
                  </button>`
                }
                <button name="action" value="remove" aria-label="Remove ${methodWords(method)}">Remove</button>
              </form>`
            }
          </li>`,
      )}
    </ul>
    ${
      may &&
      html`<details ${(saved.length === 0 || session.flow?.type === "payment_method_update") && html`open`}>
        <summary>Add a card</summary>
        <form method="post" action="/p/session/${session.id}">
          ${cardFields({})}<button name="action" value="add">Add this card</button>
        </form>
      </details>`
    }`;
}

export function ownWords(session: PortalSession, customer: Stripe.Customer, allowed: readonly string[]): Html | false {
  if (allowed.length === 0) return false;
  return html`<h2>About you</h2>
    <form method="post" action="/p/session/${session.id}">
      ${allowed.includes("name") && field({ name: "name", label: "Name", value: customer.name, autocomplete: "name" })}
      ${allowed.includes("email") && field({ name: "email", label: "E-mail", type: "email", value: customer.email, autocomplete: "email" })}
      ${allowed.includes("phone") && field({ name: "phone", label: "Phone", type: "tel", value: customer.phone, autocomplete: "tel" })}
      ${
        allowed.includes("address") &&
        html`${field({ name: "line1", label: "Address", value: customer.address?.line1, autocomplete: "address-line1" })}
          <div class="pair">
            <div>
              ${field({ name: "postal_code", label: "Postal code", value: customer.address?.postal_code, autocomplete: "postal-code" })}
            </div>
            <div>
              ${field({ name: "city", label: "City", value: customer.address?.city, autocomplete: "address-level2" })}
            </div>
          </div>
          ${field({ name: "country", label: "Country, two letters", value: customer.address?.country, maxlength: 2, autocomplete: "country" })}`
      }
      <button name="action" value="customer">Save</button>
    </form>`;
}

function invoices(tx: Transaction, customer: string): Html {
  const all = tx
    .where("invoice", (invoice) => idOf(invoice.customer) === customer && invoice.status !== "draft")
    .reverse();
  return html`<h2>Invoices</h2>
    ${all.length === 0 && html`<p>There is none yet.</p>`}
    ${
      all.length > 0 &&
      html`<table>
        <thead>
          <tr>
            <th scope="col">Number</th>
            <th scope="col">Date</th>
            <th scope="col">Status</th>
            <th scope="col" class="amount">Amount</th>
          </tr>
        </thead>
        <tbody>
          ${all.map(
            (invoice) =>
              html`<tr>
                <td><a href="${safeAddress(invoice.hosted_invoice_url) ?? "#"}">${invoice.number}</a></td>
                <td>${day(invoice.created)}</td>
                <td>${invoice.status}</td>
                <td class="amount">${money(invoice.total, invoice.currency)}</td>
              </tr>`,
          )}
        </tbody>
      </table>`
    }`;
}
