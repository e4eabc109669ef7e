// The subscriptions on the customer portal: what each costs, and the buttons that its configuration allows.
import type Stripe from "stripe";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { html, type Html, type Piece } from "./html.ts";
import { choice } from "./layout.ts";
import { day, interval, money } from "./money.ts";

type PortalSession = Stripe.BillingPortal.Session;
type Features = Stripe.BillingPortal.Configuration["features"];

const OVER = new Set(["canceled", "incomplete_expired"]);

export function subscriptions(tx: Transaction, session: PortalSession, features: Features): Html {
  const all = tx.where("subscription", (each) => idOf(each.customer) === session.customer && !OVER.has(each.status));
  return html`<h2>Subscriptions</h2>
    ${all.length === 0 && html`<p>You have no subscription.</p>`}
    ${all.map((each) => subscription(tx, session, features, each))}`;
}

export function subscription(
  tx: Transaction,
  session: PortalSession,
  features: Features,
  each: Stripe.Subscription,
): Html {
  const ends = each.cancel_at ?? (each.cancel_at_period_end ? (each.items.data[0]?.current_period_end ?? null) : null);
  return html`<section aria-label="Subscription ${each.id}">
    ${each.items.data.map((item) => {
      const name = tx.find("product", idOf(item.price.product) ?? "")?.name ?? item.price.id;
      const amount = (item.price.unit_amount ?? 0) * (item.quantity ?? 1);
      return html`<h3>${name}</h3>
        <p>
          ${money(amount, item.price.currency)} ${item.price.recurring !== null && interval(item.price.recurring)}
          ${(item.quantity ?? 1) > 1 && `for ${item.quantity ?? 1}`}
        </p>`;
    })}
    <p class="soft">
      ${each.pause_collection === null ? each.status.replaceAll("_", " ") : "paused"}${ends !== null ? `, ends on ${day(ends)}` : `, next on ${day(each.items.data[0]?.current_period_end)}`}
    </p>
    ${pauseOf(session, features, each)} ${actionsOf(tx, session, features, each, ends !== null)}
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

function pauseOf(session: PortalSession, { subscription_pause: pause }: Features, each: Stripe.Subscription): Piece {
  const target = html`<input type="hidden" name="subscription" value="${each.id}" />`;
  if (each.pause_collection !== null) {
    return html`<form class="inline" method="post" action="/p/session/${session.id}">
      ${target}<button name="action" value="unpause">Go on with the subscription</button>
    </form>`;
  }
  if (!pause.enabled || each.status !== "active") return false;
  return html`<form method="post" action="/p/session/${session.id}">
    ${target} ${pause.duration.type === "interval_options" && choice("duration", "For how long", pauseOptions(pause))}
    <button name="action" value="pause">Pause the subscription</button>
  </form>`;
}

/** "month 2": what the form sends for two months; and how it reads. */
export function pauseOptions({ duration }: Features["subscription_pause"]): [string, string][] {
  return duration.interval_options.map(({ interval: unit, interval_count: count }) => {
    return [`${unit} ${count}`, `${count} ${unit}${count === 1 ? "" : "s"}`];
  });
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
