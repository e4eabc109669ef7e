// A customer portal that was opened for one thing (flow_data): only that is shown, and then what comes after it.
import type Stripe from "stripe";
import { idOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { html, type Html } from "./html.ts";
import { notice, problem, show } from "./layout.ts";
import { interval, money } from "./money.ts";
import type { Page } from "./page.ts";
import { subscription } from "./portal-subscription.ts";
import { methods, ownWords, portalPage, type PortalNews, wayBack } from "./portal-view.ts";

type PortalSession = Stripe.BillingPortal.Session;
type Flow = Stripe.BillingPortal.Session.Flow;
type Features = Stripe.BillingPortal.Configuration["features"];

/** Which actions end a flow. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  customer_update: ["customer"],
  payment_method_update: ["add", "prefer"],
  subscription_cancel: ["cancel"],
  subscription_pause: ["pause"],
  subscription_update: ["change"],
  subscription_update_confirm: ["confirm"],
};

const TITLES: Readonly<Record<string, string>> = {
  customer_update: "About you",
  payment_method_update: "Your payment method",
  subscription_cancel: "Cancel the subscription",
  subscription_pause: "Pause the subscription",
  subscription_update: "Change the subscription",
  subscription_update_confirm: "Confirm the change",
};

/** The page of the session's flow, or the whole portal when it has none. */
export function firstPage(tx: Transaction, session: PortalSession, news: PortalNews = {}, status = 200): Page {
  const { flow } = session;
  if (flow === null) return portalPage(tx, session, news, status);
  const { features } = tx.get("billing_portal.configuration", idOf(session.configuration) ?? "");
  return show(
    TITLES[flow.type] ?? "Your billing",
    html`${problem(news.trouble)} ${notice(news.done)} ${bodyOf(tx, session, flow, features)}
      <p><a href="/p/session/${session.id}?view=all">All about your billing</a>${wayBack(session)}</p>`,
    status,
  );
}

function bodyOf(tx: Transaction, session: PortalSession, flow: Flow, features: Features): Html | false {
  const customer = tx.get("customer", session.customer);
  if (flow.type === "customer_update") return ownWords(session, customer, features.customer_update.allowed_updates);
  if (flow.type === "payment_method_update") return methods(tx, session, features);
  if (flow.subscription_update_confirm !== null) return confirmation(tx, session, flow.subscription_update_confirm);
  const named = flow.subscription_cancel ?? flow.subscription_pause ?? flow.subscription_update;
  const found = tx.find("subscription", named?.subscription ?? "");
  return found === undefined
    ? html`<p>There is no such subscription any more.</p>`
    : subscription(tx, session, only(features, flow.type), found);
}

/** The features with that of the flow alone. */
function only(features: Features, type: string): Features {
  const { subscription_cancel: cancel, subscription_pause: pause, subscription_update: update } = features;
  return {
    ...features,
    subscription_cancel: { ...cancel, enabled: cancel.enabled && type === "subscription_cancel" },
    subscription_pause: { ...pause, enabled: pause.enabled && type === "subscription_pause" },
    subscription_update: { ...update, enabled: update.enabled && type === "subscription_update" },
  };
}

function confirmation(
  tx: Transaction,
  session: PortalSession,
  { items }: Stripe.BillingPortal.Session.Flow.SubscriptionUpdateConfirm,
): Html {
  return html`<ul>
      ${items.map(({ price: id, quantity }) => {
        const price = tx.find("price", id ?? "");
        const name = tx.find("product", idOf(price?.product) ?? "")?.name ?? id;
        const every = price?.recurring ? interval(price.recurring) : "";
        return html`<li>${name}, ${quantity ?? 1} × ${money(price?.unit_amount, price?.currency)} ${every}</li>`;
      })}
    </ul>
    <form method="post" action="/p/session/${session.id}">
      <button class="main" name="action" value="confirm">Confirm the change</button>
    </form>`;
}

/** After an action: the flow's end where it was the flow's own, else the whole portal. */
export function pageAfter(tx: Transaction, session: PortalSession, action: string, done: string): Page {
  const { flow } = session;
  if (flow === null || ENDS[flow.type]?.includes(action) !== true) return portalPage(tx, session, { done });
  const { hosted_confirmation: words, redirect, type } = flow.after_completion;
  if (type === "redirect" && redirect !== null) return { redirect: redirect.return_url };
  if (type !== "hosted_confirmation") return portalPage(tx, session, { done });
  return show(
    "Done",
    html`${notice(words?.custom_message ?? done)}
      <p>${done}${wayBack(session)}</p>`,
  );
}
