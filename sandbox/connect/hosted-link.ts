// Account links and login links: addresses of hosted pages for an account. Good for one visit, and for a short time.
import type Stripe from "stripe";

import { invalidRequest, noSuch, parameterMissing } from "../core/errors.ts";
import type { AccountLink, Kinds } from "../core/kinds.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { accountOf, connectedAccount, platformOf } from "./connection.ts";

/** Stripe's: an account link lives five minutes. */
const LINK_SECONDS = 5 * 60;
/** How long the forms of one visit may be filled in. */
const VISIT_SECONDS = 3600;

export type KeptLink = Kinds["_account_link"];

function keepLink(tx: Transaction, link: Omit<AccountLink, "expires_at" | "session">): KeptLink {
  const id = tx.world.random.text(32);
  const expires_at = tx.now + LINK_SECONDS;
  const kept = { ...link, id, object: "_account_link", created: tx.now, expires_at, session: null };
  return platformOf(tx).put("_account_link", kept);
}

/** The first visit opens the link and draws what its forms carry; undefined when it is used up or too old. */
export function openLink(tx: Transaction, link: KeptLink): KeptLink | undefined {
  if (link.session !== null || link.expires_at <= tx.now) return undefined;
  const session = tx.world.random.text(24);
  return platformOf(tx).put("_account_link", { ...link, session, expires_at: tx.now + VISIT_SECONDS });
}

/** Whether a form comes from the visit that opened the link. */
export function isOfVisit(tx: Transaction, link: KeptLink, session: string | undefined): boolean {
  return link.session !== null && link.session === session && link.expires_at > tx.now;
}

function checkAddress(tx: Transaction, param: string, address: string | undefined): string {
  if (address === undefined) throw parameterMissing(param);
  if (!URL.canParse(address) || !/^https?:/i.test(address)) {
    throw invalidRequest("Not a valid URL", { param, code: "url_invalid" });
  }
  if (tx.scope.livemode && !/^https:/i.test(address)) {
    throw invalidRequest("Livemode requests must always be redirected via HTTPS.", { param });
  }
  return address;
}

export const hostedLinkRoutes: Route[] = [
  route<Stripe.AccountLinkCreateParams>()("POST /v1/account_links", (tx, given) => {
    const account = connectedAccount(tx, given.account);
    if (account === undefined) throw noSuch("account", given.account, "account");
    if (given.type === "account_update" && account.controller?.requirement_collection !== "application") {
      const message =
        "You cannot create `account_update` type Account Links for this account: Stripe collects its requirements. Use `account_onboarding`.";
      throw invalidRequest(message, { param: "type" });
    }
    const refresh_url = checkAddress(tx, "refresh_url", given.refresh_url);
    const return_url = checkAddress(tx, "return_url", given.return_url);
    const link = keepLink(tx, { account: account.id, type: given.type, refresh_url, return_url });
    const url = `${tx.world.origin}/connect/onboarding/${link.id}`;
    return { object: "account_link", created: tx.now, expires_at: link.expires_at, url };
  }),

  route<object>()("POST /v1/accounts/*/login_links", (tx, _, id) => {
    const account = accountOf(tx, id);
    if (account.controller?.stripe_dashboard?.type !== "express") {
      throw invalidRequest(`Cannot create a login link for an account that is not an Express account: ${id}.`);
    }
    if (!account.details_submitted) {
      throw invalidRequest("Cannot create a login link for an account that has not completed onboarding.");
    }
    const link = keepLink(tx, { account: id, type: "login", refresh_url: "", return_url: "" });
    return { object: "login_link", created: tx.now, url: `${tx.world.origin}/express/login/${link.id}` };
  }),
];
