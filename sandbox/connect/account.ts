// Accounts: connected ones, which the platform makes or is let into, and the platform's own.
import type Stripe from "stripe";

import { invalidRequest } from "../core/errors.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { PLATFORM_ACCOUNT } from "../core/kinds.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { type CapabilityWishes, settleAccount } from "./account-standing.ts";
import {
  accountOf,
  APPLICATION,
  deauthorize,
  endConnection,
  keepConnection,
  mayActFor,
  platformOf,
} from "./connection.ts";
import { addExternalAccount, type ExternalAccountGiven, replaceExternalAccount } from "./external-account.ts";
import { mergeFields } from "./merge-fields.ts";
import { newAccount } from "./new-account.ts";
import { saveIndividual } from "./person.ts";
import { isItsOwn } from "./requirements.ts";

export { accountOfAccessToken, connectedAccount, deauthorize, mayActFor } from "./connection.ts";

type Given = Stripe.AccountUpdateParams;

/** Asked for by Stripe itself when the call names no capabilities. */
const USUAL_CAPABILITIES = { card_payments: { requested: true }, transfers: { requested: true } };

/**
 * A new account. `connected: false`: one that the platform knows nothing of until OAuth lets it in.
 * @throws StripeFailure 400: both type and controller, an unknown country, terms accepted for an account of Stripe's
 */
export function createAccount(
  tx: Transaction,
  given: Stripe.AccountCreateParams,
  { connected = true }: { connected?: boolean } = {},
): Stripe.Account {
  const platform = platformOf(tx);
  const made = newAccount(tx, given);
  checkGiven(made, given as Given);
  keepConnection(tx, made.id, { connected });
  platform.put("account", made);
  const account = platform.put("account", withFields(made, given as Given));
  if (given.individual !== undefined) saveIndividual(tx, account, given.individual);
  if (given.external_account !== undefined) {
    addExternalAccount(tx, account, given.external_account as ExternalAccountGiven);
  }
  return settleAccount(tx, account, wishesOf(account, given));
}

function wishesOf(account: Stripe.Account, given: Stripe.AccountCreateParams): CapabilityWishes {
  if (given.capabilities !== undefined) return given.capabilities as CapabilityWishes;
  return isItsOwn(account) || account.controller?.stripe_dashboard?.type === "express" ? USUAL_CAPABILITIES : {};
}

/** What a call says of the account, kept and settled, with the events of what moved. */
export function updateAccount(tx: Transaction, account: Stripe.Account, given: Given): Stripe.Account {
  const { individual, external_account, capabilities } = given;
  if (individual !== undefined) saveIndividual(tx, account, individual);
  if (external_account !== undefined && external_account !== "") {
    replaceExternalAccount(tx, account, external_account as ExternalAccountGiven);
  }
  const wishes = (capabilities ?? {}) as CapabilityWishes;
  return settleAccount(tx, withFields(account, given), wishes);
}

/** The account with the call's plain fields; the numbers that Stripe keeps to itself become `…_provided`. */
function withFields(account: Stripe.Account, given: Given): Stripe.Account {
  const { business_profile, business_type, default_currency, email, metadata, settings, tos_acceptance } = given;
  const merged = mergeFields(account, {
    business_profile,
    business_type,
    default_currency,
    email,
    settings: withoutWords(settings),
    tos_acceptance,
  });
  const { tax_id, vat_id, registration_number: _number, ...company } = given.company ?? {};
  const provided = {
    ...(tax_id === undefined ? {} : { tax_id_provided: true }),
    ...(vat_id === undefined ? {} : { vat_id_provided: true }),
  };
  const shown = given.company === undefined ? undefined : account.company;
  return {
    ...merged,
    ...(shown === undefined ? {} : { company: { ...mergeFields(shown, company), ...provided } }),
    metadata: mergeMetadata(account.metadata, metadata),
  };
}

/** "minimum" days of delay are a number in the answer. */
function withoutWords(settings: Given["settings"]): object | undefined {
  if (settings?.payouts?.schedule?.delay_days !== "minimum") return settings;
  const schedule = { ...settings.payouts.schedule, delay_days: 2 };
  return { ...settings, payouts: { ...settings.payouts, schedule } };
}

