// The routes of checkout sessions, of the page that the Stripe CLI confirms them with, and of the billing portal.
import type Stripe from "stripe";
import { hooks } from "../core/hooks.ts";
import { includable } from "../core/includable.ts";
import { idOf } from "../core/kinds.ts";
import { innerList, listOf } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { expireSession, paymentMoved, setupMoved } from "./complete.ts";
import { confirmSession } from "./confirm.ts";
import { portalRoutes } from "./portal-routes.ts";
import { draftOf, type SessionParameters } from "./session-draft.ts";
import { lineItem } from "./session-lines.ts";
import { createSession, updateSession } from "./session.ts";

type Session = Stripe.Checkout.Session;

export const checkoutRoutes: Route[] = [
  route<SessionParameters>()("POST /v1/checkout/sessions", (tx, p) => createSession(tx, p)),
  route<Stripe.Checkout.SessionListParams>()("GET /v1/checkout/sessions", (tx, p) =>
    listOf(
      tx.where("checkout.session", (session) => isWanted(session, p)),
      "/v1/checkout/sessions",
      p,
    ),
  ),
  route()("GET /v1/checkout/sessions/*", (tx, _p, id) => tx.get("checkout.session", id)),
  route<Stripe.Checkout.SessionUpdateParams>()("POST /v1/checkout/sessions/*", (tx, p, id) => updateSession(tx, id, p)),
  route()("POST /v1/checkout/sessions/*/expire", (tx, _p, id) => expireSession(tx, id)),
  route<Stripe.Checkout.SessionListLineItemsParams>()("GET /v1/checkout/sessions/*/line_items", (tx, p, id) => {
    const session = tx.get("checkout.session", id);
    // Lines are listed in their own order, not newest first.
    return listOf(linesOf(tx, session).toReversed(), `/v1/checkout/sessions/${id}/line_items`, p);
  }),
  route()("GET /v1/payment_pages/*", (tx, _p, id) => tx.get("checkout.session", id)),
  route<PageConfirmation>()("POST /v1/payment_pages/*/confirm", confirmPage),
  ...portalRoutes,
];

function isWanted(session: Session, p: Stripe.Checkout.SessionListParams): boolean {
  const wanted: [unknown, unknown][] = [
    [p.customer, idOf(session.customer)],
    [p.customer_account, session.customer_account],
    [p.customer_details?.email, session.customer_details?.email],
    [p.payment_intent, idOf(session.payment_intent)],
    [p.payment_link, idOf(session.payment_link)],
    [p.status, session.status],
    [p.subscription, idOf(session.subscription)],
  ];
  return wanted.every(([asked, is]) => asked === undefined || asked === is);
}

function linesOf(tx: Transaction, session: Session): Stripe.LineItem[] {
  return draftOf(tx, session.id).lines.map((line) => lineItem(tx, line, session.currency ?? "usd"));
}

/** Not in the SDK: what Stripe's own page sends, and the CLI in its place. Values are text, as in the form. */
interface PageConfirmation {
  payment_method?: string;
  expected_amount?: string | number;
}

function confirmPage(tx: Transaction, { payment_method, expected_amount }: PageConfirmation, id: string): object {
  const outcome = confirmSession(tx, id, {
    payment_method,
    expected_amount: expected_amount === undefined ? undefined : Number(expected_amount),
  });
  if (outcome.kind === "declined") throw outcome.failure;
  return tx.get("checkout.session", id);
}

let isOpen = false;

/** Listens to intents, and lets sessions expire. */
export function openCheckout(): void {
  if (isOpen) return;
  isOpen = true;
  hooks.paymentIntentMoved.push(paymentMoved);
  hooks.setupIntentMoved.push(setupMoved);
  hooks.due.push({
    next: (tx, clock) => {
      if (clock !== null) return undefined;
      const ends = openSessions(tx).map(({ expires_at }) => expires_at);
      return ends.length === 0 ? undefined : Math.min(...ends);
    },
    run: (tx) => {
      for (const { id, expires_at } of openSessions(tx)) if (expires_at <= tx.now) expireSession(tx, id);
    },
  });
  includable("checkout.session", "line_items", (tx, session) => {
    return innerList(linesOf(tx, session), `/v1/checkout/sessions/${session.id}/line_items`);
  });
}

const openSessions = (tx: Transaction): Session[] => tx.where("checkout.session", ({ status }) => status === "open");
