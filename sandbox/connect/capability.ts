// Capabilities: what an account asks to be able to do. Each stands in the account's own scope under its name.
import type Stripe from "stripe";

import { noSuch } from "../core/errors.ts";
import { type Route, route } from "../core/route.ts";
import { objectShape, resolved } from "../core/shapes.ts";
import type { Transaction } from "../core/transaction.ts";
import { settleAccount, unrequested } from "./account-standing.ts";
import { accountOf, ownOf } from "./connection.ts";

/** Every capability that Stripe's types name. */
const KNOWN = new Set(capabilityNames());

function capabilityNames(): string[] {
  const shape = resolved(objectShape("account").fields.capabilities ?? "");
  return typeof shape === "object" && "fields" in shape ? Object.keys(shape.fields) : [];
}

/** The capability, also one that nobody asked for yet. Ends the call when Stripe knows no such capability. */
function capabilityOf(tx: Transaction, account: string, id: string): Stripe.Capability {
  const found = ownOf(tx, account).find("capability", id);
  if (found !== undefined) return found;
  if (!KNOWN.has(id)) throw noSuch("capability", id, "capability");
  return unrequested(account, id);
}

export const capabilityRoutes: Route[] = [
  route<Stripe.AccountListCapabilitiesParams>()("GET /v1/accounts/*/capabilities", (tx, _, account) => {
    accountOf(tx, account);
    const data = ownOf(tx, account).where("capability", ({ requested_at }) => requested_at !== null);
    return { object: "list", data, has_more: false, url: `/v1/accounts/${account}/capabilities` };
  }),

  route<Stripe.AccountRetrieveCapabilityParams>()("GET /v1/accounts/*/capabilities/*", (tx, _, account, id) => {
    accountOf(tx, account);
    return capabilityOf(tx, account, id);
  }),

  route<Stripe.AccountUpdateCapabilityParams>()("POST /v1/accounts/*/capabilities/*", (tx, given, account, id) => {
    const found = accountOf(tx, account);
    capabilityOf(tx, account, id);
    if (given.requested !== undefined) settleAccount(tx, found, { [id]: { requested: given.requested } });
    return capabilityOf(tx, account, id);
  }),
];