/** What the platform may not say of accounts whose details Stripe collects itself. */
function checkGiven(account: Stripe.Account, given: Given): void {
  if (given.email !== undefined && given.email !== "" && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(given.email)) {
    throw invalidRequest(`Invalid email address: ${given.email}`, { param: "email", code: "email_invalid" });
  }
  if (account.controller?.requirement_collection === "application") return;
  const { tos_acceptance: terms } = given;
  if (terms?.date !== undefined || terms?.ip !== undefined) {
    const message = "You cannot accept the Terms of Service on behalf of Standard and Express connected accounts.";
    throw invalidRequest(message, { param: "tos_acceptance" });
  }
  if (!account.details_submitted) return;
  for (const param of ["business_type", "company", "email", "external_account", "individual"] as const) {
    if (given[param] === undefined) continue;
    const message = `This application does not have the required permissions for the parameter '${param}' on account '${account.id}'.`;
    throw invalidRequest(message, { param, status: 403 });
  }
}

/** The platform's own account: complete from the start. Made when it is first asked for. */
function platformAccount(tx: Transaction): Stripe.Account {
  const platform = platformOf(tx);
  const found = platform.find("account", PLATFORM_ACCOUNT);
  if (found !== undefined) return found;
  const made = newAccount(platform, { type: "standard" });
  return platform.put("account", {
    ...made,
    id: PLATFORM_ACCOUNT,
    business_profile: mergeFields(made.business_profile ?? {}, { name: APPLICATION.name, mcc: "5734" }) as NonNullable<
      Stripe.Account["business_profile"]
    >,
    capabilities: { card_payments: "active", transfers: "active" },
    charges_enabled: true,
    controller: { type: "account" },
    details_submitted: true,
    email: "platform@example.com",
    payouts_enabled: true,
  });
}

/** Any account that the call may see: the platform's own, and those connected to it. */
function visibleAccount(tx: Transaction, id: string): Stripe.Account {
  return id === PLATFORM_ACCOUNT && tx.scope.account === PLATFORM_ACCOUNT ? platformAccount(tx) : accountOf(tx, id);
}

/** Only a platform has connected accounts. */
function checkIsPlatform(tx: Transaction): void {
  if (tx.scope.account === PLATFORM_ACCOUNT) return;
  const message =
    "You can only create new accounts if you've signed up for Connect, which you can do at https://dashboard.stripe.com/connect.";
  throw invalidRequest(message);
}

const REJECTED: Readonly<Record<string, string>> = {
  fraud: "rejected.platform_fraud",
  terms_of_service: "rejected.platform_terms_of_service",
};

const rejection = (reason: string): string =>
  REJECTED[reason.startsWith("fraud") ? "fraud" : reason] ?? "rejected.platform_other";

export const accountRoutes: Route[] = [
  route<Stripe.AccountCreateParams>()("POST /v1/accounts", (tx, given) => {
    checkIsPlatform(tx);
    return createAccount(tx, given);
  }),

  route<Stripe.AccountListParams>()("GET /v1/accounts", (tx, given) => {
    const accounts = platformOf(tx).where("account", ({ id }) => mayActFor(tx, id));
    const visible = tx.scope.account === PLATFORM_ACCOUNT ? accounts : [];
    return listOf(visible, "/v1/accounts", given as ListParameters);
  }),

  route<object>()("GET /v1/account", (tx) => visibleAccount(tx, tx.scope.account)),

  route<object>()("GET /v1/accounts/*", (tx, _, id) => visibleAccount(tx, id)),

  route<Stripe.AccountUpdateParams>()("POST /v1/accounts/*", (tx, given, id) => {
    const account = visibleAccount(tx, id);
    if (id === PLATFORM_ACCOUNT) return tx.change("account", withFields(account, given), "account.updated");
    checkGiven(account, given);
    return updateAccount(tx, account, given);
  }),

  route<object>()("DELETE /v1/accounts/*", (tx, _, id) => {
    const account = accountOf(tx, id);
    if (tx.scope.livemode && isItsOwn(account)) {
      throw invalidRequest("Standard accounts cannot be deleted with live keys: their owners close them.");
    }
    // Only who has Stripe's dashboard can disconnect: of the others the platform itself disposes, and is not told.
    if (account.controller?.stripe_dashboard?.type === "full") deauthorize(tx, id);
    else endConnection(tx, id);
    platformOf(tx).remove("account", id);
    return { id, object: "account", deleted: true };
  }),

  route<Stripe.AccountRejectParams>()("POST /v1/accounts/*/reject", (tx, given, id) => {
    const account = accountOf(tx, id);
    keepConnection(tx, id, { rejected: rejection(given.reason) });
    return settleAccount(tx, account);
  }),

  route<object>()("POST /v1/accounts/*/unreject", (tx, _, id) => {
    const account = accountOf(tx, id);
    keepConnection(tx, id, { rejected: null });
    return settleAccount(tx, account);
  }),
];
