// External accounts: the bank accounts and debit cards that a connected account is paid out to. In its own scope.
import type Stripe from "stripe";

import { blank } from "../core/blank.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { settleAccount } from "./account-standing.ts";
import { accountOf, connectedAccount, ownOf } from "./connection.ts";
import { mergeFields } from "./merge-fields.ts";
import { isItsOwn } from "./requirements.ts";

export type ExternalAccount = Stripe.BankAccount | Stripe.Card;

/** As a call gives one: a token's id, or the number itself. */
export type ExternalAccountGiven = string | Readonly<Record<string, unknown>>;

/** Of the account whose scope `own` is; the oldest first. */
export function externalAccountsOf(own: Transaction, account: string): ExternalAccount[] {
  return [
    ...own.where("bank_account", (bank) => bank.account === account),
    ...own.where("card", (card) => card.account === account),
  ];
}

/** Where payouts of that currency go. `own`: the account's scope. */
export function defaultExternalAccount(own: Transaction, currency: string): ExternalAccount | undefined {
  const fitting = externalAccountsOf(own, own.scope.account).filter((external) => external.currency === currency);
  return fitting.find((external) => external.default_for_currency === true) ?? fitting[0];
}

/** Adds one and raises its event; the account's standing is settled by the caller. The first of a currency is its default. */
export function addExternalAccount(
  tx: Transaction,
  account: Stripe.Account,
  given: ExternalAccountGiven,
  { isDefault, metadata = {} }: { isDefault?: boolean | undefined; metadata?: Stripe.MetadataParam } = {},
): ExternalAccount {
  const own = ownOf(tx, account.id);
  const made = typeof given === "string" ? fromToken(tx, account, given) : fromNumber(own, account, given);
  const isFirst = defaultExternalAccount(own, made.currency ?? "") === undefined;
  const external = { ...made, metadata: mergeMetadata({}, metadata) };
  const kept = keep(own, { ...external, default_for_currency: isDefault ?? isFirst });
  if (kept.default_for_currency === true) dropOtherDefaults(own, account.id, kept);
  if (isTold(own)) own.raise("account.external_account.created", kept);
  return kept;
}

/** A new external account takes the place of the default one of its currency: what the account's own parameter does. */
export function replaceExternalAccount(tx: Transaction, account: Stripe.Account, given: ExternalAccountGiven): void {
  const own = ownOf(tx, account.id);
  const added = addExternalAccount(tx, account, given, { isDefault: true });
  for (const old of externalAccountsOf(own, account.id)) {
    if (old.id !== added.id && old.currency === added.currency) removeExternal(own, old);
  }
}

/** Of a standard account's banks the platform hears nothing. */
function isTold(own: Transaction): boolean {
  const account = connectedAccount(own, own.scope.account);
  return account !== undefined && !isItsOwn(account);
}

function dropOtherDefaults(own: Transaction, account: string, chosen: ExternalAccount): void {
  for (const other of externalAccountsOf(own, account)) {
    const yields = other.id !== chosen.id && other.currency === chosen.currency && other.default_for_currency === true;
    if (yields) keep(own, { ...other, default_for_currency: false });
  }
}

function keep(own: Transaction, external: ExternalAccount): ExternalAccount {
  return external.object === "bank_account" ? own.put("bank_account", external) : own.put("card", external);
}

function removeExternal(own: Transaction, external: ExternalAccount): void {
  own.remove(external.object, external.id);
  if (isTold(own)) own.raise("account.external_account.deleted", external);
}

/** Stripe's own test tokens: btok_us_verified, tok_visa_debit …; and tokens that the API made. */
function fromToken(tx: Transaction, account: Stripe.Account, id: string): ExternalAccount {
  const own = ownOf(tx, account.id);
  const token = tx.find("token", id) ?? own.find("token", id);
  if (token !== undefined) {
    if (token.used) {
      const message = `You cannot use a Stripe token more than once: ${id}.`;
      throw invalidRequest(message, { param: "external_account", code: "token_already_used" });
    }
    const holder = tx.find("token", id) === undefined ? own : tx;
    holder.put("token", { ...token, used: true });
    const source = token.bank_account ?? token.card;
    if (source === undefined) throw noSuch("token", id, "external_account");
    return { ...source, account: account.id };
  }
  if (id.startsWith("btok_")) return fromNumber(own, account, TEST_BANK);
  if (/^tok_\w*debit/.test(id)) return fromNumber(own, account, TEST_DEBIT_CARD);
  throw noSuch("token", id, "external_account");
}

const TEST_BANK = { object: "bank_account", account_number: "000123456789", routing_number: "110000000" };
const TEST_DEBIT_CARD = { object: "card", number: "4000056655665556", exp_month: 12, exp_year: 2034 };

