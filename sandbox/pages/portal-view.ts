// What the customer portal shows: subscriptions, payment methods, the customer's own words, invoices.
import type Stripe from "stripe";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { cardFields } from "./card-form.ts";
import { methodWords } from "./checkout-view.ts";
import { html, type Html, type Piece, safeAddress } from "./html.ts";
import { choice, field, notice, problem, show } from "./layout.ts";
import { day, interval, money } from "./money.ts";
import type { Page } from "./page.ts";

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
  const back = safeAddress(session.return_url);
  return show(
    profile.headline ?? "Your billing",
    html`${problem(news.trouble)} ${notice(news.done)}
      ${back !== undefined && html`<p><a href="${back}">Return to the shop</a></p>`}
      <p>${customer.name ?? customer.email ?? customer.id}</p>
      ${subscriptions(tx, session, features)} ${methods(tx, session, features)}
      ${features.customer_update.enabled && ownWords(session, customer, features.customer_update.allowed_updates)}
      ${features.invoice_history.enabled && invoices(tx, customer.id)}
      ${
        profile.terms_of_service_url !== null &&
        html`<p class="soft"><a href="${safeAddress(profile.terms_of_service_url) ?? "#"}">Terms of service</a></p>`
      }
      ${
        profile.privacy_policy_url !== null &&
        html`<p class="soft"><a href="${safeAddress(profile.privacy_policy_url) ?? "#"}">Privacy</a></p>`
      }`,
    status,
  );
}

const OVER = new Set(["canceled", "incomplete_expired"]);

function subscriptions(tx: Transaction, session: PortalSession, features: Features): Html {
  const all = tx.where("subscription", (each) => idOf(each.customer) === session.customer && !OVER.has(each.status));
  return html`<h2>Subscriptions</h2>
    ${all.length === 0 && html`<p>You have no subscription.</p>`}
    ${all.map((each) => subscription(tx, session, features, each))}`;
}

function subscription(tx: Transaction, session: PortalSession, features: Features, each: Stripe.Subscription): Html {
  const ends = each.cancel_at ?? (each.cancel_at_period_end ? (each.items.data[0]?.current_period_end ?? null) : null);
  return html`<section aria-label="Subscription ${each.id}">
    ${each.items.data.map((item) => {
      const name = tx.find("product", idOf(item.price.product) ?? "")?.name ?? item.price.id;
      const amount = (item.price.unit_amount ?? 0) * (item.quantity ?? 1);
      return html`<h3>${name}</h3>
        <p>
          ${money(amount, item.price.currency)} ${item.price.recurring !== null && interval(item.price.recurring)}
          ${(item.quantity ?? 1) > 1 && `(${item.quantity ?? 1})`}
        </p>`;
    })}
    <p class="soft">
      ${each.status.replaceAll("_", " ")}${ends !== null ? `, ends on ${day(ends)}` : `, next on ${day(each.items.data[0]?.current_period_end)}`}
    </p>
    ${actionsOf(tx, session, features, each, ends !== null)}
  </section>`;
}

function actionsOf(
  tx: Transaction,
  session: PortalSession,
  features: Features,
  each: Stripe.Subscription,
  ending: boolean,
): Piece {
  const target = html`<input type="hidden" name="subscription" value="${each.id}" />`;
  const { subscription_cancel: cancel, subscription_update: update } = features;
  const plans = update.enabled ? offeredPrices(tx, features, each) : [];
  return html`${
    ending
      ? html`<form class="inline" method="post" action="/p/session/${session.id}">
          ${target}<button name="action" value="resume">Do not cancel</button>
        </form>`
      : cancel.enabled &&
        html`<form method="post" action="/p/session/${session.id}">
          ${target}
          ${
            cancel.cancellation_reason.enabled &&
            choice(
              "feedback",
              "Why do you cancel?",
              cancel.cancellation_reason.options.map((option) => [option, option.replaceAll("_", " ")]),
            )
          }
          <button name="action" value="cancel">
            Cancel the subscription ${cancel.mode === "immediately" ? "now" : "at the end of its period"}
          </button>
        </form>`
  }
  ${
    plans.length > 0 &&
    html`<form method="post" action="/p/session/${session.id}">
      ${target} ${choice("price", "Change to", plans)}<button name="action" value="change">Change the plan</button>
    </form>`
  }`;
}

/** Prices that the portal may change to: those of its configuration, else all of the same product or interval kind. */
export function offeredPrices(tx: Transaction, features: Features, each: Stripe.Subscription): [string, string][] {
  const named = features.subscription_update.products?.flatMap(({ prices }) => prices);
  const current = each.items.data.map(({ price }) => price.id);
  return tx
    .where("price", (price) => {
      if (price.recurring === null || !price.active || current.includes(price.id)) return false;
      return (
        price.currency === each.currency && (named === undefined || named.length === 0 || named.includes(price.id))
      );
    })
    .map((price) => {
      const name = tx.find("product", idOf(price.product) ?? "")?.name ?? price.id;
      const words = price.recurring === null ? "" : interval(price.recurring);
      return [price.id, `${name}, ${money(price.unit_amount, price.currency)} ${words}`];
    });
}

function methods(tx: Transaction, session: PortalSession, features: Features): Html {
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
      html`<form method="post" action="/p/session/${session.id}">
        <h3>Add a card</h3>
        ${cardFields({})}<button name="action" value="add">Add this card</button>
      </form>`
    }`;
}

function ownWords(session: PortalSession, customer: Stripe.Customer, allowed: readonly string[]): Html | false {
  if (allowed.length === 0) return false;
  return html`<h2>About you</h2>
    <form method="post" action="/p/session/${session.id}">
      ${allowed.includes("name") && field({ name: "name", label: "Name", value: customer.name, autocomplete: "name" })}
      ${allowed.includes("email") && field({ name: "email", label: "E-mail", type: "email", value: customer.email, autocomplete: "email" })}
      ${allowed.includes("phone") && field({ name: "phone", label: "Phone", type: "tel", value: customer.phone, autocomplete: "tel" })}
      ${
        allowed.includes("address") &&
        html`${field({ name: "line1", label: "Address", value: customer.address?.line1, autocomplete: "address-line1" })}
        ${field({ name: "city", label: "City", value: customer.address?.city, autocomplete: "address-level2" })}
        ${field({ name: "postal_code", label: "Postal code", value: customer.address?.postal_code, autocomplete: "postal-code" })}
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
    <ul>
      ${all.map(
        (invoice) =>
          html`<li>
            <a href="${safeAddress(invoice.hosted_invoice_url) ?? "#"}">${invoice.number}</a>, ${day(invoice.created)},
            ${money(invoice.total, invoice.currency)}, ${invoice.status}
          </li>`,
      )}
    </ul>`;
}