function fromNumber(
  own: Transaction,
  account: Stripe.Account,
  given: Readonly<Record<string, unknown>>,
): ExternalAccount {
  const text = (name: string): string | null => (typeof given[name] === "string" ? given[name] : null);
  if (given.object === "card") {
    const token = text("token");
    if (token !== null) return fromToken(own, account, token);
    return debitCard(own, account, given, text("number") ?? "");
  }
  const number = text("account_number");
  if (number === null) {
    const message = "Missing required param: external_account[account_number].";
    throw invalidRequest(message, { param: "external_account[account_number]", code: "parameter_missing" });
  }
  const country = text("country") ?? account.country ?? "US";
  const routing = text("routing_number");
  if (country === "US" && !/^\d{9}$/.test(routing ?? "")) {
    const message = `Invalid routing number for US: ${routing ?? ""}. The number must contain 9 digits.`;
    throw invalidRequest(message, { param: "external_account[routing_number]", code: "routing_number_invalid" });
  }
  const id = own.newId("bank_account");
  own.put("_instrument", { id, object: "_instrument", created: own.now, behavior: "external_account", number });
  return blank("bank_account", {
    id,
    account: account.id,
    account_holder_name: text("account_holder_name"),
    account_holder_type: text("account_holder_type"),
    available_payout_methods: ["standard"],
    bank_name: country === "US" ? "STRIPE TEST BANK" : null,
    country,
    currency: text("currency") ?? account.default_currency ?? "usd",
    default_for_currency: false,
    fingerprint: own.world.random.text(16),
    future_requirements: { currently_due: [], errors: [], past_due: [], pending_verification: [] },
    last4: number.slice(-4),
    metadata: {},
    requirements: { currently_due: [], errors: [], past_due: [], pending_verification: [] },
    routing_number: routing,
    status: "new",
  }) as unknown as Stripe.BankAccount;
}

function debitCard(
  own: Transaction,
  account: Stripe.Account,
  given: Readonly<Record<string, unknown>>,
  number: string,
): Stripe.Card {
  const id = own.newId("card");
  own.put("_instrument", { id, object: "_instrument", created: own.now, behavior: "external_account", number });
  return blank("card", {
    id,
    account: account.id,
    available_payout_methods: ["standard", "instant"],
    brand: number.startsWith("5") ? "MasterCard" : "Visa",
    country: account.country ?? "US",
    currency: typeof given.currency === "string" ? given.currency : (account.default_currency ?? "usd"),
    default_for_currency: false,
    exp_month: Number(given.exp_month),
    exp_year: Number(given.exp_year),
    fingerprint: own.world.random.text(16),
    funding: "debit",
    last4: number.slice(-4),
    metadata: {},
    name: typeof given.name === "string" ? given.name : null,
  }) as unknown as Stripe.Card;
}

function externalOf(tx: Transaction, account: string, id: string): ExternalAccount {
  const found = externalAccountsOf(ownOf(tx, account), account).find((external) => external.id === id);
  if (found === undefined) throw noSuch("external account", id);
  return found;
}

export const externalAccountRoutes: Route[] = [
  route<Stripe.AccountCreateExternalAccountParams>()("POST /v1/accounts/*/external_accounts", (tx, given, id) => {
    const account = accountOf(tx, id);
    const external = addExternalAccount(tx, account, given.external_account as ExternalAccountGiven, {
      isDefault: given.default_for_currency,
      ...(given.metadata === undefined ? {} : { metadata: given.metadata }),
    });
    settleAccount(tx, account);
    return external;
  }),

  route<Stripe.AccountListExternalAccountsParams>()("GET /v1/accounts/*/external_accounts", (tx, given, account) => {
    accountOf(tx, account);
    const all = externalAccountsOf(ownOf(tx, account), account);
    const asked = all.filter(({ object }) => given.object === undefined || object === given.object);
    return listOf(asked, `/v1/accounts/${account}/external_accounts`, given as ListParameters);
  }),

  route<object>()("GET /v1/accounts/*/external_accounts/*", (tx, _, account, id) => {
    accountOf(tx, account);
    return externalOf(tx, account, id);
  }),

  route<Stripe.AccountUpdateExternalAccountParams>()(
    "POST /v1/accounts/*/external_accounts/*",
    (tx, given, id, external) => {
      const account = accountOf(tx, id);
      const own = ownOf(tx, id);
      const old = externalOf(tx, id, external);
      const { metadata, expand: _expand, documents: _documents, ...fields } = given;
      const merged = mergeMetadata(old.metadata, metadata);
      const after = keep(own, { ...mergeFields(old, fields), metadata: merged });
      if (after.default_for_currency === true) dropOtherDefaults(own, id, after);
      if (isTold(own)) own.raise("account.external_account.updated", after, old);
      settleAccount(tx, account);
      return after;
    },
  ),

  route<object>()("DELETE /v1/accounts/*/external_accounts/*", (tx, _, id, external) => {
    const account = accountOf(tx, id);
    const old = externalOf(tx, id, external);
    if (old.default_for_currency === true && old.currency === account.default_currency) {
      throw invalidRequest(
        "You cannot delete the default external account for your default currency. Please make another external account the default using the `default_for_currency` param, and then delete this one.",
      );
    }
    removeExternal(ownOf(tx, id), old);
    settleAccount(tx, account);
    return { id: old.id, object: old.object, currency: old.currency ?? null, deleted: true };
  }),
];
